"""Requests that a server answers before it takes a version into service.

The first call of a TensorFlow function is slow. TensorFlow Serving reads
`assets.extra/tf_serving_warmup_requests` of a version, a TFRecord of
PredictionLog; `earsr_tf.serve` reads the same file.
"""

from __future__ import annotations

import pathlib
from typing import Iterator

import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from earsr_tf.data import records
from earsr_tf.media import reader
from earsr_tf.ops import spectrogram
from earsr_tf.serving import export_manifest

FILE = 'assets.extra/tf_serving_warmup_requests'


def write(folder: str, low_res_size: int, code_shape: tuple[int, int]) -> None:
  """Writes a request of one face for each signature.

  Args:
    folder: Version folder.
    low_res_size: Side of `image_low`.
    code_shape: Of a code, (L, d).
  """
  path = pathlib.Path(folder, FILE)
  path.parent.mkdir(exist_ok=True)
  with tf.io.TFRecordWriter(str(path)) as writer:
    for signature, inputs in _requests(low_res_size, code_shape).items():
      log = prediction_log_pb2.PredictionLog()
      request = log.predict_log.request
      request.model_spec.signature_name = signature
      for name, value in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
      # Map entries are sorted, or the bytes would differ from run to run.
      writer.write(log.SerializeToString(deterministic=True))


def read(folder: str) -> Iterator[tuple[str, dict[str, tf.Tensor]]]:
  """Reads the requests of a version; none if it has no such file.

  Args:
    folder: Version folder.

  Yields:
    Name of a signature, and its inputs.
  """
  path = pathlib.Path(folder, FILE)
  if not path.exists():
    return
  for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
    request = prediction_log_pb2.PredictionLog.FromString(
        record).predict_log.request
    yield request.model_spec.signature_name, {
        name: tf.constant(tf.make_ndarray(value))
        for name, value in request.inputs.items()}


def _requests(
    low_res_size: int, code_shape: tuple[int, int]
) -> dict[str, dict[str, np.ndarray]]:
  """Signature -> inputs of one row: a gradient and a hum."""
  shades = np.linspace(0, 255, low_res_size).astype(np.uint8)
  image = np.tile(shades[:, np.newaxis, np.newaxis], [1, low_res_size, 3])
  time = np.arange(spectrogram.NUM_SAMPLES) / spectrogram.SAMPLE_RATE_HZ
  samples = np.round(8000.0 * np.sin(2.0 * np.pi * 200.0 * time)).astype(
      np.int16)
  # Enlarged, so that the road of a picture of any size is warm, too.
  picture = reader.encode_png(image.repeat(16, axis=0).repeat(16, axis=1))
  voice = reader.encode_wav(samples)
  low = {'image_low': image[np.newaxis]}
  sound = {'waveform': (samples / 32768.0).astype(np.float32)[np.newaxis]}
  example = records.encode(records.ClipRecord(
      speaker='', video='', clip='', split='', gender=-1, age=float('nan'),
      frames=[picture], voice=voice))
  strength = {'voice_strength': np.ones([1], np.float32)}
  return {
      export_manifest.SUPER_RESOLVE: {**low, **sound},
      export_manifest.SUPER_RESOLVE_STRENGTH: {**low, **sound, **strength},
      export_manifest.ENCODE: {**low, **sound, **strength},
      export_manifest.RENDER: {
          'code': np.ones([1, *code_shape], np.float32), **low},
      export_manifest.SUPER_RESOLVE_BYTES: {
          'image_bytes': np.array([picture]),
          'audio_bytes': np.array([voice])},
      export_manifest.SERVING_DEFAULT: {'examples': np.array([example])},
      export_manifest.IMAGE_ONLY: low,
      export_manifest.AUDIO_ONLY: sound}
