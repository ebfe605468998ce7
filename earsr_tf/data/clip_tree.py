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
from typing import Mapping

from earsr_tf.data import dataset
from earsr_tf.data import files as files_lib
from earsr_tf.data import manifest

PARTS = ('dev', 'test', '')
KINDS = ('mp4', 'frames', 'aac', 'wav', 'txt')
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


def list_clips(
    root: str, files: files_lib.Files,
    genders: Mapping[str, int]) -> list[dataset.Clip]:
  """Lists the clips of a tree, sorted by key.

  Args:
    root: Folder that holds `dev` or `test` or the kinds themselves.
    files: Where it lies.
    genders: Speaker -> 0 female, 1 male; others are unknown.

  Raises:
    MissingDataError: If there is no clip with a picture.
    DataError: If a folder cannot be listed.
  """
  clips, sounds = [], 0
  for part in PARTS:
    for (speaker, video, clip), media in _media(root, part, files).items():
      if not media.picture or not (media.sound or media.is_video):
        sounds += bool(media.sound)
        continue
      clips.append(dataset.Clip(
          speaker=speaker, video=video, clip=clip, frames=media.picture,
          audio=media.sound, boxes=media.boxes,
          fps=FPS if media.is_video else 0.0,
          gender=genders.get(speaker, -1),
          open_set=True if part == 'test' else None))
  if not clips:
    lone = f' beside {sounds} voices without one' if sounds else ''
    raise manifest.MissingDataError(
        f'{root}: no clips found: no picture{lone}; expected '
        '{dev,test}/mp4/<speaker>/<video>/<clip>.mp4, or '
        '{dev,test}/frames/<speaker>/<video>/<clip>/*.jpg with a voice in '
        'aac or wav')
  return sorted(clips, key=lambda c: c.key)


def _media(
    root: str, part: str, files: files_lib.Files
) -> dict[tuple[str, str, str], _Media]:
  """(speaker, video, clip) -> what there is of it in one part of a tree."""
  found: dict[tuple[str, str, str], _Media] = {}
  for kind in KINDS:
    base = '/'.join(name for name in (root.rstrip('/'), part, kind) if name)
    for path in files.walk(base, 4):
      names = path.split('/')
      stem, dot, suffix = names[-1].rpartition('.')
      suffix = f'.{suffix.lower()}' if dot else ''
      if len(names) == 4 and suffix in IMAGES:
        names, suffix = names[:3], '/'
      elif len(names) != 3 or suffix not in VIDEOS + SOUNDS + ('.txt',):
        continue
      else:
        names[2] = stem
      key = tuple(_printable(name) for name in names)
      if suffix != '/' or key not in found or not found[key].picture:
        _add(found.setdefault(key, _Media()), suffix,
             f'{base}/{"/".join(names) if suffix == "/" else path}')
  return found


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
