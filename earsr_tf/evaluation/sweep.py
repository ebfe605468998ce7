"""One pass over a test set, and a second one with swapped voices.

The first pass makes all pictures of a batch, scores them and keeps only
codes, labels and 8-bit originals; the second works on the codes: row (x), and
the mixing of Table 3 (section 4.4, 'Editing by Mixing Audio Sources').
"""

from __future__ import annotations

import dataclasses
from typing import Any, Iterator, Mapping

import numpy as np
import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.evaluation import attributes
from earsr_tf.evaluation import comparators as comparators_lib
from earsr_tf.evaluation import corrections
from earsr_tf.evaluation import dlib_faces
from earsr_tf.evaluation import feature_distances
from earsr_tf.evaluation import linear_floors
from earsr_tf.evaluation import metrics
from earsr_tf.evaluation import rows as rows_lib
from earsr_tf.ops import consistency_mode
from earsr_tf.ops import pixels

_GALLERY_PEOPLE = 40
_PLACE, _CODE = 'face_place', 'face_code'
# Kept beside the labels: what the classifiers say of the originals.
_SAID = {name: f'said_{name}' for name in ('speaker', 'gender', 'age')}


@dataclasses.dataclass(frozen=True)
class Person:
  """The first test image of one person, for the figures.

  Attributes:
    clip: '<speaker>/<video>/<clip>'.
    gender: 0 female, 1 male, -1 unknown.
    age: Years, NaN unknown.
    image_low: [s, s, 3] uint8.
    truth: [S, S, 3] uint8.
    outputs: Row key -> [S, S, 3] uint8.
    code_low: E_l's code [L, d]; None without F.
    code_audio: The tuned E_a's code [L, d]; None without F.
  """
  clip: str
  gender: int
  age: float
  image_low: np.ndarray
  truth: np.ndarray
  outputs: Mapping[str, np.ndarray]
  code_low: np.ndarray | None
  code_audio: np.ndarray | None


