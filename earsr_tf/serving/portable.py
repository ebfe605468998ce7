"""Exports for runtimes without TensorFlow: ONNX and TFLite.

One file holds `super_resolve_strength` for one face. The signatures that take
files are left out, as neither format decodes pictures or sounds; the others
would each hold all weights again. Refusals are not part of the file: neither
format has them.
"""

from __future__ import annotations

import logging
import pathlib
import re
from typing import Any, Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf

from earsr_tf import environment
from earsr_tf.models import super_resolver
from earsr_tf.ops import spectrogram
from earsr_tf.serving import export_manifest
from earsr_tf.serving import model_card
from earsr_tf.serving import nearness
from earsr_tf.serving import saved_model
from earsr_tf.training import checkpoints

LEAST_PSNR = 50.0  # dB to the model's picture; conversion only rounds
FILES = export_manifest.PORTABLE_FILES
MAX_TFLITE_BYTES = 1 << 30  # of weights; a TFLite file ends at 2 GB
EXTERNAL_BYTES = 1 << 30  # of weights; from here ONNX has a file of its own
MAX_ONNX_BYTES = 2_000_000_000  # what is converted is one protobuf, below 2 GB
_OPSET = 17
_ANY_LINE = re.compile(b'')

# image_low [1, s, s, 3], waveform [1, 64000], voice_strength [1], of numpy ->
# image_high [1, S, S, 3].
_Run = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def export(run_root: str, output: str, file_format: str, *, consistency: str,
           data_dir: str, facts: Mapping[str, Any],
           evaluation: str = '') -> tuple[pathlib.Path, dict[str, Any]]:
  """Converts the model of a run and compares its pictures.

  Args:
    run_root: See `saved_model.load`.
    output: Folder of numbered versions; created when absent.
    file_format: 'onnx' or 'tflite'.
    consistency: See `saved_model.load`.
    data_dir: Folder of prepared shards, to compare pictures.
    facts: Entries of manifest.json that say where the model comes from.
    evaluation: Tables for the model card, in Markdown.

  Returns:
    The version's folder; and the manifest's entries, among them
    'psnr_to_saved_model' (mean, dB), 'levels_to_saved_model' (largest) and the
    number of 'clips'.

  Raises:
    CheckpointError: If a stage is not finished or does not fit.
    DataError: If the data are missing, damaged or hold no clip to test with.
    ExportError: If the weights are too large for the format, or the pictures
      differ.
    OSError: If the folder cannot be written; nothing is left behind.
  """
  stretch = checkpoints.load_config(run_root, 'fusion').model.low_res_stretch
  model, low_res_size = saved_model.load(run_root, consistency)
  weights = sum(v.dtype.size * int(np.prod(v.shape)) for v in model.variables)
  check_size(file_format, weights)
  inputs = nearness.samples(data_dir, low_res_size, stretch)
  exact = np.concatenate([
      model(low, waveform).numpy() for low, waveform in inputs])
  del model  # so that there are never two in memory
  model, _ = saved_model.load(
      run_root, consistency,
      front_end=spectrogram.log_spectrogram_of_products)
  super_resolver.fold(model)
  function = _function(model, low_res_size)
  entries = {**facts, 'file_format': file_format,
             'signatures': [export_manifest.SUPER_RESOLVE_STRENGTH]}

  def write(folder: str) -> None:
    """Fills a version folder, and completes the manifest's entries."""
    path = pathlib.Path(folder, FILES[file_format])
    convert, load = _FORMATS[file_format]
    convert(function, path, weights)
    psnr, levels = nearness.check_pictures(
        _pictures(load(path), inputs), exact, least_psnr=LEAST_PSNR,
        what=f'--format={file_format}',
        advice='export with --format=saved_model')
    entries.update(psnr_to_saved_model=round(psnr, 1),
                   levels_to_saved_model=levels, clips=len(exact))
    model_card.write(
        folder, low_res_size=low_res_size, image_size=exact.shape[1],
        facts={**facts, 'evaluation': evaluation})

  return saved_model.publish(write, output, entries), entries


