"""Held-out faces and voices as files, and what the exported model says."""

from __future__ import annotations

import os
import pathlib
import wave

import numpy as np
from PIL import Image

_SETS = {'closed': 'closed_test', 'open': 'open_test'}
_RATE_HZ = 16000


def _write_voice(path: pathlib.Path, waveform: np.ndarray) -> None:
  """Writes [samples] float32 in [-1, 1] as 16-bit mono WAV."""
  with wave.open(str(path), 'wb') as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(_RATE_HZ)
    file.writeframes(
        np.round(np.clip(waveform, -1, 1) * 32767).astype('<i2').tobytes())


def _held_out(
    data_dir: str, split: str, count: int, stretch: bool) -> list[dict]:
  """Returns the inputs of the first `count` clips of different people."""
  from earsr_tf.data import batching
  from earsr_tf.data import keys
  from earsr_tf.evaluation import metrics
  from earsr_tf.ops import pixels
  # A voice is stored as 16-bit samples: what is written here is what is heard.
  dataset = batching.make_eval_dataset(
      data_dir, splits=(split,), batch_size=8,
      inputs=(keys.IMAGE_HIGH, keys.WAVEFORM, keys.CLIP))
  found: dict[str, dict] = {}
  for batch in dataset:
    high = pixels.to_uint8(batch[keys.IMAGE_HIGH]).numpy()
    low = metrics.degrade_uint8(high, high.shape[1] // 16, stretch=stretch)
    for i, clip in enumerate(batch[keys.CLIP].numpy()):
      speaker = clip.decode().partition('/')[0]
      found.setdefault(speaker, {
          'low': low[i], 'high': high[i],
          'voice': batch[keys.WAVEFORM][i].numpy()})
    if len(found) >= count:
      break
  return list(found.values())[:count]


def write(data_dir: str, model_dir: str, output: str, people: int) -> None:
  """Writes inputs, outputs and truths of held-out people.

  Args:
    data_dir: Folder of shards.
    model_dir: Folder of exported versions.
    output: Folder for the files <set>-<number>-<what>.
    people: How many, over both sets.

  Raises:
    DataError: If the data are damaged.
    ExportError: If the model is.
  """
  import tensorflow as tf

  from earsr_tf.data import batching
  from earsr_tf.serving import export_manifest
  from earsr_tf.serving import signatures
  version = export_manifest.newest(model_dir)
  facts = export_manifest.verify(version)
  super_resolve = signatures.load(str(version))
  records = batching.data_info(data_dir).records
  for name, split in _SETS.items():
    if not records.get(split):
      continue
    found = _held_out(data_dir, split, people // 2,
                      facts.get('low_res_stretch', False))
    made = super_resolve(
        image_low=tf.constant(np.stack([s['low'] for s in found])),
        waveform=tf.constant(np.stack([s['voice'] for s in found])))
    for number, sample in enumerate(found):
      base = os.path.join(output, f'{name}-{number}')
      Image.fromarray(sample['low']).save(f'{base}-input.png')
      Image.fromarray(sample['high']).save(f'{base}-truth.png')
      Image.fromarray(made['image_high'][number].numpy()).save(
          f'{base}-output.png')
      _write_voice(pathlib.Path(f'{base}-voice.wav'), sample['voice'])
