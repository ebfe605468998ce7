"""The people of SyntheticVox: who they are, to the eye and to the ear.

Gender and age shape both the face and the voice. Given gender and age, the
two are drawn from different streams and are independent: a voice tells who
someone is only to those who have heard that person (the paper's closed set,
section 4.1).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import looks
from earsr_tf.synthetic import seeds

FEMALE, MALE = 0, 1
MIN_AGE, MAX_AGE = 20.0, 70.0


@dataclasses.dataclass(frozen=True)
class VoiceIdentity:
  """What is constant in a person's voice.

  Attributes:
    f0_hz: Mean fundamental frequency.
    f0_range: Standard deviation of log F0 over a sentence.
    tract: Factor on all formant frequencies (1 is an average man's tract).
    formants: [4] individual factors on the formants, near 1.
    bandwidth: Factor on formant bandwidths.
    tilt: Pole of the glottal low-pass in [0, 1); larger is duller.
    breath: Level of aspiration noise relative to voicing.
    jitter: Relative standard deviation of glottal periods.
    shimmer: Relative standard deviation of glottal amplitudes.
    rate: Syllables per second.
    tremor: Depth of a slow F0 tremor (old voices).
    timbre_db: [12] the person's own spectral envelope beyond the formants
      (throat, sinuses, teeth), at even steps in mel up to 8 kHz.
  """
  f0_hz: float
  f0_range: float
  tract: float
  formants: tuple[float, float, float, float]
  bandwidth: float
  tilt: float
  breath: float
  jitter: float
  shimmer: float
  rate: float
  tremor: float
  timbre_db: tuple[float, ...]


@dataclasses.dataclass(frozen=True)
class Person:
  """One speaker.

  Attributes:
    speaker: Name, e.g. 'id00007'.
    gender: FEMALE or MALE.
    age: Years in [MIN_AGE, MAX_AGE].
    open_set: Whether the speaker is kept out of training.
    face: What is constant in the face.
    voice: What is constant in the voice.
    seed: Seed of the world the person lives in.
  """
  speaker: str
  gender: int
  age: float
  open_set: bool
  face: looks.FaceIdentity
  voice: VoiceIdentity
  seed: int


def draw_voice(
    rng: np.random.Generator, gender: int, age: float) -> VoiceIdentity:
  """Draws a voice given gender and age, and nothing else."""
  old = (age - MIN_AGE) / (MAX_AGE - MIN_AGE)
  normal = rng.standard_normal(28)
  if gender == MALE:
    # Men's F0 falls to middle age and rises late; women's falls throughout.
    f0_hz = (122 + 14 * old) * _exp2(0.20 * _bound(normal[0]))
    tract = 1.00 * _exp2(0.045 * _bound(normal[1]))
  else:
    f0_hz = (205 - 34 * old) * _exp2(0.18 * _bound(normal[0]))
    tract = 1.155 * _exp2(0.045 * _bound(normal[1]))
  return VoiceIdentity(
      f0_hz=float(f0_hz),
      f0_range=float(0.10 + 0.025 * _bound(normal[2])),
      tract=float(tract * (1 - 0.03 * old)),
      formants=tuple(
          float(1 + 0.028 * _bound(value)) for value in normal[3:7]),
      bandwidth=float(_exp2(0.14 * _bound(normal[7]))),
      tilt=float(np.clip(0.80 + 0.04 * normal[8] + 0.06 * old, 0.55, 0.95)),
      breath=float(
          (0.05 + 0.04 * (gender == FEMALE) + 0.12 * old)
          * _exp2(0.25 * _bound(normal[9]))),
      jitter=float((0.004 + 0.022 * old) * _exp2(0.2 * _bound(normal[10]))),
      shimmer=float((0.04 + 0.18 * old) * _exp2(0.2 * _bound(normal[11]))),
      rate=float(5.4 - 1.7 * old + 0.25 * _bound(normal[12])),
      tremor=float((0.002 + 0.030 * old ** 2) * _exp2(0.4 * normal[13])),
      timbre_db=tuple(1.8 * _bound(value) for value in normal[16:28]))


def make_person(
    speaker: str, seed: int, gender: int, open_set: bool) -> Person:
  """The person called `speaker` in the world `seed`.

  Args:
    speaker: Name, e.g. 'id00007'.
    seed: The world's seed.
    gender: FEMALE or MALE.
    open_set: Kept out of training.

  Returns:
    The same person whenever the arguments are the same.
  """
  rng = seeds.stream(seed, speaker, 'age')
  age = round(MIN_AGE + (MAX_AGE - MIN_AGE) * rng.random(), 1)
  return Person(
      speaker=speaker, gender=gender, age=age, open_set=open_set,
      face=looks.draw_face(
          seeds.stream(seed, speaker, 'face'), gender == MALE, age),
      voice=draw_voice(seeds.stream(seed, speaker, 'voice'), gender, age),
      seed=seed)


def make_population(
    speakers: int, seed: int, open_set_share: float) -> list[Person]:
  """All speakers of a world, half of them men, in order of name.

  Args:
    speakers: How many.
    seed: The world's seed.
    open_set_share: Share in [0, 1] kept out of training, equal for both
      genders up to rounding.

  Returns:
    [speakers] persons named id00001, id00002 ...
  """
  order = seeds.stream(seed, speakers, 'population').permutation(speakers)
  genders = [int(value) for value in order % 2]
  open_count = int(round(open_set_share * speakers))
  opened = set(int(i) for i in np.argsort(order, kind='stable')[:open_count])
  return [
      make_person(f'id{i + 1:05d}', seed, genders[i], i in opened)
      for i in range(speakers)]


def _bound(value: float) -> float:
  """Keeps a normal draw within 2.2 standard deviations."""
  return float(min(max(value, -2.2), 2.2))


def _exp2(value: float) -> float:
  """2 to the power of `value`."""
  return float(2.0 ** value)