def check_size(file_format: str, weights: int) -> None:
  """Refuses weights that a format cannot hold.

  Args:
    file_format: 'onnx' or 'tflite'.
    weights: Their size in bytes.

  Raises:
    ExportError: With the sizes.
  """
  most = {'onnx': MAX_ONNX_BYTES, 'tflite': MAX_TFLITE_BYTES}[file_format]
  if weights > most:
    raise export_manifest.ExportError(
        f'--format={file_format}: the weights are {weights / 1e9:.2f} GB, and '
        f'at most {most / 1e9:.2f} GB can be written in this format; export a '
        'SavedModel, or train a smaller model (model.*)', 1)


def _function(model: super_resolver.SuperResolver, low_res_size: int
              ) -> tf.types.experimental.GenericFunction:
  """`super_resolve_strength` of one face, without refusals.

  Of one, as the formats have no convolution that chooses its way by the
  number of rows (`ops/convolution`).
  """
  @tf.function(input_signature=[
      tf.TensorSpec([1, low_res_size, low_res_size, 3], tf.uint8, 'image_low'),
      tf.TensorSpec([1, spectrogram.NUM_SAMPLES], tf.float32, 'waveform'),
      tf.TensorSpec([1], tf.float32, 'voice_strength')])
  def super_resolve_strength(image_low, waveform, voice_strength):
    """See `signatures.ServedModel`."""
    return {'image_high': model(image_low, waveform, voice_strength)}
  return super_resolve_strength


def _pictures(run: _Run, inputs: Sequence[tuple[tf.Tensor, tf.Tensor]]
              ) -> np.ndarray:
  """What a converted model makes of `nearness.samples`."""
  strength = np.ones([1], np.float32)
  return np.concatenate([
      run(low[row:row + 1].numpy(), waveform[row:row + 1].numpy(), strength)
      for low, waveform in inputs for row in range(len(low))])


def _to_onnx(function: tf.types.experimental.GenericFunction,
             path: pathlib.Path, weights: int) -> None:
  """Writes ONNX; large weights lie beside it, in a file of their own."""
  import onnx
  import tf2onnx
  logging.getLogger('tf2onnx').setLevel(logging.WARNING)
  converted, _ = tf2onnx.convert.from_function(
      function, input_signature=function.input_signature, opset=_OPSET)
  onnx.save_model(
      converted, str(path), save_as_external_data=weights > EXTERNAL_BYTES,
      location=f'{path.name}.data')


def _load_onnx(path: pathlib.Path) -> _Run:
  """A file in onnxruntime, on the CPU."""
  import onnxruntime
  session = onnxruntime.InferenceSession(
      str(path), providers=['CPUExecutionProvider'])
  return lambda low, waveform, strength: session.run(['image_high'], {
      'image_low': low, 'waveform': waveform, 'voice_strength': strength})[0]


def _to_tflite(function: tf.types.experimental.GenericFunction,
               path: pathlib.Path, weights: int) -> None:
  """Writes TFLite of builtin operations."""
  del weights  # they are part of the file, always
  traced = function.get_concrete_function()
  owner = tf.Module()  # of what is converted; without it no names are kept
  owner.weights = list(traced.variables)
  converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], owner)
  with environment.stderr_without(_ANY_LINE):  # tables of all operations
    path.write_bytes(converter.convert())


def _load_tflite(path: pathlib.Path) -> _Run:
  """A file in TFLite's interpreter."""
  run = tf.lite.Interpreter(str(path)).get_signature_runner()
  return lambda low, waveform, strength: run(
      image_low=low, waveform=waveform, voice_strength=strength)['image_high']


_FORMATS = {
    'onnx': (_to_onnx, _load_onnx), 'tflite': (_to_tflite, _load_tflite)}
