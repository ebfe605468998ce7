"""C_i, C_g and C_a of a data set, on top of a network (section 4.4).

A linear discriminant reads a face descriptor, or the features of the trained
classifier and the image at 16x16. It is made in closed form from D's pictures,
half of them blurred, so that it knows the closed set's people only. Everybody,
the open set's people too, is named by the mean of gallery pictures: of D and of
`open_gallery`, never of a test video.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Mapping

import numpy as np
import tensorflow as tf

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.ops import discriminant as discriminant_lib
from earsr_tf.ops import resample
from earsr_tf.stages import attributes as attributes_stage

_OPEN_GALLERY = 'open_gallery'
_PIXELS_SIDE = 16
_BLURRED_TO = (16, 8)  # in turn
_INPUTS = (keys.IMAGE_HIGH, keys.SPEAKER, keys.GENDER, keys.AGE)
# Below any cosine: a person without a gallery is never named.
_NOBODY = -2.0


class Judge:
  """C_i, C_g and C_a of an image.

  Attributes:
    means: [N, K] float32, people in the directions of the discriminant, of
      length 1; 0 for people without a gallery.
  """

  def __init__(self, *, reader: Reader,
               discriminant: discriminant_lib.Discriminant,
               means: np.ndarray):
    """Takes what it knows.

    Args:
      reader: Makes the values of an image.
      discriminant: Reads them.
      means: [N, K], as of the attribute.
    """
    self.means = means
    self._reader = reader
    self._discriminant = discriminant
    self._is_known = np.any(means != 0.0, axis=1)

  def __call__(self, image_high: tf.Tensor) -> dict[str, tf.Tensor]:
    """Judges images.

    Args:
      image_high: [B, S, S, 3] float32 in [-1, 1].

    Returns:
      'speaker_logits' [B, N], cosines to the means, 'gender_logits' [B, 2]
      (female, male) and 'age' [B] in years, float32.
    """
    found = self._discriminant
    values = self._reader.of_both_sides(image_high) - found.mean
    where = _unit(values @ found.people)
    labels = values @ found.labels + found.offsets
    cosines = np.where(self._is_known, where @ self.means.T, _NOBODY)
    return {
        'speaker_logits': tf.constant(cosines, tf.float32),
        'gender_logits': tf.constant(
            np.stack([0.5 - labels[:, 0], labels[:, 0] - 0.5], 1), tf.float32),
        'age': tf.constant(labels[:, 1], tf.float32)}


def enroll(reader: Reader, data_dir: str, batch_size: int) -> Judge:
  """Makes the judge of a data set: one pass over all gallery frames.

  Args:
    reader: Makes the values that the discriminant reads.
    data_dir: Folder of prepared shards.
    batch_size: Images at a time.

  Returns:
    A judge that names `DataInfo.speakers` by number.

  Raises:
    DataError: If the data are damaged or hold nothing to train on.
  """
  manifest = manifest_lib.read_manifest(data_dir)
  learned = _Gallery(people=len(manifest.all_speakers))
  for number, batch in enumerate(_batches(
      manifest, manifest_lib.TRAINING_SPLITS, batch_size)):
    image = batch[keys.IMAGE_HIGH]
    values = reader.values(image)
    learned.add(batch, values)
    side = min(_BLURRED_TO[number % len(_BLURRED_TO)], image.shape[1])
    blurred = attributes_stage.softened(image, image.shape[1] // side)
    for some in (values, reader.values(blurred)):
      learned.learn(batch, some)
  # Nothing is learned from the open set's people: they are only remembered.
  if manifest.splits[_OPEN_GALLERY]:
    for batch in _batches(manifest, (_OPEN_GALLERY,), batch_size):
      learned.add(batch, reader.values(batch[keys.IMAGE_HIGH]))
  return learned.judge(reader)


def _batches(manifest: manifest_lib.Manifest, splits: tuple[str, ...],
             batch_size: int) -> tf.data.Dataset:
  """All frames of splits."""
  return batching.make_eval_dataset(
      manifest, splits=splits, inputs=_INPUTS, batch_size=batch_size,
      frames_per_clip=manifest.frames_per_clip)


@dataclasses.dataclass(frozen=True)
class Reader:
  """What is read of an image.

  Attributes:
    read: [B, S, S, 3] in [-1, 1] -> [B, D].
    pixels: How many of the D values, the first, are pixels.
  """
  read: Callable[[tf.Tensor], np.ndarray]
  pixels: int = 0

  def parts(self, width: int) -> tuple[int, ...]:
    """Widths of the kinds of values among all: pixels, features."""
    return (self.pixels, width - self.pixels) if self.pixels else (width,)

  def values(self, image_high: tf.Tensor) -> np.ndarray:
    """[2 B, D] of [B, S, S, 3] images, then of their mirrors."""
    return self.read(tf.concat(
        [image_high, tf.reverse(image_high, [2])], 0))

  def of_both_sides(self, image_high: tf.Tensor) -> np.ndarray:
    """[B, D]: means of the values of images and of their mirrors."""
    return self.values(image_high).reshape(2, len(image_high), -1).mean(0)


def classifier_reader(classifier: tf.keras.Model) -> Reader:
  """Reads images at 16x16 and `features` of a classifier."""
  def read(image: tf.Tensor) -> np.ndarray:
    """Values of both kinds."""
    pixels = resample.downsample_box(image, image.shape[1] // _PIXELS_SIDE)
    return np.concatenate([
        pixels.numpy().reshape(len(pixels), -1),
        classifier(image)['features'].numpy()], axis=1)
  return Reader(read, 3 * _PIXELS_SIDE ** 2)


def descriptor_reader(descriptor: tf.keras.Model) -> Reader:
  """Reads a descriptor's codes, scaled to length 1."""
  return Reader(lambda image: tf.math.l2_normalize(
      descriptor(image), -1).numpy())


class _Gallery:
  """What a pass over pictures leaves: sums, with and without blurred ones."""

  def __init__(self, *, people: int):
    self._people = people
    self._counts = np.zeros([people, 1])
    self._totals: np.ndarray | None = None
    self._sums: discriminant_lib.Sums | None = None

  def add(self, batch: Mapping[str, tf.Tensor], values: np.ndarray) -> None:
    """Remembers people by values [2 B, D] of their pictures."""
    if self._totals is None:
      self._totals = np.zeros([self._people, values.shape[1]])
    person = np.tile(batch[keys.SPEAKER].numpy(), 2)
    np.add.at(self._totals, person, values)
    np.add.at(self._counts, person, 1.0)

  def learn(self, batch: Mapping[str, tf.Tensor], values: np.ndarray) -> None:
    """Adds values [2 B, D] to what the discriminant is made from."""
    if self._sums is None:
      self._sums = discriminant_lib.Sums(
          people=self._people, width=values.shape[1])
    self._sums.add(values, *(
        np.tile(batch[key].numpy(), 2)
        for key in (keys.SPEAKER, keys.GENDER, keys.AGE)))

  def judge(self, reader: Reader) -> Judge:
    """Solves for the discriminant and places people in it."""
    found = discriminant_lib.fit(
        self._sums, reader.parts(self._totals.shape[1]))
    means = self._totals / np.maximum(self._counts, 1.0) - found.mean
    means = np.where(self._counts > 0, _unit(means @ found.people), 0.0)
    return Judge(reader=reader, discriminant=found,
                 means=means.astype(np.float32))


def _unit(values: np.ndarray) -> np.ndarray:
  """Rows, scaled to length 1."""
  return values / np.maximum(
      np.linalg.norm(values, axis=1, keepdims=True), 1e-12)
