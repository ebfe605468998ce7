"""The functions that a SavedModel offers, under their signatures' names."""

from __future__ import annotations

from typing import Callable

import tensorflow as tf

from earsr_tf.data import records
from earsr_tf.models import super_resolver
from earsr_tf.ops import spectrogram
from earsr_tf.serving import export_manifest
from earsr_tf.serving import picture_bytes
from earsr_tf.serving import refusal
from earsr_tf.serving import voice_bytes

SUPER_RESOLVE = export_manifest.SUPER_RESOLVE

_Function = tf.types.experimental.ConcreteFunction


class ServedModel(tf.Module):
  """What tf.saved_model.save writes: variables and traced functions.

  It tracks the variables themselves and not the Keras models, so that the
  SavedModel holds no Python class names and loads where earsr_tf is absent.
  NaN and infinite samples are refused, as are files that cannot be used:
  InvalidArgumentError with a sentence.

  Attributes:
    weights: All variables that the functions read.
    image_size: Side S of `image_high`.
    code_shape: Of a code, (L, d).
    super_resolve: image_low [N, s, s, 3] uint8 and waveform [N, 64000]
      float32 in [-1, 1] -> {'image_high': [N, S, S, 3] uint8}.
    super_resolve_strength: As above, and voice_strength [N] float32 in
      [0, 1.5]: 0 is the image alone, 1 what super_resolve gives.
    super_resolve_bytes: image_bytes [N] string, PNG or JPEG, and audio_bytes
      [N] string, 16-bit PCM WAV -> {'image_bytes': [N] string, PNG}.
    serving_default: examples [N] string, records of prepared data: tf.Example
      with `frames` (the first counts) and `voice` -> as super_resolve_bytes.
    image_only: image_low -> image_high: G of E_l's code.
    audio_only: waveform -> image_high: G of E_a's code.
    encode: as super_resolve_strength, or one waveform for all -> {'code':
      [N, L, d] float32}.
    render: code, or means of codes, and image_low -> image_high.
  """

  def __init__(self, *, model: super_resolver.SuperResolver,
               low_res_size: int, low_res_stretch: bool = False,
               name: str = 'served_model'):
    """Traces the signatures.

    Args:
      model: Restored networks.
      low_res_size: Side s of `image_low`.
      low_res_stretch: As `model.low_res_stretch`: how files are reduced.
      name: Module name.
    """
    super().__init__(name=name)
    self._low_res_size = low_res_size
    self._stretch = low_res_stretch
    image_low = tf.TensorSpec(
        [None, low_res_size, low_res_size, 3], tf.uint8, name='image_low')
    waveform = tf.TensorSpec(
        [None, spectrogram.NUM_SAMPLES], tf.float32, name='waveform')
    strength = tf.TensorSpec([None], tf.float32, name='voice_strength')

    made = {**_on_tensors(model), **_in_two_steps(model)}
    self.super_resolve = tf.function(
        made[export_manifest.SUPER_RESOLVE],
        input_signature=[image_low, waveform])
    self.super_resolve_strength = tf.function(
        made[export_manifest.SUPER_RESOLVE_STRENGTH],
        input_signature=[image_low, waveform, strength])
    # Not all of the model: inference reads neither w_avg nor noise strengths.
    self.weights = list(
        self.super_resolve_strength.get_concrete_function().variables)
    self.image_only = tf.function(
        made[export_manifest.IMAGE_ONLY], input_signature=[image_low])
    self.audio_only = tf.function(
        made[export_manifest.AUDIO_ONLY], input_signature=[waveform])
    self.encode = tf.function(
        made[export_manifest.ENCODE],
        input_signature=[image_low, waveform, strength])
    code = self.encode.get_concrete_function().structured_outputs['code']
    self.code_shape = tuple(code.shape[1:])
    self.render = tf.function(
        made[export_manifest.RENDER], input_signature=[
            tf.TensorSpec([None, *self.code_shape], tf.float32, name='code'),
            image_low])
    self.image_size = self.super_resolve.get_concrete_function(
        ).structured_outputs['image_high'].shape[1]

  @tf.function(input_signature=[
      tf.TensorSpec([None], tf.string, name='image_bytes'),
      tf.TensorSpec([None], tf.string, name='audio_bytes')])
  def super_resolve_bytes(
      self, image_bytes: tf.Tensor, audio_bytes: tf.Tensor
  ) -> dict[str, tf.Tensor]:
    """Files -> files; see the class."""
    image_high = self.super_resolve(
        *self.decode(image_bytes, audio_bytes))['image_high']
    return {'image_bytes': tf.map_fn(
        tf.io.encode_png, image_high,
        fn_output_signature=tf.TensorSpec([], tf.string))}

  @tf.function(input_signature=[
      tf.TensorSpec([None], tf.string, name='examples')])
  def serving_default(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
    """Records of prepared data -> files; see the class."""
    [examples] = refusal.batch(examples=examples)
    parsed = tf.io.parse_example(examples, {
        records.FRAMES: tf.io.RaggedFeature(tf.string),
        records.VOICE: tf.io.FixedLenFeature([], tf.string)})
    ragged = parsed[records.FRAMES]
    frames = refusal.checked(ragged.to_tensor(), refusal.unless(
        tf.reduce_all(ragged.row_lengths() > 0),
        'examples: one has no picture in `frames`'))
    return self.super_resolve_bytes(frames[:, 0], parsed[records.VOICE])

  @tf.function(input_signature=[
      tf.TensorSpec([None], tf.string, name='image_bytes'),
      tf.TensorSpec([None], tf.string, name='audio_bytes')])
  def decode(
      self, image_bytes: tf.Tensor, audio_bytes: tf.Tensor
  ) -> tuple[tf.Tensor, tf.Tensor]:
    """Files -> what the model reads.

    Args:
      image_bytes: [N] string, PNG or JPEG files.
      audio_bytes: [N] string, WAV files of 16-bit PCM.

    Returns:
      image_low [N, s, s, 3] uint8 and waveform [N, 64000] float32.
    """
    image_bytes, audio_bytes = refusal.batch(
        image_bytes=image_bytes, audio_bytes=audio_bytes)

    def picture(item):
      """(row, file) -> [s, s, 3] uint8."""
      return picture_bytes.decode(
          item[1], _row_name('image_bytes', item[0]),
          low_res_size=self._low_res_size, image_size=self.image_size,
          stretch=self._stretch)

    def voice(item):
      """(row, file) -> [64000] float32."""
      return voice_bytes.decode(item[1], _row_name('audio_bytes', item[0]))

    rows = tf.range(tf.size(image_bytes))
    side = self._low_res_size
    return (
        tf.map_fn(picture, (rows, image_bytes), parallel_iterations=1,
                  fn_output_signature=tf.TensorSpec([side, side, 3], tf.uint8)),
        tf.map_fn(voice, (rows, audio_bytes), parallel_iterations=1,
                  fn_output_signature=tf.TensorSpec(
                      [spectrogram.NUM_SAMPLES], tf.float32)))


def _on_tensors(
    model: super_resolver.SuperResolver
) -> dict[str, Callable[..., dict[str, tf.Tensor]]]:
  """Signature name -> function of tensors; closures, so none is tracked."""
  def super_resolve(image_low, waveform):
    """uint8 [B, s, s, 3] and [B, 64000] -> uint8 [B, S, S, 3]."""
    image_low, waveform = refusal.batch(
        image_low=image_low, waveform=waveform)
    return {'image_high': model(image_low, refusal.finite(waveform))}

  def super_resolve_strength(image_low, waveform, voice_strength):
    """As `super_resolve`, with [B] float32 in [0, 1.5]."""
    image_low, waveform, voice_strength = refusal.batch(
        image_low=image_low, waveform=waveform,
        voice_strength=voice_strength)
    return {'image_high': model(
        image_low, refusal.finite(waveform), refusal.strength(
            voice_strength, export_manifest.MAX_STRENGTH))}

  def image_only(image_low):
    """uint8 [B, s, s, 3] -> uint8 [B, S, S, 3]."""
    [image_low] = refusal.batch(image_low=image_low)
    return {'image_high': model.image_only(image_low)}

  def audio_only(waveform):
    """[B, 64000] -> uint8 [B, S, S, 3]."""
    [waveform] = refusal.batch(waveform=waveform)
    return {'image_high': model.audio_only(refusal.finite(waveform))}

  return {
      export_manifest.SUPER_RESOLVE: super_resolve,
      export_manifest.SUPER_RESOLVE_STRENGTH: super_resolve_strength,
      export_manifest.IMAGE_ONLY: image_only,
      export_manifest.AUDIO_ONLY: audio_only}


def _in_two_steps(
    model: super_resolver.SuperResolver
) -> dict[str, Callable[..., dict[str, tf.Tensor]]]:
  """As `_on_tensors`: codes of pictures and voices, and pictures of codes."""
  def encode(image_low, waveform, voice_strength):
    """As `super_resolve_strength`, or one waveform for all -> [B, L, d]."""
    image_low, voice_strength = refusal.batch(
        image_low=image_low, voice_strength=voice_strength)
    count = tf.shape(waveform)[0]
    waveform = refusal.checked(waveform, refusal.unless(
        (count == 1) | (count == tf.shape(image_low)[0]),
        'waveform: give one, or as many as image_low'))
    return {'code': model.encode(
        image_low, refusal.finite(waveform), refusal.strength(
            voice_strength, export_manifest.MAX_STRENGTH))}

  def render(code, image_low):
    """float32 [B, L, d] and uint8 [B, s, s, 3] -> uint8 [B, S, S, 3]."""
    code, image_low = refusal.batch(code=code, image_low=image_low)
    return {'image_high': model.render(
        refusal.finite(code, 'code'), image_low)}

  return {export_manifest.ENCODE: encode, export_manifest.RENDER: render}


def _row_name(name: str, row: tf.Tensor) -> tf.Tensor:
  """What a refusal calls an entry of a batch, such as 'image_bytes (row 0)'."""
  return tf.strings.join([name, ' (row ', tf.strings.as_string(row), ')'])


def signatures(served: ServedModel) -> dict[str, _Function]:
  """Signature name -> traced function, for tf.saved_model.save."""
  return {name: getattr(served, name).get_concrete_function()
          for name in export_manifest.SIGNATURES}


def load_all(folder: str) -> dict[str, _Function]:
  """Loads all signatures of a SavedModel; they share its weights.

  Args:
    folder: A version folder, checked with `export_manifest.verify` before.

  Returns:
    Signature name -> function; each keeps the loaded model alive.

  Raises:
    ExportError: If the folder cannot be loaded or lacks `super_resolve`.
  """
  try:
    loaded = tf.saved_model.load(folder)
    functions = dict(loaded.signatures)
    _ = functions[SUPER_RESOLVE]
  except (KeyError, OSError, ValueError, tf.errors.OpError) as error:
    raise export_manifest.ExportError(
        f'{folder}: cannot be loaded as a model with the signature '
        f'{SUPER_RESOLVE} ({type(error).__name__}); export again') from error
  for function in functions.values():
    function._earsr_owner = loaded  # noqa: SLF001
  return functions


def load(folder: str) -> _Function:
  """Loads `super_resolve` of a SavedModel; see `load_all`."""
  return load_all(folder)[SUPER_RESOLVE]


def sides(function: _Function) -> tuple[int, int]:
  """Sides of `image_low` and `image_high` of a loaded signature."""
  inputs = function.structured_input_signature[1]
  return (int(inputs['image_low'].shape[1]),
          int(function.structured_outputs['image_high'].shape[1]))
