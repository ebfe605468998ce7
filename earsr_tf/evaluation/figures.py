"""The paper's figures as labelled pictures: Figs. 4, 6, 7, 8 and 10.

People are not picked by hand: each set's first test image of each person is
taken in stored order, women and men in turn.
"""

from __future__ import annotations

import dataclasses
import io
import math
from typing import Mapping, Sequence

import matplotlib
import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

from earsr_tf.evaluation import sweep as sweep_lib

_INK, _FAINT, _PAPER = (32, 32, 32), (110, 110, 110), (255, 255, 255)
_GAP, _MARGIN, _LABEL = 6, 20, 150
_TITLE_POINTS, _HEAD_POINTS, _TEXT_POINTS = 26, 18, 16
_HEAD_LINES = 2
_SETS = {'closed': 'Closed set: people heard and seen in training, '
                   'in other videos',
         'open': 'Open set: people never met in training'}
_GENDERS = {0: 'woman', 1: 'man'}
_FIG6 = (  # column key, header
    ('low', 'input\n8x8 pixels'), ('b', 'E_h: sees the\n128x128 original'),
    ('c', 'E_l: 8x8\nimage only'), ('d', 'E_a: 4 s of\nvoice only'),
    ('h', 'F: 8x8 image\nand voice'), ('h+', 'F, corrected\nto fit 8x8'),
    ('truth', 'ground truth\n128x128'))
_FIG4 = (
    ('truth', 'original\n128x128'), ('a', 'E_h and\nfixed G, Eq. (1)'),
    ('b', 'E_h and\ntuned G, Eq. (2)'))
_FIG8 = (
    ('low', 'input\n8x8 pixels'), ('bicubic', 'bicubic\n16x'),
    ('lapsrn', 'LapSRN\n16x'), ('wavelet_srnet', 'W-SRNet\n16x'),
    ('h', 'F: 8x8 image\nand voice'), ('h+', 'F, corrected\nto fit 8x8'),
    ('truth', 'ground truth\n128x128'))
_FLOORS = (  # each network beside the linear method that sees the same
    ('low', 'input\n8x8 pixels'), ('pca64', 'PCA,\n64 values'),
    ('b', 'E_h: sees the\noriginal'), ('ridge_low', 'ridge, 8x8\nimage'),
    ('c', 'E_l: 8x8\nimage'), ('ridge_voice', 'ridge,\nvoice'),
    ('d', 'E_a:\nvoice'), ('ridge_both', 'ridge, 8x8\nand voice'),
    ('h', 'F: 8x8\nand voice'), ('truth', 'ground truth\n128x128'))


@dataclasses.dataclass(frozen=True)
class Line:
  """A row of tiles.

  Attributes:
    label: Text at its left; newlines allowed.
    tiles: uint8 images [H, W, 3] of any size; None leaves a hole.
  """
  label: str
  tiles: Sequence[np.ndarray | None]


@dataclasses.dataclass(frozen=True)
class Section:
  """Rows under a common heading."""
  heading: str
  lines: Sequence[Line]


