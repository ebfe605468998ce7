"""Draws the people of a SyntheticVox world as one picture.

    python -m tools.preview_synthetic --output=people.png --seed=1

Shows frames before encoding, as the networks see them (128x128, paper
section 4.1), or with `--low` after 16x degradation.
"""

from __future__ import annotations

from absl import flags
import numpy as np
from PIL import Image

from earsr_tf import cli
from earsr_tf.synthetic import people
from earsr_tf.synthetic import portrait
from earsr_tf.synthetic import pose as pose_lib
from earsr_tf.synthetic import seeds

_OUTPUT = flags.DEFINE_string(
    'output', None, 'A PNG to write.', required=True)
_PEOPLE = flags.DEFINE_integer('people', 32, 'How many.', lower_bound=1)
_COLUMNS = flags.DEFINE_integer('columns', 8, 'Per row.', lower_bound=1)
_VIDEOS = flags.DEFINE_integer(
    'videos', 1, 'Frames of each person, each of another video.',
    lower_bound=1)
_SEED = flags.DEFINE_integer('seed', 1, 'Seed of the world.')
_LOW = flags.DEFINE_bool('low', False, 'Show the 8x8 images, enlarged.')
_SIZE = 128


def _frame(person: people.Person, video: str) -> np.ndarray:
  """One frame of a person, [128, 128, 3] uint8."""
  names = (person.seed, person.speaker, video)
  rng = seeds.stream(*names, 'preview')
  still = portrait.still(
      portrait.make_setting(person.face, *names),
      pose_lib.draw_poses(rng, 2)[0], float(rng.random()) ** 2)
  picture = Image.fromarray(still).resize((_SIZE, _SIZE), Image.BICUBIC)
  if _LOW.value:
    picture = picture.resize((8, 8), Image.BICUBIC).resize(
        (_SIZE, _SIZE), Image.NEAREST)
  return np.asarray(picture)


def main() -> None:
  """Writes the picture."""
  population = people.make_population(_PEOPLE.value, _SEED.value, 0.2)
  frames = [
      _frame(person, f'preview{video}') for person in population
      for video in range(_VIDEOS.value)]
  rows = -(-len(frames) // _COLUMNS.value)
  sheet = np.zeros((rows * _SIZE, _COLUMNS.value * _SIZE, 3), np.uint8)
  for index, frame in enumerate(frames):
    row, column = divmod(index, _COLUMNS.value)
    sheet[row * _SIZE:(row + 1) * _SIZE,
          column * _SIZE:(column + 1) * _SIZE] = frame
  Image.fromarray(sheet).save(_OUTPUT.value)
  print(_OUTPUT.value)


if __name__ == '__main__':
  cli.run(main)
