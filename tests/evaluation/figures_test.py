"""Figures: layout, hard pixels, and who is shown."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image

from earsr_tf.evaluation import figures
from earsr_tf.evaluation import sweep


def _person(gender: int, level: int, age: float = 30.0,
            keys: tuple[str, ...] = ('b', 'c', 'd', 'h')) -> sweep.Person:
  image = np.full([128, 128, 3], level, np.uint8)
  low = np.zeros([8, 8, 3], np.uint8)
  low[0, 0] = 255
  return sweep.Person(
      clip=f'{level}/v/c', gender=gender, age=age, image_low=low, truth=image,
      outputs={key: image for key in keys}, code_low=None, code_audio=None)


def test_choose_takes_women_and_men_in_turn() -> None:
  people = [_person(0, 1), _person(0, 2), _person(1, 3), _person(-1, 4)]
  chosen = figures.choose(people, 3)
  assert [person.clip[0] for person in chosen] == ['1', '3', '4']
  assert len(figures.choose(people, 9)) == 4


def test_describe_says_what_is_known() -> None:
  assert figures.describe(_person(0, 1, 34.4)) == 'woman\nage 34'
  assert figures.describe(_person(-1, 1, math.nan)) == 'person'


def test_strips_have_a_column_per_method_and_a_row_per_person() -> None:
  full = {'closed': [_person(0, 50)], 'open': [_person(1, 60)] * 2}
  one = figures.comparison_strips(full, 1, 'title')
  two = figures.comparison_strips(full, 2, 'title')
  assert two.size[0] == one.size[0]
  assert two.size[1] - one.size[1] == 192 + 6  # a tile and a gap
  fewer = {'closed': [_person(0, 50, keys=('c',))]}
  narrow = figures.comparison_strips(fewer, 1, 'title')
  assert one.size[0] - narrow.size[0] == 3 * (192 + 6)


def test_floors_stand_beside_the_networks_that_see_the_same() -> None:
  person = _person(0, 50, keys=('c', 'ridge_low', 'pca64'))
  picture = figures.floor_strips({'open': [person]}, 1)
  narrow = figures.floor_strips({'open': [_person(0, 50, keys=('c',))]}, 1)
  assert picture.size[0] - narrow.size[0] == 2 * (192 + 6)


def test_small_images_stay_hard_squares_and_large_ones_are_shown() -> None:
  picture = np.asarray(figures.comparison_strips(
      {'open': [_person(1, 77)]}, 1, 'title'))
  assert (picture == 77).all(axis=-1).sum() >= 5 * 192 * 192
  # Pixel (0, 0) of the 8x8 input is a 24x24 block beside black ones.
  row = next(r for r in range(picture.shape[0])
             if (picture[r, :, 0] == 77).sum() > 500)
  line = picture[row, :, 0]
  start = np.flatnonzero(line == 0)[0]
  assert (line[start - 24:start] == 255).all()
  assert (line[start:start + 168] == 0).all()


def test_mixing_matrix_shows_every_pair() -> None:
  people = [_person(0, 10), _person(1, 20)]
  outputs = np.zeros([2, 2, 128, 128, 3], np.uint8)
  for i in range(2):
    for j in range(2):
      outputs[i, j] = 100 + 10 * i + j
  picture = np.asarray(figures.mixing_matrix(people, outputs, 'title'))
  for level in (100, 101, 110, 111):
    assert (picture == level).all(axis=-1).sum() >= 144 * 144


def test_png_round_trip() -> None:
  picture = figures.draw(
      'title', ['a'], [figures.Section('', [figures.Line('x', [None])])])
  again = Image.open(io.BytesIO(figures.to_png(picture)))
  assert again.format == 'PNG' and again.size == picture.size


def test_low_frequencies_are_below_and_loud_is_bright():
  spectrum = np.array([[1.0, -1.0], [-1.0, 0.0], [-1.0, 0.0]])
  picture = figures.spectrogram_tile(spectrum)
  assert picture.shape == (2, 3, 3) and picture.dtype == np.uint8
  assert (picture[1, 0] > 150).all() and (picture[0, 0] < 5).all()
  assert picture[0, 1].tolist() == picture[0, 2].tolist()
