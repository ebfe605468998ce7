"""A complete run folder with random weights, and tiny prepared data.

Both are made without training and without media files, in seconds.
"""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
from typing import Sequence

import numpy as np
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.data import manifest
from earsr_tf.data import records
from earsr_tf.media import reader
from earsr_tf.stages import networks as networks_lib
from earsr_tf.training import checkpoints
from tests import testing

# (speaker, gender, age, splits that hold a clip of the speaker)
PEOPLE = (
    ('id0', 0, 30.0, ('d_pre', 'closed_test')),
    ('id1', 1, 40.0, ('d_pre', 'closed_test')),
    ('id2', 0, 50.0, ('open_gallery', 'open_test')),
    ('id3', 1, 60.0, ('open_gallery', 'open_test')))


def write_data(folder: pathlib.Path,
               people: Sequence[tuple] = PEOPLE) -> str:
  """Writes one clip of 2 frames per person and split.

  Args:
    folder: Folder to fill.
    people: Entries like those of `PEOPLE`.

  Returns:
    The folder.
  """
  folder.mkdir(parents=True, exist_ok=True)
  random = np.random.default_rng(0)
  shards = {}
  for split in manifest.SPLITS:
    clips = [_clip(person, split, random)
             for person in people if split in person[3]]
    shards[split] = []
    if clips:
      path = folder / f'{split}-00000-of-00001.tfrecord'
      with tf.io.TFRecordWriter(str(path)) as writer:
        for clip in clips:
          writer.write(clip)
      shards[split] = [{
          'file': path.name, 'records': len(clips),
          'bytes': path.stat().st_size,
          'sha256': hashlib.sha256(path.read_bytes()).hexdigest()}]
  manifest.write_manifest(str(folder), {
      'dataset': 'synthetic', 'preprocess': 'sha1:0', 'image_size': 128,
      'frames_per_clip': 2,
      'splits': shards, 'rejected': 0,
      'speakers': {split: [person[0] for person in people
                           if split in person[3]]
                   for split in manifest.SPLITS},
      'all_speakers': [person[0] for person in people]})
  return str(folder)


def write_run(run_root: pathlib.Path, *, without: tuple[str, ...] = ()) -> str:
  """Writes finished stages with random weights; returns the run folder.

  Args:
    run_root: Folder to fill.
    without: Stages that are left out.

  Returns:
    The folder.
  """
  config = testing.tiny_config(
      attributes=dataclasses.replace(
          testing.tiny_config().attributes, num_speakers=len(PEOPLE)))
  tf.random.set_seed(3)
  for stage, networks in _networks(config.model).items():
    if stage not in without:
      checkpoints.save_networks(
          str(run_root), stage, {
              name: build() for name, build in networks.items()}, config)
  return str(run_root)


def _networks(m: config_lib.ModelConfig):
  generator = lambda: _shaken(networks_lib.generator(m))
  image_encoder = lambda: _shaken(networks_lib.image_encoder(m))
  audio_encoder = lambda: _shaken(networks_lib.audio_encoder(m))
  return {
      'generator': {'generator_ema': generator},
      'invert': {'image_encoder': image_encoder},
      'finetune': {'image_encoder': image_encoder, 'generator': generator},
      'low_res': {'low_res_encoder': lambda: _shaken(
          networks_lib.low_res_encoder(m))},
      'audio': {'audio_encoder': audio_encoder},
      'fusion': {'fusion': lambda: _shaken(networks_lib.fusion(m)),
                 'audio_encoder': audio_encoder},
      'attributes': {
          'classifier': lambda: networks_lib.classifier(m, len(PEOPLE))}}


def _shaken(network: tf.keras.Model) -> tf.keras.Model:
  """Moves zero-initialised weights, so that inputs change what comes out."""
  random = np.random.default_rng(1)
  for variable in network.variables:
    if not np.any(variable.numpy()):
      scale = np.prod(variable.shape[:-1]) ** -0.5
      variable.assign(scale * random.normal(size=variable.shape))
  return network


def _clip(person: tuple, split: str, random: np.random.Generator) -> bytes:
  """A record with two noisy gradients as frames and a hum as voice."""
  speaker, gender, age, _ = person
  frames = []
  for _ in range(2):
    low = random.integers(0, 256, size=(8, 8, 3), dtype=np.uint8)
    frames.append(reader.encode_png(low.repeat(16, axis=0).repeat(16, axis=1)))
  time = np.arange(5 * reader.SAMPLE_RATE_HZ) / reader.SAMPLE_RATE_HZ
  hum = np.sin(2.0 * np.pi * (120.0 + 80.0 * (1 - gender)) * time)
  voice = 8000.0 * hum + 500.0 * random.normal(size=time.size)
  return records.encode(records.ClipRecord(
      speaker=speaker, video=split, clip='00001', split=split, gender=gender,
      age=age, frames=frames,
      voice=reader.encode_wav(voice.astype(np.int16))))
