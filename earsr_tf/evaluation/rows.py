"""The rows of Table 1: which networks each needs and how it makes a face.

Rows (a)-(d) and (h) are the paper's. Row (f0) silences a trained F at test
time (the paper's (f) trains F without sound), row (x) gives F another
person's voice, and two plain upsamplings stand for knowing nothing of faces.
"""

from __future__ import annotations

import dataclasses
import os
from typing import Callable, Mapping

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.models import super_resolver
from earsr_tf.ops import pixels
from earsr_tf.ops import resample
from earsr_tf.ops import spectrogram
from earsr_tf.stages import audio
from earsr_tf.stages import invert
from earsr_tf.stages import low_res
from earsr_tf.stages import networks as networks_lib
from earsr_tf.training import checkpoints

_FIXED, _TUNED = 'generator/generator_ema', 'finetune/generator'
_FUSION = (
    'low_res/low_res_encoder', 'fusion/audio_encoder', 'fusion/fusion', _TUNED)
CLASSIFIER = 'attributes/classifier'


@dataclasses.dataclass(frozen=True)
class Row:
  """One line of the tables.

  Attributes:
    key: Letter of Table 1 where the paper has one.
    label: What the reader sees.
    sources: '<stage>/<network>' of every network it needs.
  """
  key: str
  label: str
  sources: tuple[str, ...] = ()


ROWS = (
    Row('original', 'original images'),
    Row('nearest', 'nearest upsampling'),
    Row('bicubic', 'bicubic upsampling'),
    Row('a', '(a) E_h + fixed G',
        ('invert/image_encoder', _FIXED)),
    Row('b', '(b) E_h + tuned G', ('finetune/image_encoder', _TUNED)),
    Row('c', '(c) E_l only', ('low_res/low_res_encoder', _TUNED)),
    Row('d', '(d) E_a only', ('audio/audio_encoder', _TUNED)),
    Row('f0', '(f0) F, silenced at test time', _FUSION),
    Row('x', "(x) F, another person's voice", _FUSION),
    Row('h', '(h) F + tuned E_a', _FUSION),
)
_MODEL_ROWS = ('a', 'b', 'c', 'd', 'h')


