"""Curves as inline SVG by matplotlib: gaps, marks, bands, logarithmic axes.

All functions here are of numbers alone. Images shown go to the right. Colours
are names of the page's style, so that a curve is readable in light and dark.
"""

from __future__ import annotations

import dataclasses
import io
from typing import Mapping, Sequence
from xml.etree import ElementTree

import markupsafe
import matplotlib
from matplotlib import axes as axes_lib
from matplotlib import figure as figure_lib
from matplotlib import ticker
import numpy as np

POINTS = 600  # of more rows, groups are drawn
_GROUPS = 300
_LOG_RATIO = 30.0  # from which greatest to least value are on a log scale
_TICKS = {'nbins': 5, 'steps': (1, 2, 5, 10), 'min_n_ticks': 3}

_INCHES = 3.2, 1.7
_PLOT = 0.16, 0.21, 0.79, 0.69  # left, bottom, width, height of the picture
# Name in the page -> what stands for it until the picture is done. All are
# readable on white and on black, too.
_COLOURS = {
    '--bar': '#4a7fb5', '--faint': '#767676', '--grid': '#88888a',
    '--bad': '#c0392b'}
_LINE, _FAINT, _GRID, _BAD = _COLOURS.values()
_LOOK = {
    'svg.fonttype': 'none', 'svg.hashsalt': 'curves', 'font.size': 7,
    'font.family': 'DejaVu Sans', 'axes.edgecolor': _FAINT,
    'axes.labelcolor': _FAINT, 'axes.linewidth': 0.6, 'axes.spines.top': False,
    'axes.spines.right': False, 'axes.grid': True, 'axes.grid.axis': 'y',
    'grid.color': _GRID, 'grid.alpha': 0.4, 'grid.linewidth': 0.4,
    'xtick.color': _FAINT, 'ytick.color': _FAINT, 'ytick.major.size': 0,
    'ytick.minor.size': 0, 'xtick.major.width': 0.6, 'axes.xmargin': 0,
    'text.usetex': False}
_SVG = '{http://www.w3.org/2000/svg}'
# HTML knows these without namespaces.
ElementTree.register_namespace('', _SVG[1:-1])
ElementTree.register_namespace('xlink', 'http://www.w3.org/1999/xlink')

Point = tuple[float, float | None]


@dataclasses.dataclass(frozen=True)
class Mark:
  """Something that happened.

  Attributes:
    images: When.
    value: On the curve; None: a line from top to bottom.
    text: What.
  """
  images: float
  value: float | None
  text: str


@dataclasses.dataclass(frozen=True)
class Style:
  """How a curve is drawn.

  Attributes:
    is_noisy: Whether a mean is drawn over the values.
    is_step: Whether a value holds until the next one.
    from_zero: Whether zero is on the axis, which is then never logarithmic.
  """
  is_noisy: bool = True
  is_step: bool = False
  from_zero: bool = False


def window(rows: int) -> int:
  """Rows that the mean is taken over: odd, about a fifteenth; 1: no mean."""
  return 1 if rows < 12 else rows // 15 // 2 * 2 + 3


