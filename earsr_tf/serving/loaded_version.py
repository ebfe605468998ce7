"""One version of a model in memory, which joins concurrent calls to batches.

TensorFlow's own batching (BatchFunction, which TensorFlow Serving uses, too)
puts rows of calls that arrive within milliseconds through the networks
together.
"""

from __future__ import annotations

import pathlib
from typing import Any, Callable, Mapping

import numpy as np
import tensorflow as tf

from earsr_tf.serving import batching
from earsr_tf.serving import export_manifest
from earsr_tf.serving import signatures
from earsr_tf.serving import warm_up

_Specs = dict[str, tf.TensorSpec]


class LoadedVersion:
  """A version that is verified, loaded and warm.

  Attributes:
    folder: Its folder.
    inputs: Signature -> name -> TensorSpec, the first side unknown.
  """

  def __init__(self, *, folder: pathlib.Path, batches: bool = True) -> None:
    """Loads a version and answers its warm-up requests.

    Args:
      folder: Version folder.
      batches: Whether concurrent calls are joined.

    Raises:
      ExportError: If a file is missing or damaged, or nothing can be loaded.
    """
    export_manifest.verify(folder)
    self.folder = folder
    self._alone = signatures.load_all(str(folder))
    self.inputs: dict[str, _Specs] = {
        name: dict(function.structured_input_signature[1])
        for name, function in self._alone.items()}
    self._joined = {
        name: _joined(function) for name, function in self._alone.items()
        } if batches else {}
    for signature, inputs in warm_up.read(str(folder)):
      self.call(signature, inputs)

  def call(self, signature: str,
           inputs: Mapping[str, tf.Tensor]) -> dict[str, np.ndarray]:
    """Runs a signature; may be called from several threads at once.

    Args:
      signature: One of `inputs`.
      inputs: Name -> [N, ...], as its specification says.

    Returns:
      Name -> [N, ...].

    Raises:
      InvalidArgumentError: If the graph refuses the inputs.
      UnavailableError: If too many calls wait.
    """
    joined = self._joined.get(signature)
    if joined is not None:
      try:
        made = joined(**inputs)
      except (tf.errors.InvalidArgumentError, UnicodeDecodeError):
        # A refusal strikes all that share a batch; only its cause is refused.
        made = self._alone[signature](**inputs)
    else:
      made = self._alone[signature](**inputs)
    return {name: value.numpy() for name, value in made.items()}


def _joined(function: Any) -> Callable[..., dict[str, tf.Tensor]]:
  """A signature that waits for company."""
  specs = function.structured_input_signature[1]
  names = sorted(specs)
  outputs = sorted(function.structured_outputs)

  @tf.nondifferentiable_batch_function(
      num_batch_threads=batching.THREADS, max_batch_size=batching.SIZES[-1],
      batch_timeout_micros=batching.TIMEOUT_MICROS,
      allowed_batch_sizes=list(batching.SIZES),
      max_enqueued_batches=batching.WAITING)
  def batch(*values):
    """Inputs in order of name -> outputs in order of name."""
    made = function(**dict(zip(names, values)))
    return [made[name] for name in outputs]

  def call(**inputs):
    """Inputs by name -> outputs by name."""
    return dict(zip(outputs, batch(*(inputs[name] for name in names))))

  return tf.function(call).get_concrete_function(
      **{name: tf.TensorSpec(specs[name].shape, specs[name].dtype, name=name)
         for name in names})
