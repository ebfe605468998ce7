"""Networks, batches and shards so small that a stage trains in seconds.

Images are noise: what is tested is the machinery, not what it learns.
"""

from __future__ import annotations

import dataclasses
import importlib
import io
import pathlib
import wave

from absl import flags
import numpy as np

from earsr_tf import config as config_lib
from earsr_tf import config_comparators
from earsr_tf import config_judge
from earsr_tf import config_rules
from earsr_tf.config import PhaseConfig

IMAGE_SIZE = 16
NUM_SPEAKERS = 3
_SAMPLES = 64000
_SHORT = (PhaseConfig(16, 4),)


def small_config(**changes: object) -> config_lib.Config:
  """Returns 16x16 output, 4x4 input, the narrowest networks, 4 steps a phase.

  Args:
    **changes: Top-level fields to replace.
  """
  made = config_lib.Config(
      preset='tiny',
      model=config_lib.ModelConfig(
          image_size=IMAGE_SIZE, low_res_size=4, latent_dim=8,
          mapping_layers=2, fmap_base=64, fmap_max=8, noise_gain=0.1,
          rgb_output='skip', stddev_group=2, image_encoder_filters=4,
          image_encoder_max_filters=8, low_res_filters=4,
          low_res_max_filters=8, low_res_hidden=16, low_res_norm='none',
          audio_filters=2, audio_max_filters=4, audio_hidden=16,
          fusion_hidden=16, code_norm='unit', classifier_filters=4),
      optimizer=config_lib.OptimizerConfig(learning_rate=1e-3),
      generator=config_lib.GeneratorConfig(
          phases=(PhaseConfig(16, 4, 8, 0, 1e-3),
                  PhaseConfig(16, 4, 16, 8, 1e-3)),
          r1_interval=2, ema_half_life_kimg=0.001),
      invert=config_lib.InvertConfig(phases=_SHORT, features='discriminator'),
      finetune=config_lib.FinetuneConfig(
          phases=_SHORT, plateau_images=8, plateau_tolerance=0.05),
      low_res=config_lib.LowResConfig(phases=_SHORT),
      audio=config_lib.AudioConfig(phases=_SHORT),
      fusion=config_lib.FusionConfig(phases=_SHORT),
      attributes=config_judge.AttributesConfig(
          phases=_SHORT, num_speakers=NUM_SPEAKERS),
      lapsrn_x4=config_comparators.LapSRNConfig(
          phases=_SHORT, filters=4, depth=2),
      lapsrn=config_comparators.LapSRNConfig(
          phases=_SHORT, filters=4, depth=2),
      wavelet_srnet=config_comparators.WaveletSRNetConfig(
          phases=_SHORT, filters=2, head_filters=2),
      training=config_lib.TrainingConfig(
          log_every=0.0, record_every=1, preview_every=0, save_every=8, keep=2,
          preview_size=2))
  return config_rules.validate(dataclasses.replace(made, **changes))


def linear_config(side: int) -> config_lib.Config:
  """Returns the small configuration with a linear base of a side.

  Its optional terms of Eqs. (2), (3) and (5) have weights.
  """
  made = small_config()
  model = dataclasses.replace(
      made.model, linear_base=side, linear_leading=4, voice_memory=2,
      code_norm='none')
  parts = {
      name: dataclasses.replace(getattr(made, name), start_images=8, **weights)
      for name, weights in (
          ('generator', {}),
          ('audio', {'feature_weight': 1.0, 'stranger_share': 0.5}),
          ('low_res', {'image_weight': 1.0, 'detail_weight': 1.0,
                       'feature_weight': 1.0, 'through_base': True}),
          ('fusion', {'image_weight': 1.0, 'detail_weight': 1.0,
                      'feature_weight': 1.0, 'silent_share': 0.2,
                      'stranger_share': 0.5}))}
  return config_rules.validate(dataclasses.replace(
      made, model=model, finetune=dataclasses.replace(
          made.finetune, detail_weight=1.0), **parts))


def stage(name: str, config: config_lib.Config | None = None):
  """Returns the stage called `name`, of the small configuration."""
  return importlib.import_module(f'earsr_tf.stages.{name}').stage(
      config or small_config())


def batches(batch_size: int, start: int = 0, *, image_size: int = IMAGE_SIZE):
  """Returns endless batches; an image is a function of its index alone."""
  import tensorflow as tf

  from earsr_tf.data import keys

  def make(index):
    seed = tf.random.experimental.stateless_fold_in([3, 4], index)
    return {
        keys.IMAGE_HIGH: tf.random.stateless_uniform(
            [image_size, image_size, 3], seed, -1, 1),
        keys.WAVEFORM: tf.random.stateless_uniform([_SAMPLES], seed, -1, 1),
        keys.SPEAKER: tf.cast(index % NUM_SPEAKERS, tf.int32),
        keys.GENDER: tf.cast(index % 2, tf.int32),
        keys.AGE: 20.0 + tf.cast(index % 50, tf.float32),
        keys.INDEX: index, keys.HELD_OUT: tf.constant(False)}

  return tf.data.Dataset.range(start, 1 << 40).map(make).batch(
      batch_size, drop_remainder=True)


