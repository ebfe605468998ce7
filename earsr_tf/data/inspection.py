"""Everything that can be said about one shard: checksums, framing, records.

TensorFlow reads the TFRecord framing, whose CRCs cover every byte; pictures
and sounds are looked at with Pillow and `wave`, because a shard may come from
anywhere.
"""

from __future__ import annotations

import dataclasses
import io
import math
import os
from typing import Callable, Iterator
import wave

from google.protobuf import message
from PIL import Image
import tensorflow as tf

from earsr_tf import durable
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import records
from earsr_tf.data import stream
from earsr_tf.media import reader

_WAV_HEADER_BYTES = 44  # of ours; a voice is cut without parsing it


@dataclasses.dataclass(frozen=True)
class Report:
  """What a shard holds and what is wrong with it.

  Attributes:
    file: Its name in the folder.
    split: The split that the manifest puts it in.
    clips: (speaker, video, clip) per record that parses, in order.
    numbers: Record number of each of `clips`, counted from 0.
    problems: Sentences; each names the shard and, if it is about one, the
      record.
  """
  file: str
  split: str
  clips: tuple[tuple[str, str, str], ...]
  numbers: tuple[int, ...]
  problems: tuple[str, ...]


def inspect(
    manifest: manifest_lib.Manifest, split: str, shard: manifest_lib.Shard, *,
    advance: Callable[[int], None] = lambda size: None) -> Report:
  """Checks one shard against the manifest, and every record in it.

  Args:
    manifest: The data it belongs to.
    split: The split that it stands under.
    shard: The shard.
    advance: Told the bytes of every record that was looked at.

  Returns:
    What was found; never raises for what the files hold.
  """
  path = os.path.join(manifest.data_dir, shard.file)
  problems, clips, numbers = list(_file_problems(path, shard)), [], []
  count = 0
  if os.path.isfile(path):
    for number, serialized in enumerate(_read(path, problems)):
      count += 1
      advance(len(serialized))
      try:
        record = records.decode(serialized)
      except (message.DecodeError, IndexError, UnicodeDecodeError):
        problems.append(f'record {number} does not parse as a clip')
        continue
      clips.append((record.speaker, record.video, record.clip))
      numbers.append(number)
      problems += (f'record {number} ({"/".join(clips[-1])}): {problem}'
                   for problem in record_problems(record, split, manifest))
  if count != shard.records:
    problems.append(
        f'{count} whole records, the manifest says {shard.records}')
  return Report(
      shard.file, split, tuple(clips), tuple(numbers),
      tuple(f'{shard.file}: {problem}' for problem in problems))


def _file_problems(path: str, shard: manifest_lib.Shard) -> Iterator[str]:
  """Size and checksum."""
  try:
    size, found = os.stat(path).st_size, durable.sha256(path)
  except OSError as e:
    yield f'cannot be read ({e.strerror})'
    return
  if size != shard.bytes:
    yield f'has {size} bytes, the manifest says {shard.bytes}'
  if found != shard.sha256:
    yield (f'has sha256 {found[:12]}..., the manifest says '
           f'{shard.sha256[:12]}...')


def _read(path: str, problems: list[str]) -> Iterator[bytes]:
  """Records up to the first that is damaged, which becomes a problem.

  The CRCs cover lengths as well: behind a damaged record nothing says where
  the next one begins.
  """
  number = 0
  try:
    for serialized in tf.data.TFRecordDataset(
        path, buffer_size=stream.READ_BYTES).as_numpy_iterator():
      yield serialized
      number += 1
  except tf.errors.OpError as e:
    kind = 'is cut off' if 'truncated' in str(e) else 'is damaged (CRC)'
    problems.append(f'record {number} {kind}; the rest cannot be read')


def record_problems(
    record: records.ClipRecord, split: str, manifest: manifest_lib.Manifest
) -> Iterator[str]:
  """Yields what is wrong with a record by itself."""
  if record.split != split:
    yield f'is of split {record.split!r}, the shard is of {split!r}'
  for name in ('speaker', 'video', 'clip'):
    value = getattr(record, name)
    if not value or '/' in value:
      yield f'{value!r} is no name of a {name}'
  if record.gender not in (-1, 0, 1):
    yield f'gender is {record.gender}, not 0, 1 or -1'
  if not (math.isnan(record.age) or 0 <= record.age <= 130):
    yield f'age is {record.age}'
  if not 1 <= len(record.frames) <= manifest.frames_per_clip:
    yield (f'has {len(record.frames)} frames, not 1 to '
           f'{manifest.frames_per_clip}')
  for number, frame in enumerate(record.frames):
    problem = _frame_problem(frame, manifest.image_size)
    if problem:
      yield f'frame {number} {problem}'
  problem = (_voice_problem(record.voice) if manifest.has_voices
             else 'is there, and the manifest says that there are none'
             if record.voice else '')
  if problem:
    yield f'voice {problem}'


def _frame_problem(frame: bytes, size: int) -> str:
  """What is wrong with a stored frame; '' if nothing is."""
  try:
    with Image.open(io.BytesIO(frame), formats=['PNG']) as image:
      if image.size != (size, size) or image.mode != 'RGB':
        return (f'is {image.width} x {image.height} {image.mode}, not '
                f'{size} x {size} RGB')
      image.load()
  except Exception:  # noqa: BLE001
    return 'is no whole PNG'  # Pillow raises a dozen types
  return ''


def _voice_problem(voice: bytes) -> str:
  """What is wrong with a stored voice; '' if nothing is."""
  try:
    with wave.open(io.BytesIO(voice)) as file:
      form = (file.getframerate(), file.getnchannels(), file.getsampwidth())
      samples = file.getnframes()
  except (wave.Error, EOFError):
    return 'is no WAV file'
  if form != (reader.SAMPLE_RATE_HZ, 1, 2):
    return (f'has {form[0]} Hz, {form[1]} channels, {8 * form[2]} bits, not '
            '16000 Hz, 1 channel, 16 bits')
  if len(voice) != _WAV_HEADER_BYTES + 2 * samples:
    return f'has {len(voice)} bytes for {samples} samples'
  if samples < reader.MIN_SECONDS * reader.SAMPLE_RATE_HZ:
    seconds = samples / reader.SAMPLE_RATE_HZ
    return f'has {seconds:.2f} s, at least 1 s is needed'
  return ''