class Sweep:
  """Makes and scores the pictures of a test set, batch by batch.

  Attributes:
    clips: Clip names '<speaker>/<video>/<clip>' of the images so far.
    people: Speaker name -> the first image of that speaker.
    distances: Features of all rows, if FID and KID are wanted.
  """

  def __init__(self, *, reconstructor: rows_lib.Reconstructor,
               floors: linear_floors.Floors | None = None,
               others: comparators_lib.OptionalRows | None = None,
               consistency: str = consistency_mode.OFF,
               descriptor: str = '',
               features: feature_distances.Features | None = None):
    """Starts empty.

    Args:
      reconstructor: Makes the pictures.
      floors: Makes those of the linear rows.
      others: Makes those of other methods and of ablations.
      consistency: Correction that adds rows; see `corrections.rows`.
      descriptor: 'dlib' adds its scores.
      features: Of which FID and KID are made, if they are wanted.
    """
    self.clips: list[str] = []
    self.people: dict[str, Person] = {}
    self._make = reconstructor
    self._floors, self._others = floors, others
    self._consistency, self._descriptor = consistency, descriptor
    self.distances = feature_distances.FeatureDistances(
        features=features) if features else None
    self._scores: dict[str, list[dict[str, np.ndarray]]] = {}
    self._kept: dict[str, list[np.ndarray]] = {}

  def add(self, batch: Mapping[str, tf.Tensor]) -> None:
    """Makes and scores the pictures of one batch."""
    image_high = batch[keys.IMAGE_HIGH]
    truth = pixels.to_uint8(image_high)
    low = self._make.low(image_high)
    codes = self._make.codes(image_high, batch[keys.WAVEFORM])
    outputs = {'original': truth}
    made = self._make.generate_rows(codes)
    for row in self._make.rows:
      if row.key in ('nearest', 'bicubic'):
        outputs[row.key] = self._make.upsample(low, row.key)
      elif row.key in made:
        outputs[row.key] = made[row.key]
    if self._others:
      outputs |= self._others.pictures(image_high, batch[keys.WAVEFORM])
    outputs |= corrections.apply(outputs, low, self._consistency)
    entries = {
        'truth': truth.numpy(), 'low': low.numpy(),
        **{key: batch[key].numpy()
           for key in (keys.SPEAKER, keys.GENDER, keys.AGE)}}
    if self._descriptor:
      faces = dlib_faces.find(entries['truth'])
      entries |= {_PLACE: faces.place, _CODE: faces.code}
    if 'h' in codes:
      entries |= {'code_low': codes['c'].numpy(),
                  'code_audio': codes['audio'].numpy()}
    outputs = {key: image.numpy() for key, image in outputs.items()}
    if self._floors:
      entries['voice'] = linear_floors.voice_statistics(
          batch[keys.WAVEFORM])
      outputs |= self._floors.pictures(
          entries['truth'], entries['low'], entries['voice'])
    said = self._judge(outputs)
    if said:
      entries |= {entry: getattr(said['original'], name)
                  for name, entry in _SAID.items()}
    names = [clip.decode('utf-8') for clip in batch[keys.CLIP].numpy()]
    self._remember(names, entries, outputs)
    self._score(entries, outputs, said)

  def scores(self) -> dict[str, dict[str, np.ndarray]]:
    """Row key -> score -> [N], in the tables' order."""
    rows = self._make.rows + (self._others.rows if self._others else ())
    rows += self._floors.rows if self._floors else ()
    rows += corrections.rows(rows, self._consistency)
    return {
        row.key: {metric: np.concatenate([part[metric] for part in parts])
                  for metric in parts[0]}
        for row in rows
        if (parts := self._scores.get(row.key))}

  def labels(self) -> attributes.Labels:
    """What the records say of all images."""
    return attributes.Labels(
        self._all(keys.SPEAKER), self._all(keys.GENDER), self._all(keys.AGE))

  def speaker_names(self) -> list[str]:
    """[N] names of the speakers, from the clips' names."""
    return [clip.split('/')[0] for clip in self.clips]

  def mix(self, batch_size: int, seed: int) -> dict[str, Any] | None:
    """Swaps voices: scores row (x), its floor, and measures Table 3.

    Args:
      batch_size: Images at a time.
      seed: Chooses the other voices.

    Returns:
      Pairs of different gender, and how often C_g agrees with the gender of
      the low-resolution image and of the voice; None where not applicable.
    """
    speakers, genders = np.array(self.speaker_names()), self._all(keys.GENDER)
    anyone = other_voices(speakers, None, seed)
    if self._floors:
      self._swap_linearly(anyone, batch_size)
    if 'h' not in self._make.keys:
      return None
    for chunk, outputs in self._swapped(anyone, batch_size):
      corrected = corrections.apply(
          {'x': outputs}, chunk['low'], self._consistency)
      self._score_swapped(chunk, {'x': outputs} | {
          key: image.numpy() for key, image in corrected.items()})
    opposite = other_voices(speakers, genders, seed)
    agrees = []
    if self._make.classifier is None:
      return None
    for chunk, outputs in self._swapped(opposite, batch_size):
      predicted = attributes.classify(self._make.classifier, outputs).gender
      agrees.append(predicted == chunk[keys.GENDER])
    if not agrees:
      return None
    agrees = np.concatenate(agrees)
    return {'pairs': len(agrees), 'agrees_low': float(agrees.mean()),
            'agrees_audio': float(1.0 - agrees.mean())}

  def _swapped(
      self, other: np.ndarray, batch_size: int,
  ) -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
    """Yields (kept entries, F's images with the voices of `other`)."""
    kept = {key: self._all(key) for key in self._kept}
    where = np.flatnonzero(other >= 0)
    for start in range(0, len(where), batch_size):
      picks = where[start:start + batch_size]
      code = self._make.fuse(
          tf.constant(kept['code_low'][picks]),
          tf.constant(kept['code_audio'][other[picks]]))
      chunk = {key: values[picks] for key, values in kept.items()}
      yield chunk, self._make.generate(code).numpy()

  def _swap_linearly(self, other: np.ndarray, batch_size: int) -> None:
    """Scores the linear row with the voices of `other`."""
    kept = {key: self._all(key) for key in self._kept}
    where = np.flatnonzero(other >= 0)
    for start in range(0, len(where), batch_size):
      picks = where[start:start + batch_size]
      chunk = {key: values[picks] for key, values in kept.items()}
      self._score_swapped(chunk, self._floors.with_voice(
          chunk['low'], kept['voice'][other[picks]],
          chunk['truth'].shape[1:]))

  def _judge(self, outputs: Mapping[str, np.ndarray]
             ) -> dict[str, attributes.Predictions]:
    """What the classifiers say, by row: one call for all; none, nothing."""
    if self._make.classifier is None or not outputs:
      return {}
    said = attributes.classify(
        self._make.classifier, np.concatenate(list(outputs.values())))
    parts = zip(*(np.split(getattr(said, name), len(outputs))
                  for name in _SAID))
    return {key: attributes.Predictions(*part)
            for key, part in zip(outputs, parts)}

  def _score_swapped(self, chunk: Mapping[str, np.ndarray],
                     outputs: Mapping[str, np.ndarray]) -> None:
    """Scores pictures with other voices, of entries that were kept."""
    self._score(chunk, outputs, self._judge(outputs))

  def _score(self, entries: Mapping[str, np.ndarray],
             outputs: Mapping[str, np.ndarray],
             said: Mapping[str, attributes.Predictions]) -> None:
    """Appends every score of a batch's pictures."""
    labels = attributes.Labels(
        entries[keys.SPEAKER], entries[keys.GENDER], entries[keys.AGE])
    for key, image in outputs.items():
      if self.distances:
        self.distances.add(key, image)
      scores = {
          'psnr': metrics.psnr(image, entries['truth']),
          'ssim': metrics.ssim(image, entries['truth']),
          'lr_consistency': metrics.lr_consistency(image, entries['low'])}
      if said:
        original = attributes.Predictions(
            *(entries[entry] for entry in _SAID.values()))
        scores |= attributes.score(said[key], original, labels)
      if _PLACE in entries:
        scores |= dlib_faces.score(image, dlib_faces.Originals(
            entries[_PLACE], entries[_CODE]))
      self._scores.setdefault(key, []).append(scores)

  def _remember(
      self, names: list[str], entries: Mapping[str, np.ndarray],
      outputs: Mapping[str, np.ndarray]) -> None:
    """Keeps what the second pass and the figures need."""
    self.clips.extend(names)
    for key, values in entries.items():
      self._kept.setdefault(key, []).append(values)
    for i, clip in enumerate(names):
      speaker = clip.split('/')[0]
      if speaker in self.people or len(self.people) >= _GALLERY_PEOPLE:
        continue
      self.people[speaker] = Person(
          clip=clip, gender=int(entries[keys.GENDER][i]),
          age=float(entries[keys.AGE][i]), image_low=entries['low'][i],
          truth=entries['truth'][i],
          outputs={key: image[i] for key, image in outputs.items()},
          code_low=entries['code_low'][i] if 'code_low' in entries else None,
          code_audio=(
              entries['code_audio'][i] if 'code_audio' in entries else None))

  def _all(self, key: str) -> np.ndarray:
    """One array of everything kept under `key`."""
    return np.concatenate(self._kept[key])


def other_voices(speakers: np.ndarray, genders: np.ndarray | None,
                 seed: int) -> np.ndarray:
  """Picks another person's sample for each sample, at random.

  Args:
    speakers: [N] labels.
    genders: [N], 0 or 1, -1 unknown; given, the other person is of the other
      gender.
    seed: Seed.

  Returns:
    [N] int64 positions; -1 where there is no such person.
  """
  random = np.random.default_rng(seed)
  picks = np.full(len(speakers), -1, np.int64)
  for i, speaker in enumerate(speakers):
    if genders is None:
      allowed = speakers != speaker
    else:
      allowed = (genders == 1 - genders[i]) & (genders[i] >= 0)
    choices = np.flatnonzero(allowed)
    if len(choices):
      picks[i] = choices[random.integers(len(choices))]
  return picks
