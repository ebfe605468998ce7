"""What a run reports: metrics.jsonl, TensorBoard, a bar or a log line.

metrics.jsonl is the record: TensorBoard's writer swallows a full disk without
a word, a line that cannot be written here stops the run.
"""

from __future__ import annotations

import pathlib
import time
from typing import Mapping

from absl import logging
import numpy as np
from tensorboard.plugins.hparams import api as hparams
import tensorflow as tf
import tqdm

from earsr_tf.ops import spectrogram
from earsr_tf.training.monitoring import record

FOLDER = 'train'  # of the event files, within that of the stage
_MAX_VOICES = 4


class Silence:
  """Stands in for `Reporter` in a worker whose chief reports."""

  def rewind(self, images: int) -> None:
    """Nothing was recorded."""

  def sync(self) -> None:
    """Nothing has to reach the disk."""

  def advance(self, images: int) -> None:
    """There is no bar."""

  def note(self, images: int, name: str, text: str) -> None:
    """The chief tells it."""

  def close(self) -> None:
    """Nothing is open."""


class Reporter:
  """Writes the scalars, images and voices of one stage.

  The x axis of all summaries is the number of images shown.
  """

  def __init__(self, *, folder: pathlib.Path, stage: str, images: int,
               total_images: int, log_every: float):
    """Opens the files; `images` is where the run stands.

    Raises:
      StorageError: If metrics.jsonl cannot be written.
    """
    self._stage = stage
    self._total = total_images
    self._log_every = log_every
    self._writer = tf.summary.create_file_writer(str(folder / FOLDER))
    self._record = record.Record(folder=folder, images=images)
    # Silent unless on a terminal; there, the bar stands in for log lines.
    self._bar = tqdm.tqdm(
        total=total_images, initial=images, unit='img', desc=stage,
        disable=None, mininterval=1.0, smoothing=0.1)
    self._last_time = self._last_log = time.monotonic()
    self._last_images = images

  def rewind(self, images: int) -> None:
    """Forgets what was recorded beyond `images`: it will come again."""
    self._record.rewind(images)
    self._bar.n = self._last_images = images
    self._last_time = time.monotonic()
    self._bar.refresh()

  def sync(self) -> None:
    """Waits until all records are on the disk."""
    self._record.sync()

  def advance(self, images: int) -> None:
    """Moves the progress bar by `images`."""
    self._bar.update(images)

  def scalars(self, step: int, images: int, values: Mapping[str, float]
              ) -> None:
    """Records scalars at `images`, with the rate since the last record.

    A log line follows if `log_every` seconds have passed since the last one.

    Raises:
      StorageError: If metrics.jsonl cannot be written.
    """
    now = time.monotonic()
    rate = (images - self._last_images) / max(now - self._last_time, 1e-9)
    values = {**values, 'timing/images_per_s': rate,
              'progress/kimg': images / 1000.0}
    self._last_time, self._last_images = now, images
    self._record.write({'step': step, 'images': images, **values})
    # TensorFlow keeps every Python number that it converts, not NumPy's.
    with self._writer.as_default(step=np.int64(images)):
      for name, value in values.items():
        tf.summary.scalar(name, np.float32(value))
    if self._bar.disable and now - self._last_log >= self._log_every:
      self._last_log = now
      shown = ' '.join(
          f'{name.removeprefix("loss/")}={value:.4g}'
          for name, value in values.items()
          if name.startswith(('loss/', 'weight/')))
      left = (self._total - images) / max(rate, 1e-9)
      logging.info('%s: %d/%d images, %.1f images/s, %.0f s left, %s',
                   self._stage, images, self._total, rate, left, shown)

  def note(self, images: int, name: str, text: str) -> None:
    """Records an event in words, such as a halving of lambda_t."""
    logging.info('%s: %s', self._stage, text)
    with self._writer.as_default(step=np.int64(images)):
      tf.summary.text(name, text)

  def preview(self, images: int, grids: Mapping[str, np.ndarray]) -> None:
    """Records images, [N, H, W, 3] float in [-1, 1] each, as one grid.

    A column per name, in order, and a row per image.
    """
    columns = [np.asarray(v) for v in grids.values()]
    side = max(c.shape[1] for c in columns)
    columns = [np.repeat(np.repeat(c, side // c.shape[1], 1),
                         side // c.shape[1], 2) for c in columns]
    rows = np.concatenate(
        [np.concatenate(list(c), axis=0) for c in columns], axis=1)
    self._image(images, '|'.join(grids), rows[None])

  def picture(self, images: int, name: str, cells: np.ndarray) -> None:
    """Records one image of R rows and C columns, [R, C, H, W, 3]."""
    rows = [np.concatenate(list(row), axis=1) for row in np.asarray(cells)]
    self._image(images, name, np.concatenate(rows, axis=0)[None])

  def voices(self, images: int, waveform: np.ndarray) -> None:
    """Records voices, [N, samples] float32 in [-1, 1], as sound and picture.

    The pictures are E_a's inputs: time runs to the right, frequency up.
    """
    waveform = np.asarray(waveform)[:_MAX_VOICES]
    with self._writer.as_default(step=np.int64(images)):
      tf.summary.audio('preview/voices', waveform[:, :, None],
                       spectrogram.SAMPLE_RATE_HZ, max_outputs=_MAX_VOICES)
    shown = spectrogram.log_spectrogram(tf.constant(waveform)).numpy()
    self._image(images, 'spectrograms',
                shown.transpose(0, 2, 1, 3)[:, ::-1])  # [N, bins, frames, 1]

  def histogram(self, images: int, name: str, values: np.ndarray) -> None:
    """Records how `values` are distributed."""
    with self._writer.as_default(step=np.int64(images)):
      tf.summary.histogram(name, values)

  def hyperparameters(self, values: Mapping[str, object]) -> None:
    """Records the settings by which TensorBoard compares runs."""
    with self._writer.as_default():
      hparams.hparams(dict(values))

  def _image(self, images: int, name: str, pixels: np.ndarray) -> None:
    """Writes [N, H, W, 1 or 3] in [-1, 1], brought into [0, 1]."""
    with self._writer.as_default(step=np.int64(images)):
      tf.summary.image(
          f'preview/{name}', np.clip((pixels + 1.0) * 0.5, 0.0, 1.0),
          max_outputs=_MAX_VOICES)

  def close(self) -> None:
    """Flushes and closes all files."""
    self._bar.close()
    self._record.close()
    self._writer.close()