def moving_mean(values: np.ndarray, width: int) -> np.ndarray:
  """The mean over `width` values around each, [n]; fewer at the ends.

  The ends take as many from both sides, so that a trend is not bent.
  """
  reach = np.minimum(np.arange(len(values)), np.arange(len(values))[::-1])
  return np.array([
      values[i - r:i + r + 1].mean()
      for i, r in enumerate(np.minimum(reach, width // 2))])


def group_size(rows: int) -> int:
  """Rows that are drawn as one point."""
  return 1 if rows <= POINTS else -(-rows // _GROUPS)


def grouped(values: np.ndarray) -> np.ma.MaskedArray:
  """Every `group_size` values as rows, [groups, size]; NaN is masked."""
  size = group_size(len(values))
  filled = np.full(-(-len(values) // size) * size, np.nan)
  filled[:len(values)] = values
  return np.ma.masked_invalid(filled).reshape(-1, size)


def is_logarithmic(values: Sequence[float | None], style: Style = Style()
                   ) -> bool:
  """Whether values are shown on a logarithmic axis."""
  finite = [value for value in values if value is not None]
  low, high = min(finite, default=0.0), max(finite, default=0.0)
  return not style.from_zero and 0 < low < high / _LOG_RATIO


def draw(name: str, points: Sequence[Point], style: Style = Style(),
         marks: Sequence[Mark] = ()) -> markupsafe.Markup:
  """Draws one curve.

  Args:
    name: Of the field.
    points: (images, value) in order; a value of None leaves a gap.
    style: How.
    marks: What happened meanwhile.

  Returns:
    An <svg> element; '' if no value is finite.
  """
  images, values = np.array(points, np.float64).reshape(-1, 2).T
  if not np.isfinite(values).any():
    return markupsafe.Markup('')
  with matplotlib.rc_context(_LOOK):
    axes = _axes(images, values, style)
    _curve(axes, images, values, style)
    titles = _gaps(axes, images[np.isnan(values)]) | _marks(axes, marks)
    return _svg(axes.figure, f'{name} over images', titles)


def _axes(images: np.ndarray, values: np.ndarray, style: Style
          ) -> axes_lib.Axes:
  """Axes that fit a curve."""
  axes = figure_lib.Figure(_INCHES).add_axes(_PLOT)
  finite = values[np.isfinite(values)]
  axes.set_xlim(0.0, images.max() or 1.0)
  axes.xaxis.set_major_locator(ticker.MaxNLocator(**_TICKS))
  axes.xaxis.set_major_formatter(ticker.EngFormatter(sep=''))
  axes.set_xlabel('images', loc='right', labelpad=0)
  if is_logarithmic(finite, style):
    axes.set_yscale('log')
  else:
    axes.yaxis.set_major_locator(ticker.MaxNLocator(**_TICKS))
  axes.update_datalim([(0.0, y) for y in (finite.min(), finite.max())])
  if style.from_zero:
    axes.update_datalim([(0.0, 0.0)])
  axes.autoscale_view(scalex=False)
  if style.from_zero and finite.min() >= 0:
    axes.set_ylim(bottom=0.0)
  axes.autoscale(False)
  return axes


def _curve(axes: axes_lib.Axes, images: np.ndarray, values: np.ndarray,
           style: Style) -> None:
  """The values: a line, or the band and the means of groups."""
  size, width = group_size(len(values)), 1
  if size > 1:
    groups = grouped(values)
    images = grouped(images).mean(axis=1)
    axes.fill_between(
        images, groups.min(axis=1), groups.max(axis=1), color=_LINE, alpha=0.25,
        linewidth=0, clip_on=False, gid='.band')
    values = groups.mean(axis=1).filled(np.nan)
  elif style.is_noisy:
    width = window(len(values))
  parts = np.ma.clump_unmasked(np.ma.masked_invalid(values))
  draws = {
      'color': _LINE, 'clip_on': False, 'solid_capstyle': 'round',
      'drawstyle': 'steps-post' if style.is_step else 'default'}
  lone = [part.start for part in parts if part.stop == part.start + 1]
  axes.plot(images[lone], values[lone], 'o', color=_LINE, markersize=2,
            markeredgewidth=0, clip_on=False, gid='.lone')
  if width > 1:
    axes.plot(images, values, linewidth=0.7, alpha=0.45, gid='.raw', **draws)
    means = np.full(len(values), np.nan)
    for part in parts:
      means[part] = moving_mean(values[part], width)
    values = means
  axes.plot(images, values, linewidth=1.3, gid='.line', **draws)


def _gaps(axes: axes_lib.Axes, images: np.ndarray) -> dict[str, list[str]]:
  """Crosses on the axis where a value is not finite; of many, every n-th."""
  images = images[::1 + len(images) // _GROUPS]
  axes.plot(images, np.zeros(len(images)), 'x', color=_BAD, markersize=4,
            transform=axes.get_xaxis_transform(), clip_on=False, zorder=3,
            gid='.bad')
  return {'.bad': [f'not finite at {x:.0f} images' for x in images]}


def _marks(axes: axes_lib.Axes, marks: Sequence[Mark]) -> dict[str, list[str]]:
  """Lines, which lie behind the curve, or dots on it."""
  last = axes.get_xlim()[1]
  dots = [mark for mark in marks if mark.value is not None]
  axes.plot([min(mark.images, last) for mark in dots],
            [mark.value for mark in dots], 'o', color=_LINE, markersize=3.5,
            markeredgewidth=0, clip_on=False, zorder=3, gid='.marks')
  titles = {'.marks': [mark.text for mark in dots]}
  for mark in marks:
    if mark.value is None:
      name = f'.phase {len(titles)}'
      axes.axvline(min(mark.images, last), color=_FAINT, linewidth=0.7,
                   linestyle=(0, (4, 4)), zorder=1, clip_on=False, gid=name)
      titles[name] = [mark.text]
  return titles


def _svg(figure: figure_lib.Figure, label: str,
         titles: Mapping[str, Sequence[str]]) -> markupsafe.Markup:
  """The picture as an element of a page.

  Args:
    figure: The picture; artists whose gid begins with a dot get a class.
    label: What it shows.
    titles: gid -> what to show under the pointer: a text for each of its
      markers, or one for all of it.
  """
  stream = io.StringIO()
  figure.savefig(stream, format='svg', transparent=True, metadata=dict.fromkeys(
      ('Creator', 'Date', 'Format', 'Type')))
  text = stream.getvalue()
  for name, colour in _COLOURS.items():
    text = text.replace(colour, f'var({name})')
  root = ElementTree.fromstring(text)
  root[:] = [part for part in root if part.find(f'{_SVG}style') is None]
  for group in root.iter(f'{_SVG}g'):
    name = group.attrib.pop('id', '')  # another curve has the same
    if name.startswith('.'):
      group.set('class', name[1:].partition(' ')[0])
    targets = list(group.iter(f'{_SVG}use')) or [group]
    for target, title in zip(targets, titles.get(name, ())):
      ElementTree.SubElement(target, f'{_SVG}title').text = title
  for name in ('width', 'height'):
    del root.attrib[name]
  root.attrib.update({'role': 'img', 'aria-label': label})
  return markupsafe.Markup(ElementTree.tostring(root, encoding='unicode'))
