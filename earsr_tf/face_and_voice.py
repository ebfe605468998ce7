"""A person's face and voice, from files or arrays, as the model takes them.

What a file and the array in it give is the same. Imports no TensorFlow until a
picture is reduced: what is unusable is refused at once.
"""

from __future__ import annotations

import os
import pathlib
import tempfile
from typing import Any, Callable

import numpy as np

from earsr_tf import cli
from earsr_tf.media import reader
from earsr_tf.media import voice_segment
from earsr_tf.media.picture import MAX_PIXELS
from earsr_tf.media.picture import MAX_SIDE

# A file, or [H, W, 3] uint8 RGB.
Picture = str | os.PathLike[str] | np.ndarray
# A file with sound, or [n] int16, or [n] floating point in [-1, 1]; mono.
Sound = str | os.PathLike[str] | np.ndarray
Notice = Callable[[str], None]

TRAINING, AS_IS = 'training', 'as_is'
LOUDNESS = (TRAINING, AS_IS)
SEGMENT_SAMPLES = voice_segment.SEGMENT_SAMPLES
_LONGEST_OFFSET_S = 600.0
_SEARCHED_S = 300.0  # from the beginning, for the loudest 4 s
_NOTABLE_GAIN_DB = 6.0  # microphones differ by less
_RATES_HZ = (4_000, 384_000)
_HIGHEST_LEVEL = 2.0  # a resampler may overshoot 1.0 a little


def read_picture(picture: Picture, name: str = 'image') -> np.ndarray:
  """Reads a picture or checks one in memory.

  Args:
    picture: File as `media.picture` reads it, or [H, W, 3] uint8.
    name: What an array is called in errors.

  Returns:
    [H, W, 3] uint8 RGB.

  Raises:
    MediaError: If the file is no usable picture.
    InputError: If the array is not one of a picture.
  """
  if not isinstance(picture, np.ndarray):
    return reader.read_image(picture)
  if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
    raise cli.InputError(
        f'{name}: is {_describe(picture)}; give a file or [height, width, 3] '
        'uint8', cli.USAGE)
  height, width = picture.shape[:2]
  if not 1 <= min(height, width) <= max(height, width) <= MAX_SIDE or (
      height * width > MAX_PIXELS):
    raise cli.InputError(
        f'{name}: is {width} x {height} pixels; give 1 to {MAX_SIDE} a side, '
        f'{MAX_PIXELS // 10**6} million at most', cli.BAD_DATA)
  return picture


def reduction(path: str | os.PathLike[str], picture: np.ndarray) -> float:
  """By what factor a file has more pixels a side than what was read of it."""
  longest = max(reader.image_size(path))
  return longest / max(picture.shape[:2])


def reduce_picture(
    picture: np.ndarray, low_size: int, high_size: int, notice: Notice, *,
    name: str = 'image', stretch: bool = False) -> np.ndarray:
  """Makes the model's small input from a picture of any size.

  Args:
    picture: [H, W, 3] uint8.
    low_size: Side of the model's input.
    high_size: Side of the model's output.
    notice: Told when the picture is cut or very small.
    name: What the picture is called in notices.
    stretch: Whether the model was trained on stretched contrast.

  Returns:
    [low_size, low_size, 3] uint8.
  """
  height, width = picture.shape[:2]
  if (height, width) == (low_size, low_size):
    return picture
  side = min(height, width)
  if height != width:
    notice(f'{name}: has {width}x{height} pixels; the square in its centre, '
           f'{side}x{side}, is used')
  if side < low_size:
    notice(f'{name}: has fewer than {low_size}x{low_size} pixels and is '
           'enlarged')
  # The road of a training picture: centre square, output size, degradation.
  square = reader.centre_square(picture, high_size)
  from earsr_tf.evaluation import metrics
  return metrics.degrade_uint8(
      square[np.newaxis], low_size, stretch=stretch)[0]


