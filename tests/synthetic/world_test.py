"""SyntheticVox as a whole: same seed, same bytes; who lives there."""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

from earsr_tf.synthetic import clip as clip_lib
from earsr_tf.synthetic import people
from earsr_tf.synthetic import seeds

ROOT = pathlib.Path(__file__).resolve().parents[2]
_SCRIPT = '''
import sys
import numpy as np
from earsr_tf.synthetic import clip, people
person = people.make_population(6, 3, 0.2)[int(sys.argv[2])]
made = clip.make_clip(person, 'videoname01', '00001')
np.savez(sys.argv[1], frames=made.frames, samples=made.samples)
assert 'tensorflow' not in sys.modules
'''


def _render_elsewhere(
    path: pathlib.Path, index: int, **variables: str) -> dict[str, np.ndarray]:
  """Renders a clip in another process with extra environment variables."""
  subprocess.run(
      [sys.executable, '-c', _SCRIPT, str(path), str(index)], check=True,
      cwd=ROOT, env=dict(os.environ, PYTHONPATH=str(ROOT), **variables))
  with np.load(path) as arrays:
    return {name: arrays[name] for name in arrays.files}


def _dispatched_features() -> str:
  """CPU features that NumPy may choose at run time, on this machine."""
  found = np.__config__.show(mode='dicts')['SIMD Extensions'].get('found', [])
  return ' '.join(found)


def test_same_bytes_in_another_process(tmp_path: pathlib.Path) -> None:
  person = people.make_population(6, 3, 0.2)[2]
  here = clip_lib.make_clip(person, 'videoname01', '00001')
  there = _render_elsewhere(
      tmp_path / 'a.npz', 2, PYTHONHASHSEED='77', OMP_NUM_THREADS='1')
  np.testing.assert_array_equal(here.frames, there['frames'])
  np.testing.assert_array_equal(here.samples, there['samples'])


@pytest.mark.parametrize('index', [0, 3])
def test_one_level_on_another_cpu(tmp_path: pathlib.Path, index: int) -> None:
  features = _dispatched_features()
  if not features:
    pytest.skip('NumPy has no run-time CPU features to disable here')
  person = people.make_population(6, 3, 0.2)[index]
  here = clip_lib.make_clip(person, 'videoname01', '00001')
  there = _render_elsewhere(
      tmp_path / 'a.npz', index, NPY_DISABLE_CPU_FEATURES=features)
  assert np.abs(
      here.frames.astype(int) - there['frames'].astype(int)).max() <= 1
  assert np.abs(
      here.samples.astype(int) - there['samples'].astype(int)).max() <= 1


def test_stream_is_a_function_of_its_names() -> None:
  first = seeds.stream(1, 'id00001', 'face').random(4)
  np.testing.assert_array_equal(
      first, seeds.stream(1, 'id00001', 'face').random(4))
  for other in ((1, 'id00001', 'voice'), (11, 'd00001', 'face')):
    assert not np.array_equal(first, seeds.stream(*other).random(4))


def test_choose_follows_weights() -> None:
  rng = seeds.stream('choose')
  drawn = [seeds.choose(rng, {'a': 3.0, 'b': 1.0, 'c': 0.0})
           for _ in range(2000)]
  assert abs(drawn.count('a') / 2000 - 0.75) < 0.04
  assert drawn.count('c') == 0


def test_population_is_balanced() -> None:
  population = people.make_population(100, 5, 0.2)
  assert [p.speaker for p in population[:2]] == ['id00001', 'id00002']
  assert sum(p.gender for p in population) == 50
  opened = [p for p in population if p.open_set]
  assert len(opened) == 20
  assert sum(p.gender for p in opened) == 10
  ages = np.array([p.age for p in population])
  assert ages.min() >= 20 and ages.max() <= 70
  assert abs(ages.mean() - 45) < 5


def test_world_depends_on_seed() -> None:
  one = people.make_population(4, 1, 0.2)
  two = people.make_population(4, 2, 0.2)
  assert [p.face for p in one] != [p.face for p in two]
  assert one == people.make_population(4, 1, 0.2)


def test_face_and_voice_are_independent_given_gender_and_age() -> None:
  population = people.make_population(1500, 9, 0.2)
  men = [p for p in population if p.gender == people.MALE]
  columns = np.array([
      [p.age, p.face.width, p.face.eye_x, p.face.nose_length, p.face.skin[0],
       p.face.hair.volume, p.voice.f0_hz, p.voice.tract, p.voice.formants[0],
       p.voice.bandwidth] for p in men])
  # Residuals after a straight line in age; 750 people: sd of r is .037.
  age = np.stack([columns[:, 0], np.ones(len(men))], 1)
  fit = np.linalg.lstsq(age, columns[:, 1:], rcond=None)[0]
  rest = columns[:, 1:] - age @ fit
  between = np.corrcoef(rest.T)[:5, 5:]
  assert np.abs(between).max() < 0.15


def test_clip_depends_on_every_name() -> None:
  person = people.make_population(2, 1, 0.2)[0]
  digests = {
      hashlib.sha1(clip_lib.make_clip(person, *names).samples).hexdigest()
      for names in (('va', '1'), ('va', '2'), ('vb', '1'))}
  assert len(digests) == 3
