"""Curves as inline SVG: axes, ticks, gaps, marks; colours come from the page.

All functions here are of numbers alone. Images shown go to the right.
"""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Sequence

import markupsafe

WIDTH, HEIGHT = 320, 170
# The plot's corners; ticks stand left and below.
LEFT, RIGHT, TOP, BOTTOM = 48, 310, 10, 142
POINTS = 600  # of more rows, groups are drawn
_GROUPS = 300
_LOG_RATIO = 30.0  # from which greatest to least value are on a log scale
_TICKS = 5

Point = tuple[float, float | None]


@dataclasses.dataclass(frozen=True)
class Axis:
  """From values to places.

  Attributes:
    low: Value at `start`.
    high: Value at `end`; greater than `low`.
    start: Place of `low`.
    end: Place of `high`.
    is_log: Whether places follow logarithms; then `low` is positive.
  """
  low: float
  high: float
  start: float
  end: float
  is_log: bool = False

  def place(self, value: float) -> float:
    """The place of a value."""
    low, high = self.low, self.high
    if self.is_log:
      low, high, value = math.log10(low), math.log10(high), math.log10(value)
    return self.start + (value - low) / (high - low) * (self.end - self.start)

  def ticks(self) -> list[float]:
    """At most about five round values between `low` and `high`."""
    if self.is_log:
      return self._decades()
    power = math.floor(math.log10((self.high - self.low) / _TICKS))
    step = next(m * 10.0**e for e in (power, power + 1) for m in (1, 2, 5)
                if (self.high - self.low) / (m * 10.0**e) <= _TICKS)
    first = math.ceil(self.low / step - 1e-9)
    last = math.floor(self.high / step + 1e-9)
    return [i * step for i in range(first, last + 1)]

  def _decades(self) -> list[float]:
    """Powers of ten, with 2 and 5 between them where there are few."""
    first = math.ceil(math.log10(self.low) - 1e-9)
    last = math.floor(math.log10(self.high) + 1e-9)
    if last - first < 2:
      ticks = [m * 10.0**e for e in range(first - 1, last + 1)
               for m in (1, 2, 5)]
      return [tick for tick in ticks if self.low <= tick <= self.high]
    every = -(-(last - first + 1) // _TICKS)
    return [10.0**e for e in range(first, last + 1, every)]


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


@dataclasses.dataclass(frozen=True)
class Group:
  """Rows that are drawn as one: mean, least and greatest value."""
  images: float
  mean: float
  low: float
  high: float


def short(value: float) -> str:
  """A number for a tick: 6000, 12k, 2.5M, 0.05, 1e-5."""
  for size, unit in ((1e6, 'M'), (1e4, 'k')):
    if size <= abs(value) < 1e9:
      return f'{value / (1e6 if unit == "M" else 1e3):.4g}{unit}'
  text = f'{value:.4g}' if abs(value) >= 1e-3 or not value else f'{value:.3g}'
  return re.sub(r'e([-+])0*', r'e\1', text).replace('e+', 'e')


def window(rows: int) -> int:
  """Rows that the mean is taken over: odd, about a fifteenth; 1: no mean."""
  return 1 if rows < 12 else rows // 15 // 2 * 2 + 3


def moving_mean(points: Sequence[tuple[float, float]], width: int
                ) -> list[tuple[float, float]]:
  """The mean over `width` points around each; fewer at the ends.

  The ends take as many from both sides, so that a trend is not bent.
  """
  means = []
  for i, (images, _) in enumerate(points):
    reach = min(width // 2, i, len(points) - 1 - i)
    values = [v for _, v in points[i - reach:i + reach + 1]]
    means.append((images, sum(values) / len(values)))
  return means


def group_size(rows: int) -> int:
  """Rows that are drawn as one point."""
  return 1 if rows <= POINTS else -(-rows // _GROUPS)


def grouped(points: Sequence[Point]) -> list[Group]:
  """Joins every `group_size` rows; what is not finite is left out."""
  size, groups = group_size(len(points)), []
  for at in range(0, len(points), size):
    part = [(x, y) for x, y in points[at:at + size] if y is not None]
    if part:
      values = [y for _, y in part]
      groups.append(Group(
          sum(x for x, _ in part) / len(part), sum(values) / len(values),
          min(values), max(values)))
  return groups


def axes(points: Sequence[Point], style: Style) -> tuple[Axis, Axis] | None:
  """The axes that fit a curve; None if no value is finite."""
  values = [y for _, y in points if y is not None]
  if not values:
    return None
  low, high = min(values), max(values)
  if style.from_zero:
    low, high = min(low, 0.0), max(high, 0.0)
  is_log = low > 0 and high / low > _LOG_RATIO
  if high - low <= 1e-9 * abs(high):
    low, high = low - (abs(low) or 1.0) / 10, high + (abs(high) or 1.0) / 10
  elif is_log:
    low, high = low / (high / low)**0.05, high * (high / low)**0.05
  else:
    pad = 0.05 * (high - low)
    low, high = (low if low == 0 and style.from_zero else low - pad), high + pad
  last = max(x for x, _ in points) or 1.0
  return (Axis(0.0, last, LEFT, RIGHT), Axis(low, high, BOTTOM, TOP, is_log))


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
  found = axes(points, style)
  if found is None:
    return markupsafe.Markup('')
  x, y = found
  return markupsafe.Markup('\n').join([
      markupsafe.Markup('<svg viewBox="0 0 {} {}" role="img" aria-label="{}">'
                        ).format(WIDTH, HEIGHT, f'{name} over images'),
      _frame(x, y), _marks(marks, x, y, behind=True),
      _curve(points, style, x, y), _gaps(points, x),
      _marks(marks, x, y, behind=False), markupsafe.Markup('</svg>')])


def _frame(x: Axis, y: Axis) -> markupsafe.Markup:
  """Grid, ticks and the name of the horizontal axis."""
  parts = []
  for value in y.ticks():
    at = f'{y.place(value):.1f}'
    parts.append(f'<path class="grid" d="M{LEFT},{at}H{RIGHT}"/>'
                 f'<text class="end" x="{LEFT - 5}" y="{at}" dy="3.5">'
                 f'{short(value)}</text>')
  for value in x.ticks():
    at = f'{x.place(value):.1f}'
    parts.append(f'<path class="axis" d="M{at},{BOTTOM}v4"/>'
                 f'<text class="mid" x="{at}" y="{BOTTOM + 14}">'
                 f'{short(value)}</text>')
  parts.append(f'<path class="axis" d="M{LEFT},{TOP}V{BOTTOM}H{RIGHT}"/>'
               f'<text class="end" x="{RIGHT}" y="{HEIGHT - 3}">images</text>')
  return markupsafe.Markup('\n'.join(parts))  # numbers and our own words only


def _curve(points: Sequence[Point], style: Style, x: Axis, y: Axis
           ) -> markupsafe.Markup:
  """The values: a line, or the band and the means of groups."""
  if group_size(len(points)) > 1:
    groups = grouped(points)
    band = _path([(g.images, g.high) for g in groups], style, x, y)
    band += _path([(g.images, g.low) for g in groups[::-1]], style, x, y
                  ).replace('M', 'L')
    line = _path([(g.images, g.mean) for g in groups], style, x, y)
    return markupsafe.Markup(
        f'<path class="band" d="{band}Z"/><path class="line" d="{line}"/>')
  width = window(len(points)) if style.is_noisy else 1
  raw, means = '', ''
  for part in _unbroken(points):
    raw += _path(part, style, x, y)
    if width > 1:
      means += _path(moving_mean(part, width), style, x, y)
  kind = 'raw' if means else 'line'
  strong = f'<path class="line" d="{means}"/>' if means else ''
  return markupsafe.Markup(f'<path class="{kind}" d="{raw}"/>{strong}')


def _unbroken(points: Sequence[Point]) -> list[list[tuple[float, float]]]:
  """The stretches between values that are not finite."""
  parts: list[list[tuple[float, float]]] = [[]]
  for images, value in points:
    if value is None:
      parts.append([])
    else:
      parts[-1].append((images, value))
  return [part for part in parts if part]


def _path(points: Sequence[tuple[float, float]], style: Style, x: Axis,
          y: Axis) -> str:
  """Path data; a lone point becomes a dot of the line's width."""
  places = [(f'{x.place(a):.1f}', f'{y.place(b):.1f}') for a, b in points]
  text = f'M{places[0][0]},{places[0][1]}'
  for a, b in places[1:]:
    text += f'H{a}V{b}' if style.is_step else f'L{a},{b}'
  return text if places[1:] else text + 'h0'


def _gaps(points: Sequence[Point], x: Axis) -> markupsafe.Markup:
  """Crosses on the axis where a value is not finite; of many, every n-th."""
  places = [a for a, b in points if b is None]
  return markupsafe.Markup('').join(
      markupsafe.Markup(
          '<path class="bad" d="M{:.1f},{}l6,6m0,-6l-6,6"><title>not finite at '
          '{:.0f} images</title></path>').format(
              x.place(a) - 3, BOTTOM - 3, a)
      for a in places[::1 + len(places) // _GROUPS])


def _marks(marks: Sequence[Mark], x: Axis, y: Axis, *, behind: bool
           ) -> markupsafe.Markup:
  """Lines, which lie behind the curve, or dots on it."""
  parts = []
  for mark in marks:
    at = f'{x.place(min(mark.images, x.high)):.1f}'
    if behind and mark.value is None:
      parts.append(markupsafe.Markup(
          '<path class="phase" d="M{},{}V{}"><title>{}</title></path>').format(
              at, TOP, BOTTOM, mark.text))
    elif not behind and mark.value is not None:
      parts.append(markupsafe.Markup(
          '<circle class="mark" cx="{}" cy="{:.1f}" r="2.5"><title>{}</title>'
          '</circle>').format(at, y.place(mark.value), mark.text))
  return markupsafe.Markup('').join(parts)