class Reconstructor:
  """Makes the pictures of all rows whose networks a run folder holds.

  Attributes:
    config: The run's configuration (its model section is the same for all).
    rows: Rows that can be made, in the tables' order.
    skipped: row key -> why it cannot be made.
    classifier: C_i, C_g and C_a; None when not trained.
    low: Degrades [B, S, S, 3] in [-1, 1] to [B, s, s, 3] uint8.
  """

  def __init__(self, *, config: config_lib.Config,
               networks: Mapping[str, tf.keras.Model],
               missing: Mapping[str, str]):
    """Takes restored networks.

    Args:
      config: Configuration they were built from.
      networks: '<stage>/<network>' -> network.
      missing: '<stage>/<network>' -> why it is not there.
    """
    self.config = config
    self._networks = dict(networks)
    self.classifier, self.skipped = None, {}
    for row in ROWS:
      absent = [source for source in row.sources if source not in networks]
      if absent:
        self.skipped[row.key] = missing[absent[0]]
    self.rows = tuple(row for row in ROWS if row.key not in self.skipped)
    self.keys = frozenset(row.key for row in self.rows)
    self._resolver = self._super_resolver() if 'h' in self.keys else None
    size, model = config.model.image_size, config.model
    code = tf.TensorSpec([None, model.num_styles, model.latent_dim])
    image = tf.TensorSpec([None, size, size, 3])
    # Fixed signatures: the last, smaller batch is not traced again. Without
    # AutoGraph, which nothing needs, tracing takes half the time.
    if CLASSIFIER in networks:
      self.classifier = tf.function(
          networks[CLASSIFIER].call, autograph=False, input_signature=[image])
    self.low = tf.function(
        lambda x: pixels.to_uint8(low_res.image_low(config, x)),
        autograph=False, input_signature=[image])
    self._encode = tf.function(
        self._encode_eagerly, autograph=False, input_signature=[
            image, tf.TensorSpec([None, spectrogram.NUM_SAMPLES])])
    self._generate = {
        name: tf.function(
            self._generator(name), autograph=False, input_signature=[code])
        for name in (_FIXED, _TUNED) if name in networks}
    self._fuse = tf.function(
        self._fuse_eagerly, autograph=False, input_signature=[code, code])

  def codes(self, image_high: tf.Tensor,
            waveform: tf.Tensor) -> dict[str, tf.Tensor]:
    """Codes [B, L, d] of the rows, and 'audio': the tuned E_a's.

    Args:
      image_high: [B, S, S, 3] float32 in [-1, 1].
      waveform: [B, 64000] float32 in [-1, 1].

    Returns:
      Row key -> code, for the rows that have one.
    """
    return self._encode(image_high, waveform)

  def fuse(self, code_low: tf.Tensor, code_audio: tf.Tensor) -> tf.Tensor:
    """F's code [B, L, d] from those of E_l and of the tuned E_a."""
    return self._fuse(code_low, code_audio)

  def generate(self, code: tf.Tensor, key: str = 'h') -> tf.Tensor:
    """Images [B, S, S, 3] uint8 from codes [B, L, d] of row `key`."""
    return self._generate[_FIXED if key == 'a' else _TUNED](code)

  def generate_rows(self, codes: Mapping[str, tf.Tensor]
                    ) -> dict[str, tf.Tensor]:
    """Images of several rows; the tuned generator is called once for all.

    Args:
      codes: Row key -> [B, L, d], all of one B; other keys are ignored.

    Returns:
      Row key -> [B, S, S, 3] uint8.
    """
    made = {'a': self.generate(codes['a'], 'a')} if 'a' in codes else {}
    names = [key for key in codes if key in self.keys - {'a'}]
    if names:
      images = self.generate(tf.concat([codes[key] for key in names], 0))
      made |= dict(zip(names, tf.split(images, len(names))))
    return made

  def upsample(self, image_low: tf.Tensor, method: str) -> tf.Tensor:
    """Upsamples [B, s, s, 3] uint8 to [B, S, S, 3] uint8.

    Args:
      image_low: Input images.
      method: 'nearest' or 'bicubic' (Pillow's).

    Returns:
      Images of the model's output size.
    """
    size = self.config.model.image_size
    if method == 'nearest':
      return resample.upsample_nearest(image_low, size // image_low.shape[1])
    image = resample.resize_bicubic(
        tf.cast(image_low, tf.float32), size, size)
    return tf.cast(tf.clip_by_value(tf.round(image), 0.0, 255.0), tf.uint8)

  def _encode_eagerly(self, image_high: tf.Tensor, waveform: tf.Tensor
                      ) -> dict[str, tf.Tensor]:
    norm = self.config.model.code_norm
    networks, codes = self._networks, {}
    for key, stage in (('a', 'invert'), ('b', 'finetune')):
      if key in self.keys:
        encoder = {'image_encoder': networks[f'{stage}/image_encoder']}
        codes[key] = invert.encode(encoder, image_high, norm)
    image_low = low_res.image_low(self.config, image_high)
    if 'c' in self.keys and self._resolver is None:
      encoder = {'low_res_encoder': networks['low_res/low_res_encoder']}
      codes['c'] = low_res.encode(encoder, image_low, norm)
    if 'd' in self.keys:
      encoder = {'audio_encoder': networks['audio/audio_encoder']}
      codes['d'] = audio.encode(encoder, waveform, norm)
    if self._resolver is not None:
      # The composition that is exported, so that what is scored is served.
      made = self._resolver.codes(image_low, waveform)
      codes |= {'c': made['low'], 'audio': made['audio'], 'h': made['fused'],
                'f0': self._fuse_eagerly(
                    made['low'], tf.zeros_like(made['audio']))}
    return codes

  def _fuse_eagerly(
      self, code_low: tf.Tensor, code_audio: tf.Tensor) -> tf.Tensor:
    return self._resolver.normalize_code(
        self._resolver.fusion(code_low, code_audio))

  def _super_resolver(self) -> super_resolver.SuperResolver:
    networks = {name.split('/')[1]: self._networks[name] for name in _FUSION}
    return super_resolver.SuperResolver(
        **networks, code_norm=self.config.model.code_norm,
        zero_audio=self.config.fusion.zero_audio)

  def _generator(self, source: str) -> Callable[[tf.Tensor], tf.Tensor]:
    generator = self._networks[source]

    def generate(code: tf.Tensor) -> tf.Tensor:
      """Code [B, L, d] -> [B, S, S, 3] uint8."""
      return pixels.to_uint8(generator(code))
    return generate


def load(run_root: str, num_speakers: int) -> Reconstructor:
  """Restores every network that the run folder holds.

  Args:
    run_root: Folder of the stages' folders.
    num_speakers: Classes of C_i; must be what the classifier was trained on.

  Returns:
    A reconstructor with at least one row that the paper's networks make.

  Raises:
    CheckpointError: If no row can be made, the stages' model sections differ,
      or a checkpoint cannot be restored.
  """
  sources = {source for row in ROWS for source in row.sources}
  sources.add(CLASSIFIER)
  missing = _missing(sources, run_root)
  present = sorted(sources - set(missing))
  if not any(set(row.sources) <= set(present)
             for row in ROWS if row.key in _MODEL_ROWS):
    raise checkpoints.CheckpointError(
        f'{os.path.abspath(run_root)}: no trained model to evaluate; train '
        'one first, for example: python -m earsr_tf.train --stage=generator '
        f'--run_root={run_root}')
  config = _common_config(
      run_root, [source.split('/')[0] for source in present])
  if CLASSIFIER in present:
    _check_speakers(run_root, num_speakers)
  networks = {
      source: _build(source, config.model, num_speakers) for source in present}
  checkpoints.restore_networks(
      networks, {source: source for source in present}, run_root)
  return Reconstructor(config=config, networks=networks, missing=missing)


def _missing(sources: set[str], run_root: str) -> dict[str, str]:
  """Sources that the run folder does not hold -> why."""
  missing, stored = {}, {}
  for source in sources:
    stage, network = source.split('/')
    if not checkpoints.is_finished(run_root, stage):
      missing[source] = f'stage {stage} is not finished'
      continue
    if stage not in stored:
      stored[stage] = checkpoints.stored_networks(run_root, stage)
    # Imported weights lack what was not published.
    if network not in stored[stage]:
      missing[source] = f'stage {stage} holds no {network}'
  return missing


def _common_config(run_root: str, stages: list[str]) -> config_lib.Config:
  """The stages' configuration; their model sections must agree."""
  configs = {
      stage: checkpoints.load_config(run_root, stage) for stage in stages}
  last = [stage for stage in config_lib.STAGES if stage in configs
          and stage != 'attributes'][-1]
  for stage, config in configs.items():
    if config.model != configs[last].model:
      raise checkpoints.CheckpointError(
          f'{run_root}: stages {stage} and {last} were trained with different '
          f'model sections ({run_root}/*/config.json); train {stage} again')
  return configs[last]


def _check_speakers(run_root: str, num_speakers: int) -> None:
  """Refuses a classifier of other people than those of the data."""
  trained = checkpoints.load_config(
      run_root, 'attributes').attributes.num_speakers
  if trained and trained != num_speakers:
    raise checkpoints.CheckpointError(
        f'{run_root}/attributes: the classifier knows {trained} people, the '
        f'data hold {num_speakers}; name the --data_dir it was trained on, or '
        'train it again: python -m earsr_tf.train --stage=attributes '
        f'--run_root={run_root} --restart')


def _build(source: str, model: config_lib.ModelConfig,
           num_speakers: int) -> tf.keras.Model:
  """Builds the network called '<stage>/<network>'."""
  builders = {
      'generator': networks_lib.generator,
      'image_encoder': networks_lib.image_encoder,
      'low_res_encoder': networks_lib.low_res_encoder,
      'audio_encoder': networks_lib.audio_encoder,
      'fusion': networks_lib.fusion,
      'classifier': lambda m: networks_lib.classifier(m, num_speakers)}
  return builders[source.split('/')[1].removesuffix('_ema')](model)
