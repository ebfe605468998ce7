"""The function that a SavedModel offers: `super_resolve`."""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.models import super_resolver
from earsr_tf.ops import spectrogram
from earsr_tf.serving import export_manifest

SUPER_RESOLVE = 'super_resolve'


class ServedModel(tf.Module):
  """What tf.saved_model.save writes: variables and one traced function.

  It tracks the variables themselves and not the Keras models, so that the
  SavedModel holds no Python class names and loads where earsr_tf is absent.

  Attributes:
    weights: All variables of the model.
    super_resolve: image_low [N, s, s, 3] uint8 and waveform [N, 64000]
      float32 in [-1, 1] -> {'image_high': [N, S, S, 3] uint8}.
  """

  def __init__(self, *, model: super_resolver.SuperResolver,
               low_res_size: int, name: str = 'served_model'):
    """Traces the signature.

    Args:
      model: Restored networks.
      low_res_size: Side s of `image_low`.
      name: Module name.
    """
    super().__init__(name=name)
    self.weights = list(model.variables)

    def super_resolve(image_low, waveform):
      """uint8 [B, s, s, 3] and [B, 64000] -> uint8 [B, S, S, 3]."""
      return {'image_high': model(image_low, waveform)}

    self.super_resolve = tf.function(super_resolve, input_signature=[
        tf.TensorSpec([None, low_res_size, low_res_size, 3], tf.uint8,
                      name='image_low'),
        tf.TensorSpec([None, spectrogram.NUM_SAMPLES], tf.float32,
                      name='waveform')])


def signatures(served: ServedModel) -> dict[str, tf.types.experimental.
                                            ConcreteFunction]:
  """Signature name -> traced function, for tf.saved_model.save."""
  return {SUPER_RESOLVE: served.super_resolve.get_concrete_function()}


def load(folder: str) -> tf.types.experimental.ConcreteFunction:
  """Loads `super_resolve` of a SavedModel.

  Args:
    folder: A version folder, checked with `manifest.verify` before.

  Returns:
    The function; it keeps the loaded model alive.

  Raises:
    ExportError: If the folder cannot be loaded or lacks the signature.
  """
  try:
    loaded = tf.saved_model.load(folder)
    function = loaded.signatures[SUPER_RESOLVE]
  except (KeyError, OSError, ValueError, tf.errors.OpError) as error:
    raise export_manifest.ExportError(
        f'{folder}: cannot be loaded as a model with the signature '
        f'{SUPER_RESOLVE} ({type(error).__name__}); export again') from error
  function._earsr_owner = loaded  # noqa: SLF001
  return function


def sides(function: tf.types.experimental.ConcreteFunction
          ) -> tuple[int, int]:
  """Sides of `image_low` and `image_high` of a loaded signature."""
  inputs = function.structured_input_signature[1]
  return (int(inputs['image_low'].shape[1]),
          int(function.structured_outputs['image_high'].shape[1]))
