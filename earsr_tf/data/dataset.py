"""What a dataset is: a list of clips, and how clips become splits.

Splits (paper, section 4.1): D is `d_pre` + `d_rest`; `d_pre` has the same
speakers with fewer videos; `closed_test` has held-out videos of the same
speakers; `open_gallery` and `open_test` hold disjoint videos of speakers that
training never sees. Everything follows from sha1 of names, never from order.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib
import pathlib
from typing import Callable, Iterable

from earsr_tf import config as config_lib
from earsr_tf.data import files as files_lib
from earsr_tf.media import clip_files

OPEN_SHARE = 0.15


@dataclasses.dataclass(frozen=True)
class DatasetSpec:
  """One kind of dataset; `datasets/<name>.py` exports it as SPEC.

  Attributes:
    name: Name of the module.
    list_clips: (folder, where it lies) -> its clips, those of one speaker one
      after the other.
    make_command: What to type to obtain prepared data; may hold {data_dir}.
    open_share: Share of speakers held out where the data do not say.
    min_frames_per_speaker: Speakers with fewer frames are left out.
    has_voices: False for still pictures, whose faces are found unless it is
      said otherwise.
  """
  name: str
  list_clips: Callable[[str, files_lib.Files], Iterable[clip_files.Clip]]
  make_command: str
  open_share: float = OPEN_SHARE
  min_frames_per_speaker: int = 0
  has_voices: bool = True


def get(name: str) -> DatasetSpec:
  """Loads `datasets/<name>.py`.

  Raises:
    ConfigError: If there is no such dataset.
  """
  here = pathlib.Path(__file__).parent / 'datasets'
  known = sorted(p.stem for p in here.glob('*.py') if p.stem[0] != '_')
  if name not in known:
    raise config_lib.ConfigError(
        f'unknown dataset {name!r}; known: {", ".join(known)}')
  return importlib.import_module(f'earsr_tf.data.datasets.{name}').SPEC


def name_hash(name: str) -> int:
  """A 160-bit number that depends on the name alone."""
  return int.from_bytes(hashlib.sha1(name.encode()).digest(), 'big')


def is_open(clip: clip_files.Clip, open_share: float = OPEN_SHARE) -> bool:
  """Whether the clip's speaker is kept out of training."""
  if clip.open_set is not None:
    return clip.open_set
  return name_hash(f'open:{clip.speaker}') < open_share * 2**160


def assign_splits(
    clips: Iterable[clip_files.Clip],
    open_share: float = OPEN_SHARE) -> list[tuple[str, clip_files.Clip]]:
  """Gives each clip of ONE speaker its split, by the hash of its video.

  Closed speakers: the video with the smallest hash goes to `d_pre`, the
  largest to `closed_test`, the others to `d_pre` or `d_rest` by hash; a lone
  video to `d_pre`. Open speakers: smallest to `open_gallery`, largest to
  `open_test`, the others by hash; a lone video to `open_test`. Adding a clip
  moves no other clip, but for these two videos.

  Args:
    clips: All clips of one speaker.
    open_share: Share of speakers that are open where the clips do not say.

  Returns:
    (split, clip) pairs, sorted by split and key.

  Raises:
    ValueError: If the clips are of several speakers, contradict each other
      about `open_set`, or repeat a name.
  """
  clips = sorted(clips, key=lambda c: c.key)
  if len({(c.speaker, c.open_set) for c in clips}) > 1:
    raise ValueError(
        f'clips of one speaker with one open_set expected, at {clips[0].key}')
  for one, two in zip(clips, clips[1:]):
    if one.key == two.key:
      raise ValueError(f'two clips are called {one.key}: {one.frames} and '
                       f'{two.frames}; rename one')
  videos = sorted({c.video for c in clips}, key=lambda v: _video_hash(clips, v))
  opened = bool(clips) and is_open(clips[0], open_share)
  first, last, rest = (
      ('open_gallery', 'open_test', ('open_gallery', 'open_test'))
      if opened else ('d_pre', 'closed_test', ('d_pre', 'd_rest')))
  split = {v: rest[_video_hash(clips, v) % 2] for v in videos}
  if len(videos) == 1:
    split[videos[0]] = 'open_test' if opened else 'd_pre'
  elif videos:
    split[videos[0]], split[videos[-1]] = first, last
  return sorted(
      ((split[c.video], c) for c in clips), key=lambda x: (x[0], x[1].key))


def _video_hash(clips: list[clip_files.Clip], video: str) -> int:
  """Hash of a video of the (one) speaker of `clips`."""
  return name_hash(f'video:{clips[0].speaker}/{video}')