def draw(title: str, columns: Sequence[str], sections: Sequence[Section],
         caption: str = '', tile: int = 192) -> Image.Image:
  """Draws a labelled grid of pictures on white.

  Args:
    title: Heading of the whole picture.
    columns: Header per column, at most two lines each.
    sections: Rows of tiles.
    caption: Small print below; newlines allowed.
    tile: Side of a tile in pixels.

  Returns:
    An RGB image.
  """
  pitch = tile + _GAP
  body = sum(_heading_height(section) + pitch * len(section.lines)
             for section in sections)
  head = _MARGIN + 2 * _TITLE_POINTS + _HEAD_LINES * (_HEAD_POINTS + 6)
  foot = (caption.count('\n') + 1) * (_TEXT_POINTS + 6) if caption else 0
  width = 2 * _MARGIN + _LABEL + pitch * len(columns)
  picture = Image.new('RGB', (width, head + body + foot + 2 * _MARGIN), _PAPER)
  pen = ImageDraw.Draw(picture)
  pen.text((_MARGIN, _MARGIN), title, _INK, _font(_TITLE_POINTS))
  left = _MARGIN + _LABEL
  for i, column in enumerate(columns):
    pen.multiline_text(
        (left + i * pitch + tile // 2, head - 8), column, _INK,
        _font(_HEAD_POINTS), anchor='md', align='center')
  top = head
  for section in sections:
    top = _draw_section(picture, section, (left, top), tile)
  if caption:
    pen.multiline_text(
        (_MARGIN, top + _MARGIN // 2), caption, _FAINT, _font(_TEXT_POINTS),
        spacing=6)
  return picture


def spectrogram_tile(spectrum: np.ndarray) -> np.ndarray:
  """Colours a spectrogram: time to the right, low frequencies below.

  Args:
    spectrum: [time, frequency] in [-1, 1], as of `ops.spectrogram`.

  Returns:
    [frequency, time, 3] uint8.
  """
  return matplotlib.colormaps['inferno'](
      (spectrum.T[::-1] + 1.0) / 2.0, bytes=True)[..., :3]


def to_png(picture: Image.Image) -> bytes:
  """Encodes a picture as PNG."""
  stream = io.BytesIO()
  picture.save(stream, format='PNG')
  return stream.getvalue()


def choose(people: Sequence[sweep_lib.Person], count: int
           ) -> list[sweep_lib.Person]:
  """Takes the first people in order, women and men in turn.

  Args:
    people: One entry per person.
    count: How many at most.

  Returns:
    At most `count` people.
  """
  queues = {0: [], 1: [], -1: []}
  for person in people:
    queues[person.gender if person.gender in queues else -1].append(person)
  mixed = []
  for i in range(len(people)):
    mixed += [queue[i] for queue in queues.values() if i < len(queue)]
  return mixed[:count]


def comparison_strips(
    people: Mapping[str, Sequence[sweep_lib.Person]], count: int, title: str,
    caption: str = '') -> Image.Image:
  """Fig. 6: 8x8 | E_h | E_l | E_a | F | ground truth, a row per person.

  Args:
    people: 'closed' and 'open' -> people.
    count: Rows per set.
    title: Heading.
    caption: Small print.

  Returns:
    The picture; columns that no model provides are left out.
  """
  return _strips(_FIG6, people, count, title, caption)


def inversion_strips(
    people: Mapping[str, Sequence[sweep_lib.Person]], count: int,
) -> Image.Image:
  """Fig. 4: what tuning G together with E_h does to the inversion."""
  return _strips(_FIG4, people, count, 'Inverting the generator (Fig. 4)', '')


def comparator_strips(
    people: Mapping[str, Sequence[sweep_lib.Person]], count: int,
) -> Image.Image:
  """Fig. 8: other methods, those that are trained, and ours."""
  return _strips(
      _FIG8, people, count, 'Other super-resolution methods (Fig. 8)', '')


def voice_row(people: Sequence[sweep_lib.Person], title: str) -> Image.Image:
  """Fig. 7, our row: the face that E_a and G make of each voice.

  The row of Speech2Face is made of others' weights and is not drawn.

  Args:
    people: Whose outputs have a row (d).
    title: Heading.

  Returns:
    The picture; a column per person.
  """
  return draw(title, [describe(p, ' ') for p in people], [Section('', [
      Line('E_a: 4 s of\nvoice only', [p.outputs['d'] for p in people]),
      Line('whose voice\nit is', [p.truth for p in people])])])


def floor_strips(
    people: Mapping[str, Sequence[sweep_lib.Person]], count: int,
) -> Image.Image:
  """The networks beside the linear floors of their inputs."""
  return _strips(
      _FLOORS, people, count, 'Networks and their linear floors', '')


def mixing_matrix(
    people: Sequence[sweep_lib.Person], outputs: np.ndarray, title: str,
) -> Image.Image:
  """Fig. 10: every 8x8 image with every voice.

  Args:
    people: n people whose images (rows) and voices (columns) are mixed.
    outputs: [n, n, S, S, 3] uint8; [i, j] has person i's image and j's voice.
    title: Heading.

  Returns:
    The picture.
  """
  voices = Line('', [None, None, *(p.truth for p in people)])
  lines = [
      Line(describe(person), [person.image_low, person.truth, *outputs[i]])
      for i, person in enumerate(people)]
  columns = ['input\n8x8 pixels', 'ground truth\n(not used)',
             *(f'voice of\n{describe(person, " ")}' for person in people)]
  caption = ('Each row keeps one 8x8 image, each column one voice; the '
             'diagonal has the person\'s own voice.')
  return draw(title, columns, [
      Section('Whose voice it is (the model does not see these)', [voices]),
      Section('F: 8x8 image and voice', lines)], caption, tile=144)


def describe(person: sweep_lib.Person, separator: str = '\n') -> str:
  """'woman' and 'age 34', as far as known."""
  words = [_GENDERS.get(person.gender, 'person')]
  if math.isfinite(person.age):
    words.append(f'age {person.age:.0f}')
  return separator.join(words)


def _strips(
    columns: Sequence[tuple[str, str]],
    people: Mapping[str, Sequence[sweep_lib.Person]],
    count: int, title: str, caption: str) -> Image.Image:
  """A section per set and a row per person."""
  chosen = {name: choose(group, count) for name, group in people.items()}
  everyone = [person for group in chosen.values() for person in group]
  columns = [(key, head) for key, head in columns
             if key in ('low', 'truth') or all(
                 key in person.outputs for person in everyone)]
  sections = [
      Section(_SETS.get(name, name), [
          Line(describe(person), [_tile(person, key) for key, _ in columns])
          for person in group])
      for name, group in chosen.items()]
  return draw(title, [head for _, head in columns], sections, caption)


def _tile(person: sweep_lib.Person, key: str) -> np.ndarray:
  """The image of a column."""
  if key == 'low':
    return person.image_low
  if key == 'truth':
    return person.truth
  return person.outputs[key]


def _draw_section(picture: Image.Image, section: Section,
                  origin: tuple[int, int], tile: int) -> int:
  """Draws a section; returns where the next one starts."""
  pen = ImageDraw.Draw(picture)
  left, top = origin
  if section.heading:
    pen.text((_MARGIN, top + 10), section.heading, _INK, _font(_HEAD_POINTS))
  top += _heading_height(section)
  for line in section.lines:
    pen.multiline_text(
        (left - 16, top + tile // 2), line.label, _INK, _font(_TEXT_POINTS),
        anchor='rm', align='right')
    for i, image in enumerate(line.tiles):
      if image is not None:
        picture.paste(_enlarge(image, tile), (left + i * (tile + _GAP), top))
    top += tile + _GAP
  return top


def _heading_height(section: Section) -> int:
  """Space above a section's rows."""
  return 2 * _HEAD_POINTS + 6 if section.heading else _GAP


def _enlarge(image: np.ndarray, tile: int) -> Image.Image:
  """Scales to a tile; few pixels stay hard squares."""
  few = image.shape[0] <= 32
  return Image.fromarray(image).resize(
      (tile, tile),
      Image.Resampling.NEAREST if few else Image.Resampling.BICUBIC)


def _font(points: int) -> ImageFont.FreeTypeFont:
  """Pillow's own font: needs no file of the system."""
  return ImageFont.load_default(size=points)
