"""The functions that a SavedModel offers, under their signatures' names."""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.models import super_resolver
from earsr_tf.ops import spectrogram
from earsr_tf.serving import export_manifest

SUPER_RESOLVE = export_manifest.SUPER_RESOLVE
SUPER_RESOLVE_STRENGTH = export_manifest.SUPER_RESOLVE_STRENGTH

_Function = tf.types.experimental.ConcreteFunction


class ServedModel(tf.Module):
  """What tf.saved_model.save writes: variables and traced functions.

  It tracks the variables themselves and not the Keras models, so that the
  SavedModel holds no Python class names and loads where earsr_tf is absent.

  Attributes:
    weights: All variables that the functions read.
    super_resolve: image_low [N, s, s, 3] uint8 and waveform [N, 64000]
      float32 in [-1, 1] -> {'image_high': [N, S, S, 3] uint8}.
    super_resolve_strength: As above, and voice_strength [N] float32 in
      [0, 1.5]: 0 is the image alone, 1 what super_resolve gives.
  """

  def __init__(self, *, model: super_resolver.SuperResolver,
               low_res_size: int, name: str = 'served_model'):
    """Traces the signatures.

    Args:
      model: Restored networks.
      low_res_size: Side s of `image_low`.
      name: Module name.
    """
    super().__init__(name=name)
    image_low = tf.TensorSpec(
        [None, low_res_size, low_res_size, 3], tf.uint8, name='image_low')
    waveform = tf.TensorSpec(
        [None, spectrogram.NUM_SAMPLES], tf.float32, name='waveform')
    strength = tf.TensorSpec([None], tf.float32, name='voice_strength')

    def super_resolve(image_low, waveform):
      """uint8 [B, s, s, 3] and [B, 64000] -> uint8 [B, S, S, 3]."""
      return {'image_high': model(image_low, waveform)}

    def super_resolve_strength(image_low, waveform, voice_strength):
      """As `super_resolve`, with [B] float32 in [0, 1.5]."""
      # Also false for NaN.
      is_valid = (voice_strength >= 0.0) & (
          voice_strength <= export_manifest.MAX_STRENGTH)
      with tf.control_dependencies([tf.debugging.Assert(
          tf.reduce_all(is_valid),
          ['voice_strength must lie between 0 and 1.5'])]):
        return {'image_high': model(
            image_low, waveform, tf.identity(voice_strength))}

    self.super_resolve = tf.function(
        super_resolve, input_signature=[image_low, waveform])
    self.super_resolve_strength = tf.function(
        super_resolve_strength,
        input_signature=[image_low, waveform, strength])
    # Not all of the model: inference reads neither w_avg nor noise strengths.
    self.weights = list(
        self.super_resolve_strength.get_concrete_function().variables)


def signatures(served: ServedModel) -> dict[str, _Function]:
  """Signature name -> traced function, for tf.saved_model.save."""
  return {
      SUPER_RESOLVE: served.super_resolve.get_concrete_function(),
      SUPER_RESOLVE_STRENGTH:
          served.super_resolve_strength.get_concrete_function()}


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