def read_voice(
    sound: Sound, offset: float | None, notice: Notice, *,
    sample_rate_hz: int = reader.SAMPLE_RATE_HZ, name: str = 'audio',
    loudness: str = TRAINING) -> np.ndarray:
  """Reads the 4 s of voice that the model hears.

  Args:
    sound: Sound or video file, or [n] int16 or floating point in [-1, 1].
    offset: Where the 4 s begin, in seconds; None takes the 4 s with the most
      energy of the first five minutes.
    notice: Told when the voice is repeated, cut, or made much louder or
      quieter, and when one channel is taken because two cancel.
    sample_rate_hz: Of an array; a file knows its own.
    name: What an array is called in errors and notices.
    loudness: 'training' brings it into the training data's range of loudness
      (see `voice_segment`), 'as_is' leaves it, as the paper does.

  Returns:
    [64000] float32 in [-1, 1], 16 kHz mono.

  Raises:
    MediaError: If the file is no usable sound.
    InputError: If less than one second is left, it is silent, or the array
      is not one of a sound.
  """
  check_voice_options(offset, loudness)
  # One second more than used tells whether something is left out.
  most = _SEARCHED_S if offset is None else (
      offset + SEGMENT_SAMPLES / reader.SAMPLE_RATE_HZ + 1.0)
  if isinstance(sound, np.ndarray):
    levels = _array_levels(sound, sample_rate_hz, most, name)
  else:
    name = os.fspath(sound)
    levels = _to_float(
        reader.read_audio(sound, max_seconds=most, notice=notice))
  start = (voice_segment.loudest_start(levels) if offset is None
           else round(offset * reader.SAMPLE_RATE_HZ))
  if offset is None and levels.size > SEGMENT_SAMPLES:
    notice(f'{name}: is longer than 4 s; the loudest 4 s, from '
           f'{start / reader.SAMPLE_RATE_HZ:g} s on, are used (--offset '
           'chooses others)')
  segment = _segment(levels[start:], offset, notice, name)
  if loudness == TRAINING:
    segment, gain_db = voice_segment.to_training_level(segment)
    if abs(gain_db) >= _NOTABLE_GAIN_DB:
      notice(f'{name}: is {"quieter" if gain_db > 0 else "louder"} than the '
             f'voices of the training and is changed by {gain_db:+.0f} dB '
             '(--loudness=as_is leaves it)')
  return np.resize(segment, SEGMENT_SAMPLES)


def check_voice_options(offset: float | None, loudness: str) -> None:
  """Raises InputError unless both are as `read_voice` takes them."""
  if offset is not None and not 0.0 <= offset <= _LONGEST_OFFSET_S:
    raise cli.InputError(
        f'--offset={offset}: must lie between 0 and {_LONGEST_OFFSET_S:.0f} '
        'seconds', cli.USAGE)
  if loudness not in LOUDNESS:
    raise cli.InputError(
        f'--loudness={loudness}: must be one of {", ".join(LOUDNESS)}',
        cli.USAGE)


def _segment(levels: np.ndarray, offset: float | None, notice: Notice,
             name: str) -> np.ndarray:
  """At most 4 s of [n] float32; refuses what cannot be a voice."""
  seconds = len(levels) / reader.SAMPLE_RATE_HZ
  place = '' if offset is None else f' from {offset:g} s on'
  if seconds < reader.MIN_SECONDS:
    raise cli.InputError(
        f'{name}: has {seconds:.2f} s of sound{place}; at least one second is '
        'needed', cli.BAD_DATA)
  if offset is not None and len(levels) > SEGMENT_SAMPLES:
    notice(f'{name}: is longer than 4 s; the 4 s from {offset:g} s on are '
           'used (--offset chooses others)')
  levels = levels[:SEGMENT_SAMPLES]
  peak = np.abs(levels - levels.mean(dtype=np.float64)).max()
  if peak * 32768.0 < reader.SILENCE_PEAK:
    raise cli.InputError(
        f'{name}: is silent{place}; give a recording of the person\'s voice'
        + (', or another --offset' if place else ''), cli.BAD_DATA)
  if len(levels) < SEGMENT_SAMPLES:
    notice(f'{name}: has {seconds:.2f} s of sound, repeated to fill 4 s')
  return levels


