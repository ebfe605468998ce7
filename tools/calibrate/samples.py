"""Reads prepared data into arrays: small pictures, voices, who it is.

One row per stored frame, and one per voice. Pictures are reduced with
Pillow's bicubic filter, as the 8x8 inputs are (paper section 4.2).
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import math
import os
from typing import Iterator

import numpy as np
from PIL import Image
import tensorflow as tf

from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import records
from earsr_tf.data import stream

TRAIN, CLOSED, OPEN = 'train', 'closed', 'open'
_PARTS = {
    'd_pre': TRAIN, 'd_rest': TRAIN, 'closed_test': CLOSED,
    'open_gallery': OPEN, 'open_test': OPEN}
SIZES = (8, 16, 64, 128)  # pixels a side
BANDS = 64
_RATE_HZ, _SECONDS = 16_000, 4
_WINDOW = 640  # 40 ms, half overlapping
_WAV_HEADER_BYTES = 44  # of our own records


@dataclasses.dataclass(frozen=True)
class Labels:
  """Who is in each row; all [n].

  Attributes:
    part: TRAIN, CLOSED or OPEN.
    speaker: Name.
    video: '<speaker>/<video>'.
    gender: 0 female, 1 male, -1 unknown.
  """
  part: np.ndarray
  speaker: np.ndarray
  video: np.ndarray
  gender: np.ndarray


@dataclasses.dataclass(frozen=True)
class Samples:
  """What was read.

  Attributes:
    pictures: Of each size [n, size, size, 3] uint8.
    of_pictures: Whose the pictures are.
    spectra: [m, 199, 64] float32, log energies in dB of 4 s.
    of_voices: Whose the voices are.
  """
  pictures: dict[int, np.ndarray]
  of_pictures: Labels
  spectra: np.ndarray
  of_voices: Labels


def read(
    manifest: manifest_lib.Manifest, *, max_people: int,
    frames_per_clip: int) -> Samples:
  """Reads all splits.

  Args:
    manifest: The data.
    max_people: Of the training people and of the others, at most so many each;
      which ones follows from a hash of their names.
    frames_per_clip: At most so many frames of a clip, spread evenly.

  Raises:
    DataError: If a shard is missing or damaged.
  """
  kept = {
      part: _chosen(manifest, part, max_people) for part in (TRAIN, OPEN)}
  kept[CLOSED] = kept[TRAIN]
  pictures: dict[int, list[np.ndarray]] = {size: [] for size in SIZES}
  spectra, of_pictures, of_voices = [], [], []
  for part, record in _records(manifest):
    if record.speaker not in kept[part]:
      continue
    row = (part, record.speaker, f'{record.speaker}/{record.video}',
           record.gender)
    count = min(frames_per_clip, len(record.frames))
    for place in np.linspace(0, len(record.frames) - 1, count).round():
      _add_picture(pictures, record.frames[int(place)])
      of_pictures.append(row)
    spectra.append(spectrum(record.voice))
    of_voices.append(row)
  if not spectra:
    raise manifest_lib.DataError(f'{manifest.data_dir}: there are no clips')
  return Samples(
      {size: np.stack(rows) for size, rows in pictures.items()},
      _labels(of_pictures), np.stack(spectra), _labels(of_voices))


def _records(
    manifest: manifest_lib.Manifest
) -> Iterator[tuple[str, records.ClipRecord]]:
  """Yields every record with the part of the data that it belongs to."""
  with stream.explained(manifest.data_dir):
    for split, part in _PARTS.items():
      for shard in manifest.splits.get(split, ()):
        path = os.path.join(manifest.data_dir, shard.file)
        for serialized in tf.data.TFRecordDataset(
            path, buffer_size=stream.READ_BYTES).as_numpy_iterator():
          yield part, records.decode(serialized)


def _chosen(
    manifest: manifest_lib.Manifest, part: str, count: int) -> set[str]:
  """Names of at most `count` people of a part."""
  names = {
      name for split, of in _PARTS.items() if of == part
      for name in manifest.speakers.get(split, ())}
  return set(sorted(names, key=lambda name: hashlib.sha256(
      name.encode()).digest())[:count])


def _add_picture(
    pictures: dict[int, list[np.ndarray]], encoded: bytes) -> None:
  """Decodes a frame and adds it in all sizes."""
  with Image.open(io.BytesIO(encoded), formats=['PNG']) as image:
    frame = image.convert('RGB')
  for size, rows in pictures.items():
    rows.append(np.asarray(
        frame if frame.width == size else frame.resize(
            (size, size), Image.Resampling.BICUBIC)))


def spectrum(voice: bytes) -> np.ndarray:
  """The middle 4 s of a voice as log energies.

  Args:
    voice: A WAV file of ours, 16 kHz mono; one that is shorter than 4 s is
      repeated.

  Returns:
    [199, 64] float32, dB in bands as wide as the ear's, floored at -80 dB.
  """
  wave = np.frombuffer(voice[_WAV_HEADER_BYTES:], '<i2').astype(
      np.float32) / 32768
  length = _RATE_HZ * _SECONDS
  wave = np.tile(wave, math.ceil(length / max(wave.size, 1)))
  start = (wave.size - length) // 2
  frames = np.lib.stride_tricks.sliding_window_view(
      wave[start:start + length], _WINDOW)[::_WINDOW // 2]
  power = np.abs(np.fft.rfft(frames * np.hanning(_WINDOW), 1024)) ** 2
  return (10 * np.log10(power @ _bank() + 1e-8)).astype(np.float32)


def _bank() -> np.ndarray:
  """[513, 64] triangles, evenly spaced in mel up to 7,600 Hz."""
  edges_mel = np.linspace(0, 2595 * np.log10(1 + 7600 / 700), BANDS + 2)
  edges = 700 * (10 ** (edges_mel / 2595) - 1) * (1024 / _RATE_HZ)
  bins = np.arange(513)[:, None]
  # The lowest triangles would fall between two bins.
  rise = (bins - edges[:-2]) / np.maximum(edges[1:-1] - edges[:-2], 1.0)
  fall = (edges[2:] - bins) / np.maximum(edges[2:] - edges[1:-1], 1.0)
  return np.clip(np.minimum(rise, fall), 0, None)


def statistics(spectra: np.ndarray) -> np.ndarray:
  """[m, 199, 64] log energies to [m, 128]: means and deviations over time."""
  return np.concatenate([spectra.mean(1), spectra.std(1)], 1)


def _labels(rows: list[tuple[str, str, str, int]]) -> Labels:
  """Columns of the rows."""
  part, speaker, video, gender = zip(*rows)
  return Labels(np.array(part), np.array(speaker), np.array(video),
                np.array(gender, np.int32))
