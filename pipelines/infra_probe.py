"""Loads an exported model and answers its warm-up requests.

    python -I infra_probe.py VERSION_FOLDER

Stands alone, so that what it says holds where this project is not installed:
it runs in a process of its own, and names every module of ours, or of
TensorFlow's add-ons, that the model has made it import. Prints one line of
JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

_REQUESTS = ('assets.extra', 'tf_serving_warmup_requests')
_FOREIGN = ('earsr_tf', 'pipelines', 'tools', 'tensorflow_io',
            'tensorflow_addons')
_PNG = b'\x89PNG\r\n\x1a\n'


def _fault(value: Any) -> str:
  """What is wrong with an output, '' if nothing is."""
  import numpy as np
  if value.dtype == object:
    bad = [v for v in value.ravel() if not v.startswith(_PNG)]
    return f'{len(bad)} of {value.size} files are no PNG' if bad else ''
  if not value.size:
    return 'it is empty'
  if not np.all(np.isfinite(value)):
    return 'it is not finite'
  return 'it is one value throughout' if value.min() == value.max() else ''


def _answer(function: Any, request: Any) -> dict[str, Any]:
  """Calls a signature: its outputs, faults and seconds."""
  import tensorflow as tf
  inputs = {name: tf.constant(tf.make_ndarray(value))
            for name, value in request.inputs.items()}
  started = time.monotonic()
  made = {name: value.numpy() for name, value in function(**inputs).items()}
  seconds = round(time.monotonic() - started, 3)
  faults = [f'{name}: {fault}' for name, value in made.items()
            if (fault := _fault(value))]
  return {'outputs': {name: [str(value.dtype), list(value.shape)]
                      for name, value in made.items()},
          'faults': faults, 'seconds': seconds}


def probe(folder: str) -> dict[str, Any]:
  """Loads a version and answers its requests.

  Args:
    folder: Version folder.

  Returns:
    JSON-ready: `offered` (signatures of the graph), `answers` by signature,
    `load_seconds`, `foreign` (imported modules that should not be needed).
  """
  import tensorflow as tf
  from tensorflow_serving.apis import prediction_log_pb2
  # Graphs that are run once need not be optimised: a fifth of the time.
  tf.config.optimizer.set_experimental_options(
      {'disable_meta_optimizer': True})
  started = time.monotonic()
  model = tf.saved_model.load(folder)
  seconds = round(time.monotonic() - started, 3)
  answers = {}
  for record in tf.data.TFRecordDataset(
      os.path.join(folder, *_REQUESTS)).as_numpy_iterator():
    request = prediction_log_pb2.PredictionLog.FromString(
        record).predict_log.request
    name = request.model_spec.signature_name
    answers[name] = _answer(model.signatures[name], request)
  return {'offered': sorted(model.signatures), 'answers': answers,
          'load_seconds': seconds,
          'foreign': [name for name in _FOREIGN if name in sys.modules]}


if __name__ == '__main__':
  if '--help' in sys.argv:
    print(__doc__)
  else:
    print(json.dumps(probe(sys.argv[1])))
