"""Points stand where they should, computed by hand."""

from __future__ import annotations

import re
import warnings

import numpy as np
import pytest

from tools.report import curves

# In points of 1/72 inch, the picture is 230.4 x 122.4; the plot is from
# 36.864 to 218.88, and from 96.696 up to 12.24.
LEFT, WIDTH, BOTTOM, HEIGHT = 36.864, 182.016, 96.696, 84.456
PLAIN = curves.Style(is_noisy=False, from_zero=True)


def _groups(svg: str, kind: str) -> list[str]:
  return re.findall(f'<g class="{kind}">(.*?)</g>', svg, re.DOTALL)


def _places(svg: str, kind: str) -> list[tuple[float, float]]:
  """Where the line or the marks of a kind stand, as shares of the plot."""
  group, = _groups(svg, kind)
  pairs = re.findall(r'[ML] ([-\d.]+) ([-\d.]+)', ' '.join(
      re.findall(r'd="([^"]*)"', group)))
  if '<use' in group:
    pairs = re.findall(r'x="([-\d.]+)" y="([-\d.]+)"', group)
  return [(round((float(x) - LEFT) / WIDTH, 4),
           round((BOTTOM - float(y)) / HEIGHT, 4)) for x, y in pairs]


def _words(svg: str) -> list[str]:
  return re.findall(r'<text[^>]*>([^<]*)</text>', svg)


def test_points_ticks_and_names() -> None:
  svg = curves.draw('loss/a<b/l1', [(0, 0.0), (100, 10.0), (200, 5.0)], PLAIN)
  # 0 to 10, and 5 % more above.
  assert _places(svg, 'line') == [(0, 0), (0.5, 0.9524), (1, 0.4762)]
  assert 'aria-label="loss/a&lt;b/l1 over images"' in svg
  assert _words(svg) == [
      '0', '50', '100', '150', '200', 'images', '0', '5', '10']
  assert '100k' in _words(curves.draw('a', [(0, 1.0), (2e5, 2.0)]))


def test_a_page_can_hold_it() -> None:
  svg = curves.draw('a', [(0, 1.0), (1, 2.0)])
  assert svg.startswith('<svg') and svg.endswith('</svg>')
  # Rules would hold for the whole page; colours are the page's own.
  assert '<style' not in svg and not re.search('#[0-9a-f]{6}[;"]', svg)
  assert 'stroke: var(--bar)' in svg and 'fill: var(--faint)' in svg
  assert not re.search(r'<g[^>]* id=', svg) and ' width="230' not in svg
  assert svg == curves.draw('a', [(0, 1.0), (1, 2.0)])


def test_a_wide_range_gets_a_logarithmic_axis() -> None:
  assert curves.is_logarithmic([1.0, None, 1e-4])
  assert not curves.is_logarithmic([1.0, 2.0])
  assert not curves.is_logarithmic([1.0, 1e-4], PLAIN)
  assert not curves.is_logarithmic([0.0, 2000.0])
  assert not curves.is_logarithmic([])
  svg = curves.draw('a', [(0, 1.0), (5, 1e-2), (10, 1e-4)], curves.Style())
  # 10^-4.2 to 10^0.2.
  assert _places(svg, 'line') == [(0, 0.9545), (0.5, 0.5), (1, 0.0455)]


def test_stairs_and_marks() -> None:
  stairs = curves.Style(is_noisy=False, is_step=True, from_zero=True)
  svg = curves.draw('weight', [(0, 10.0), (100, 5.0), (200, 5.0)], stairs, [
      curves.Mark(100, 5.0, '<halved> #4a7fb5'), curves.Mark(300, 10.0, 'late'),
      curves.Mark(50, None, 'a phase'), curves.Mark(150, None, 'another')])
  assert _places(svg, 'line')[:4] == [
      (0, 0.9524), (0.5, 0.9524), (0.5, 0.4762), (1, 0.4762)]
  assert _places(svg, 'marks') == [(0.5, 0.4762), (1, 0.9524)]
  assert re.findall('<title>(.*?)</title></use>', svg) == [
      '&lt;halved&gt; #4a7fb5', 'late']
  phases = _groups(svg, 'phase')
  assert ['a phase' in phases[0], 'another' in phases[1]] == [True, True]
  assert f'M {LEFT + WIDTH / 4} {BOTTOM}' in phases[0]


def test_a_value_that_is_not_finite_leaves_a_gap() -> None:
  svg = curves.draw('a', [
      (0, 0.0), (50, 10.0), (100, None), (150, 10.0), (200, 0.0)], PLAIN)
  line, = _groups(svg, 'line')
  assert line.count('M ') == 2 and line.count('L ') == 2
  assert _places(svg, 'bad') == [(0.5, 0.0)]
  assert '<title>not finite at 100 images</title>' in svg
  assert curves.draw('a', [(0, None)], PLAIN) == ''
  # A lone value is a dot.
  assert _places(curves.draw('a', [(10, 3.0)], PLAIN), 'lone') == [(1, 0.9524)]
  assert not _groups(svg, 'lone')


def test_many_rows_become_groups_with_least_and_greatest() -> None:
  points = [(float(i), float(i % 2)) for i in range(1200)]
  assert curves.group_size(600) == 1 and curves.group_size(1200) == 4
  rows = curves.grouped(np.array([y for _, y in points]))
  assert rows.shape == (300, 4) and rows[1].tolist() == [0, 1, 0, 1]
  svg = curves.draw('a', points, PLAIN)
  band, = _groups(svg, 'band')
  # Drawn from the lower edge of the picture on.
  heights = [122.4 + float(y) for y in re.findall('[ML] [^ ]+ ([^ ]+)', band)]
  assert {round((BOTTOM - y) / HEIGHT, 4) for y in heights} == {0, 0.9524}
  assert len(heights) >= 600
  assert {y for _, y in _places(svg, 'line')} == {0.4762}
  assert 'class="raw"' not in svg


def test_a_group_without_a_value_is_a_gap() -> None:
  points = [(float(i), None if 400 <= i < 800 else 1.0) for i in range(1200)]
  line, = _groups(curves.draw('a', points), 'line')
  assert line.count('M ') == 2


def test_noise_gets_a_mean() -> None:
  assert curves.window(11) == 1 and curves.window(12) == 3
  assert curves.moving_mean(np.array([0.0, 1, 2] * 4), 3).tolist() == [
      0.0, *[1.0] * 10, 2.0]
  svg = curves.draw('a', [(float(i), float(i % 3)) for i in range(12)])
  assert len(_groups(svg, 'raw')) == len(_groups(svg, 'line')) == 1
  assert 'class="raw"' not in curves.draw('a', [(0, 1.0), (1, 2.0)])


@pytest.mark.parametrize('values', [
    (1e100, -1e100), (1e100, 1e-100), (5.0, 5.0), (0.0, 0.0), (-3.0, -3.0),
    (1.0, 1.0 + 1e-15), (1e-100, 0.0)])
@pytest.mark.parametrize('style', [curves.Style(), PLAIN])
def test_odd_values_stay_in_the_picture(
    values: tuple[float, float], style: curves.Style) -> None:
  with warnings.catch_warnings():
    warnings.simplefilter('error')
    svg = curves.draw('a', [(0, values[0]), (9, values[1])], style)
  assert all(0 <= y <= 1 for _, y in _places(svg, 'line'))
  assert 3 <= len(_words(svg)) <= 25
