"""How a server joins requests into batches, as TensorFlow Serving writes it.

`assets.extra/batching.config` of a version is what its
--batching_parameters_file reads; `earsr_tf.serve` batches by the same numbers.
"""

from __future__ import annotations

import pathlib

FILE = 'assets.extra/batching.config'
SIZES = (1, 2, 4, 8, 16)  # a batch is filled up to the next of these
TIMEOUT_MICROS = 10_000  # how long a request waits for company
THREADS = 2
WAITING = 64  # batches; further requests are refused as busy

_TEXT = f'''\
max_batch_size {{ value: {SIZES[-1]} }}
batch_timeout_micros {{ value: {TIMEOUT_MICROS} }}
max_enqueued_batches {{ value: {WAITING} }}
num_batch_threads {{ value: {THREADS} }}
{''.join(f'allowed_batch_sizes: {size}{chr(10)}' for size in SIZES)}'''


def write(folder: str) -> None:
  """Writes the file into a version folder."""
  path = pathlib.Path(folder, FILE)
  path.parent.mkdir(exist_ok=True)
  path.write_text(_TEXT, encoding='ascii')