def _array_levels(sound: np.ndarray, rate_hz: int, most_s: float,
                  name: str) -> np.ndarray:
  """[n] float32 at 16 kHz of a sound in memory, at most `most_s` seconds."""
  is_float = np.issubdtype(sound.dtype, np.floating)
  if sound.ndim != 1 or not (is_float or sound.dtype == np.int16):
    raise cli.InputError(
        f'{name}: is {_describe(sound)}; give a file, or [samples] int16 or '
        'floating point in [-1, 1], one channel', cli.USAGE)
  if not _RATES_HZ[0] <= rate_hz <= _RATES_HZ[1]:
    raise cli.InputError(
        f'sample_rate_hz={rate_hz}: must lie between {_RATES_HZ[0]} and '
        f'{_RATES_HZ[1]}', cli.USAGE)
  sound = sound[:int(np.ceil(most_s * rate_hz))]
  if is_float:
    # Also true for NaN.
    if sound.size and not np.abs(sound).max() <= _HIGHEST_LEVEL:
      raise cli.InputError(
          f'{name}: has samples beyond [-1, 1] or that are no numbers; give '
          'int16, or divide by the largest', cli.BAD_DATA)
    sound = np.clip(sound, -1.0, 1.0).astype(np.float32)
  if rate_hz == reader.SAMPLE_RATE_HZ or not sound.size:
    return sound if is_float else _to_float(sound)
  if is_float:
    sound = np.clip(np.round(sound * 32768.0), -32768, 32767).astype(np.int16)
  return _resample(sound, rate_hz, most_s)


def _resample(samples: np.ndarray, rate_hz: int, most_s: float) -> np.ndarray:
  """[n] int16 -> [m] float32 at 16 kHz, as the same sound in a file."""
  with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, 'sound.wav')
    path.write_bytes(reader.encode_wav(samples, int(rate_hz)))
    return _to_float(reader.read_audio(path, max_seconds=most_s))


def _to_float(samples: np.ndarray) -> np.ndarray:
  """int16 -> float32 in [-1, 1)."""
  return samples.astype(np.float32) / np.float32(32768.0)


def _describe(array: np.ndarray) -> str:
  """Shape and type of an array, such as '[8, 8] float64'."""
  return f'{list(array.shape)} {array.dtype}'


def is_several(value: Any, ndim: int) -> bool:
  """Whether a value is a list of items, or an array of arrays of `ndim`."""
  if isinstance(value, np.ndarray):
    return value.ndim == ndim + 1
  return not isinstance(value, (str, os.PathLike))


def listed(value: Any, ndim: int, name: str) -> list[tuple[str, Any]]:
  """(name, item) of one or several; a file is called by its path."""
  items, several = [value], is_several(value, ndim)
  if several:
    try:
      items = list(value)
    except TypeError:
      raise cli.InputError(
          f'{name}: is of type {type(value).__name__}; give a file, an array, '
          'or a list of these', cli.USAGE) from None
  named = []
  for number, item in enumerate(items):
    if isinstance(item, (str, os.PathLike)):
      named.append((os.fspath(item), item))
    elif isinstance(item, np.ndarray):
      named.append((f'{name}[{number}]' if several else name, item))
    else:
      raise cli.InputError(
          f'{name}[{number}]: is of type {type(item).__name__}; give a file or '
          'a NumPy array', cli.USAGE)
  return named


def common_length(faces: int, voices: int) -> int:
  """How many results there are; one beside several goes with all."""
  if not faces or not voices:
    raise cli.InputError(
        f'there are {faces} faces and {voices} voices; give at least one of '
        'each', cli.USAGE)
  if faces != voices and 1 not in (faces, voices):
    raise cli.InputError(
        f'there are {faces} faces and {voices} voices; give as many of '
        'each, or a single one', cli.USAGE)
  return max(faces, voices)
