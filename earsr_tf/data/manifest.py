"""The manifest of prepared data: what is there, how much, and is it whole.

`manifest.json` is written last, so a folder that has one is finished. This
module needs no TensorFlow: tools answer at once.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
from typing import Any, Mapping, Sequence

from earsr_tf import durable

FORMAT = 1
FILE_NAME = 'manifest.json'
REJECTS_NAME = 'rejects-{split}.jsonl'
SPLITS = ('d_pre', 'd_rest', 'closed_test', 'open_gallery', 'open_test')
TRAINING_SPLITS = ('d_pre', 'd_rest')  # together: the paper's D


class DataError(ValueError):
  """Prepared data or a data folder is unusable; says which file and why.

  Attributes:
    exit_code: What a command ends with: 65, bad data.
  """
  exit_code = 65


class MissingDataError(DataError):
  """Data that should be there is not.

  Attributes:
    exit_code: What a command ends with: 66, missing input.
  """
  exit_code = 66


@dataclasses.dataclass(frozen=True)
class Shard:
  """One TFRecord file: its name in the folder, records, bytes and sha256."""
  file: str
  records: int
  bytes: int
  sha256: str


@dataclasses.dataclass(frozen=True)
class Manifest:
  """A finished folder of shards.

  Attributes:
    data_dir: The folder.
    dataset: Name of the dataset it was made from.
    preprocess: Fingerprint 'sha1:...' of the settings that shaped the bytes.
    image_size: Side of the stored frames in pixels.
    frames_per_clip: Frames stored of a clip, at most.
    splits: Split name -> its shards in order; splits may be empty.
    speakers: Split name -> names of its speakers, sorted.
    all_speakers: Names of all speakers, sorted; `keys.SPEAKER` indexes it.
    rejected: Clips refused; rejects-*.jsonl say why.
    sha256: Of manifest.json itself: names this very data.
    videos: Split name -> '<speaker>/<video>' of its videos, sorted; empty if
      the data were made before manifests had them.
    has_voices: Whether the records have voices; still pictures have none.
  """
  data_dir: str
  dataset: str
  preprocess: str
  image_size: int
  frames_per_clip: int
  splits: Mapping[str, tuple[Shard, ...]]
  speakers: Mapping[str, tuple[str, ...]]
  all_speakers: tuple[str, ...]
  rejected: int
  sha256: str
  videos: Mapping[str, tuple[str, ...]] = dataclasses.field(
      default_factory=dict)
  has_voices: bool = True

  def check_voices(self, purpose: str) -> None:
    """Refuses still pictures where somebody must be heard.

    Args:
      purpose: What needs voices; begins the sentence.

    Raises:
      DataError: If the records have no voices.
    """
    if not self.has_voices:
      raise DataError(
          f'{purpose} needs voices, and {self.data_dir} holds faces without '
          f'them (dataset {self.dataset}); give a folder of faces with voices, '
          'such as one made with --dataset=pairs or --dataset=voxceleb2')

  def shards(self, splits: Sequence[str]) -> tuple[Shard, ...]:
    """Shards of these splits, in order.

    Raises:
      DataError: If a split is unknown or all of them are empty.
    """
    for name in splits:
      if name not in self.splits:
        raise DataError(
            f'unknown split {name!r}; the splits are {", ".join(SPLITS)}')
    found = tuple(s for name in splits for s in self.splits[name])
    if not found:
      raise DataError(
          f'{self.data_dir}: no records in {" + ".join(splits)}; prepare more '
          'speakers or videos')
    return found


def read_manifest(
    data_dir: str, make_command: str = '', *,
    check_sizes: bool = True) -> Manifest:
  """Reads and checks manifest.json: every shard there, with its stated size.

  Args:
    data_dir: Folder of shards.
    make_command: What to type to obtain the data, for the error message.
    check_sizes: False leaves the shards alone: to name all that is damaged.

  Raises:
    MissingDataError: If the folder holds no finished data.
    DataError: If the manifest or a shard is damaged.
  """
  remedy = make_command.format(data_dir=data_dir) or (
      f'python -m tools.prepare_voxceleb2 --input=TREE --output={data_dir}')
  path = pathlib.Path(data_dir) / FILE_NAME
  try:
    raw = path.read_bytes()
  except (FileNotFoundError, NotADirectoryError):
    raise MissingDataError(
        f'{data_dir}: no finished data here ({FILE_NAME} is missing); make it '
        f'with: {remedy}') from None
  except OSError as e:
    raise DataError(f'{path}: cannot be read ({e.strerror})') from None
  again = f'prepare again with: {remedy} (add --overwrite to the last command)'
  try:
    manifest = parse(data_dir, raw)
  except (ValueError, KeyError, TypeError, AttributeError):
    raise DataError(
        f'{path}: not a manifest of format {FORMAT}; {again}') from None
  for shard in manifest.shards(SPLITS) if check_sizes else ():
    _check_size(pathlib.Path(data_dir) / shard.file, shard.bytes, again)
  return manifest


def write_manifest(data_dir: str, content: Mapping[str, Any]) -> None:
  """Writes manifest.json by temporary name and rename; call it last."""
  durable.write(pathlib.Path(data_dir) / FILE_NAME, encode(content))


def encode(content: Mapping[str, Any]) -> bytes:
  """The bytes of manifest.json."""
  text = json.dumps({'format': FORMAT, **content}, indent=1, sort_keys=True)
  return f'{text}\n'.encode()


def read_rejects(data_dir: str) -> list[dict[str, str]]:
  """The clips that were refused: rows with `clip`, `file` and `reason`.

  Raises:
    DataError: If a file of rejects is damaged.
  """
  rows = []
  for path in sorted(pathlib.Path(data_dir).glob('rejects*.jsonl')):
    try:
      rows += [json.loads(x) for x in path.read_text('utf-8').splitlines()]
    except (OSError, ValueError) as e:
      raise DataError(
          f'{path}: is damaged ({e}); remove it or prepare again') from None
  return rows


def parse(data_dir: str, raw: bytes) -> Manifest:
  """Turns manifest bytes into a Manifest.

  Raises:
    ValueError, KeyError, TypeError, AttributeError: If they are none.
  """
  content = json.loads(raw)
  if content['format'] != FORMAT:
    raise ValueError('format')
  splits = {name: () for name in SPLITS}
  for name, shards in content['splits'].items():
    splits[name] = tuple(
        Shard(str(s['file']), int(s['records']), int(s['bytes']),
              str(s['sha256'])) for s in shards)
    for shard in splits[name]:
      if shard.file != os.path.basename(shard.file) or shard.records < 1:
        raise ValueError('shard')
  return Manifest(
      data_dir=str(data_dir),
      dataset=str(content['dataset']),
      preprocess=str(content['preprocess']),
      image_size=int(content['image_size']),
      frames_per_clip=int(content['frames_per_clip']),
      splits=splits,
      speakers={k: tuple(v) for k, v in content['speakers'].items()},
      all_speakers=tuple(content['all_speakers']),
      rejected=int(content['rejected']),
      sha256=hashlib.sha256(raw).hexdigest(),
      videos={k: tuple(v) for k, v in content.get('videos', {}).items()},
      has_voices=bool(content.get('has_voices', True)))


def _check_size(path: pathlib.Path, size: int, remedy: str) -> None:
  """Raises DataError unless `path` is a file of `size` bytes."""
  try:
    found = path.stat().st_size
  except OSError:
    raise DataError(f'{path}: shard is missing; {remedy}') from None
  if found != size:
    raise DataError(
        f'{path}: shard has {found} bytes, its manifest says {size}; {remedy}')
