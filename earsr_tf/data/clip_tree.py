"""Trees of clips: `[{dev,test}/]<kind>/<speaker>/<video>/<clip>` and more.

<kind> is `mp4` (face tracks), `frames` (a folder of images per clip), `aac` or
`wav` (voices), `txt` (face boxes). What lies where does not matter: of a clip,
`<clip>.mp4` or the images in `<clip>/` are its picture, `<clip>.m4a`, `.wav`
and the like its voice, `<clip>.txt` its boxes, in any of these folders; the
first in the order above is taken. A video without a voice beside it has its
own. Speakers below `test/` are open-set.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import operator
from typing import Iterator, Mapping

from earsr_tf.data import files as files_lib
from earsr_tf.data import manifest
from earsr_tf.data import tree_level
from earsr_tf.media import clip_files

VIDEOS = ('.mp4', '.mov', '.mkv', '.webm', '.avi', '.mpg', '.flv')
IMAGES = ('.png', '.jpg', '.jpeg', '.bmp', '.webp')
SOUNDS = ('.m4a', '.aac', '.wav', '.flac', '.ogg', '.mp3')
FPS = 25.0  # of face tracks in VoxCeleb's trees


@dataclasses.dataclass(slots=True)
class _Media:
  """Paths of one clip, '' while unknown."""
  picture: str = ''
  is_video: bool = False
  sound: str = ''
  boxes: str = ''


@dataclasses.dataclass(slots=True)
class _Path:
  """A file of a clip, or with suffix '/' its folder of images."""
  speaker: str
  part: str
  names: list[str]
  suffix: str
  path: str


def list_clips(
    root: str, files: files_lib.Files,
    genders: Mapping[str, int]) -> Iterator[clip_files.Clip]:
  """Lists the clips of a tree, speaker by speaker.

  Only one speaker's clips are in memory: a tree may hold a million.

  Args:
    root: Folder that holds `dev` or `test` or the kinds themselves.
    files: Where it lies.
    genders: Speaker -> 0 female, 1 male; others are unknown.

  Yields:
    The clips of a speaker one after the other, sorted by key.

  Raises:
    MissingDataError: If there is no clip with a picture.
    DataError: If a folder cannot be listed, or is `dev` or `test` of a tree.
  """
  tree_level.check_part(root, files)
  is_empty, sounds = True, 0
  streams = [_paths(root, part, kind, files)
             for part in tree_level.PARTS for kind in tree_level.KINDS]
  # Of one speaker all files of the first stream come first, and so on.
  merged = heapq.merge(*streams, key=operator.attrgetter('speaker'))
  for _, paths in itertools.groupby(
      merged, key=operator.attrgetter('speaker')):
    clips = []
    for (part, *names), media in _media(paths).items():
      if not media.picture or not (media.sound or media.is_video):
        sounds += bool(media.sound)
        continue
      clips.append(_clip(part, names, media, genders))
    is_empty = is_empty and not clips
    yield from sorted(clips, key=operator.attrgetter('key'))
  if is_empty:
    lone = f' beside {sounds} voices without one' if sounds else ''
    level = '' if sounds else tree_level.hint(root, files)
    if level:
      raise manifest.MissingDataError(f'{root}: no clips found: {level}')
    raise manifest.MissingDataError(
        f'{root}: no clips found: no picture{lone}; expected '
        '{dev,test}/mp4/<speaker>/<video>/<clip>.mp4, or '
        '{dev,test}/frames/<speaker>/<video>/<clip>/*.jpg with a voice in '
        'aac or wav')


def _paths(
    root: str, part: str, kind: str, files: files_lib.Files
) -> Iterator[_Path]:
  """The media in one folder of a tree, in order of speaker."""
  base = '/'.join(name for name in (root.rstrip('/'), part, kind) if name)
  for path in files.walk(base, 4):
    names = path.split('/')
    stem, dot, suffix = names[-1].rpartition('.')
    suffix = f'.{suffix.lower()}' if dot else ''
    if len(names) == 4 and suffix in IMAGES:
      yield _Path(names[0], part, names[:3], '/',
                  f'{base}/{"/".join(names[:3])}')
    elif len(names) == 3 and suffix in VIDEOS + SOUNDS + ('.txt',):
      yield _Path(
          names[0], part, [*names[:2], stem], suffix, f'{base}/{path}')


def _media(
    paths: Iterator[_Path]) -> dict[tuple[str, str, str, str], _Media]:
  """(part, speaker, video, clip) -> what there is of it."""
  found: dict[tuple[str, str, str, str], _Media] = {}
  for path in paths:
    key = (path.part, *map(_printable, path.names))
    if path.suffix != '/' or key not in found or not found[key].picture:
      _add(found.setdefault(key, _Media()), path.suffix, path.path)
  return found


def _clip(
    part: str, names: list[str], media: _Media,
    genders: Mapping[str, int]) -> clip_files.Clip:
  """The clip of (speaker, video, clip) and its media."""
  return clip_files.Clip(
      *names, frames=media.picture, audio=media.sound, boxes=media.boxes,
      fps=FPS if media.is_video else 0.0, gender=genders.get(names[0], -1),
      open_set=True if part == 'test' else None)


def _add(media: _Media, suffix: str, path: str) -> None:
  """Notes a file or, with suffix '/', a folder of images."""
  if suffix in SOUNDS:
    media.sound = media.sound or path
  elif suffix == '.txt':
    media.boxes = media.boxes or path
  elif not media.picture:
    media.picture, media.is_video = path, suffix != '/'


def _printable(name: str) -> str:
  """A name for records: bytes that are no UTF-8 are written out."""
  return name.encode('utf-8', 'backslashreplace').decode()