def batch(size: int, start: int = 0, *, image_size: int = IMAGE_SIZE):
  """Returns the first batch of `batches`."""
  return next(iter(batches(size, start, image_size=image_size)))


def clock(resolution: int = IMAGE_SIZE, *, step: int = 0, images: int = 0,
          alpha: float = 1.0, batch_size: int = 4):
  """Returns a `Clock` such as the compiled step makes."""
  import tensorflow as tf

  from earsr_tf.stages import stage as stage_lib
  return stage_lib.Clock(
      step=tf.constant(step, tf.int64), images=tf.constant(images, tf.int64),
      alpha=tf.constant(alpha), seed=tf.constant([1000, step]),
      resolution=resolution, batch_size=batch_size)


def save_inputs(run_root: str, name: str, config: config_lib.Config) -> None:
  """Leaves finished stages with random weights for stage `name` to restore."""
  import tensorflow as tf

  from earsr_tf.training import checkpoints
  made = stage(name, config)
  tf.keras.utils.set_random_seed(7)
  networks = made.build()
  random = np.random.default_rng(7)
  for network in networks.values():  # as if they had been fitted
    for variable in network.variables:
      if not variable.trainable and variable.name != 'w_avg:0':
        variable.assign(0.1 * random.normal(size=variable.shape))
  sources: dict[str, dict[str, tf.keras.Model]] = {}
  for network, source in made.restores.items():
    folder, output = source.split('/')
    sources.setdefault(folder, {}).setdefault(output, networks[network])
  for folder, outputs in sources.items():
    checkpoints.save_networks(run_root, folder, outputs, config)


def write_data(folder: pathlib.Path, *, image_size: int = IMAGE_SIZE,
               dataset: str = 'synthetic', clips: int = 4) -> None:
  """Writes shards and a manifest with a little of every split."""
  from earsr_tf.data import manifest
  folder.mkdir(parents=True)
  splits, speakers = {}, {}
  for number, split in enumerate(manifest.SPLITS):
    names = [f'id{i % NUM_SPEAKERS}' for i in range(clips)]
    if split.startswith('open'):
      names = [f'open{i % 2}' for i in range(clips)]
    speakers[split] = sorted(set(names))
    splits[split] = [_write_shard(
        folder / f'{split}-00000-of-00001.tfrecord', split, names, image_size,
        seed=number)]
  manifest.write_manifest(str(folder), {
      'dataset': dataset, 'preprocess': 'sha1:0', 'image_size': image_size,
      'frames_per_clip': 2, 'splits': splits, 'speakers': speakers,
      'all_speakers': sorted({n for v in speakers.values() for n in v}),
      'rejected': 0})


def _write_shard(path: pathlib.Path, split: str, names: list[str],
                 image_size: int, *, seed: int) -> dict[str, object]:
  import hashlib

  import tensorflow as tf

  from earsr_tf.data import records
  random = np.random.default_rng(seed)
  with tf.io.TFRecordWriter(str(path)) as writer:
    for number, name in enumerate(names):
      writer.write(records.encode(records.ClipRecord(
          speaker=name, video=f'{split}{number}', clip='00001', split=split,
          gender=number % 2, age=30.0,
          frames=[_png(random, image_size) for _ in range(2)],
          voice=_wav(random))))
  content = path.read_bytes()
  return {'file': path.name, 'records': len(names), 'bytes': len(content),
          'sha256': hashlib.sha256(content).hexdigest()}


def _png(random: np.random.Generator, size: int) -> bytes:
  from PIL import Image
  pixels = random.integers(0, 256, [size, size, 3], np.uint8)
  buffer = io.BytesIO()
  Image.fromarray(pixels).save(buffer, 'PNG')
  return buffer.getvalue()


def _wav(random: np.random.Generator) -> bytes:
  buffer = io.BytesIO()
  with wave.open(buffer, 'wb') as f:
    f.setnchannels(1)
    f.setsampwidth(2)
    f.setframerate(16000)
    f.writeframes(random.integers(
        -9000, 9000, _SAMPLES + 1000, np.int16).tobytes())
  return buffer.getvalue()


def parse_flags(*arguments: str) -> list[str]:
  """Parses a command line afresh; returns what is left, as absl gives it."""
  from earsr_tf import flags as flags_lib
  flags_lib.define_run_flags()
  flags.FLAGS.unparse_flags()
  for name in list(flags.FLAGS):
    flag = flags.FLAGS[name]
    if flag.present:
      flag.unparse()
  return flags.FLAGS(['program', *arguments])


def is_stateful_random(operation: str) -> bool:
  """Whether an operation draws numbers from a state that no checkpoint has.

  Args:
    operation: Kind of a node in a graph, such as 'RandomUniform'.
  """
  words = ('Random', 'TruncatedNormal', 'Multinomial', 'RngRead', 'RngSkip',
           'StatefulUniform', 'StatefulStandardNormal', 'Shuffle')
  return 'Stateless' not in operation and any(
      word in operation for word in words)
