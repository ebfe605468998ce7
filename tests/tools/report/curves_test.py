"""Points stand where they should, computed by hand."""

from __future__ import annotations

import re

import pytest

from tools.report import curves

# From LEFT = 48 to RIGHT = 310, and from BOTTOM = 142 up to TOP = 10.
PLAIN = curves.Style(is_noisy=False, from_zero=True)


def _lines(svg: str, kind: str) -> list[str]:
  return re.findall(f'class="{kind}" d="([^"]*)"', svg)


def test_points_ticks_and_names() -> None:
  svg = curves.draw('loss/a<b/l1', [(0, 0.0), (100, 10.0), (200, 5.0)], PLAIN)
  # 0 to 10, and 5 % more above: 10 stands at 142 - 132 * 10 / 10.5 = 16.3.
  assert _lines(svg, 'line') == ['M48.0,142.0L179.0,16.3L310.0,79.1']
  assert 'aria-label="loss/a&lt;b/l1 over images"' in svg
  assert re.findall(r'class="end"[^>]*>([^<]*)<', svg) == [
      '0', '5', '10', 'images']
  assert re.findall(r'class="mid" x="([^"]*)"[^>]*>([^<]*)<', svg) == [
      ('48.0', '0'), ('113.5', '50'), ('179.0', '100'), ('244.5', '150'),
      ('310.0', '200')]


def test_a_wide_range_gets_a_logarithmic_axis() -> None:
  x, y = curves.axes([(0, 1.0), (10, 1e-4)], curves.Style())
  assert not x.is_log and y.is_log
  # 10^-4.2 to 10^0.2: 1 stands at 142 - 132 * 4.2 / 4.4.
  assert y.place(1.0) == pytest.approx(16.0)
  assert y.place(1e-4) == pytest.approx(136.0)
  assert y.ticks() == pytest.approx([1e-4, 1e-3, 1e-2, 1e-1, 1.0])
  _, narrow = curves.axes([(0, 1.0), (10, 2.0)], curves.Style())
  assert not narrow.is_log
  _, with_zero = curves.axes([(0, 0.0), (10, 2000.0)], curves.Style())
  assert not with_zero.is_log


def test_stairs_and_marks() -> None:
  stairs = curves.Style(is_noisy=False, is_step=True, from_zero=True)
  svg = curves.draw('weight', [(0, 10.0), (100, 5.0), (200, 5.0)], stairs, [
      curves.Mark(100, 5.0, '<halved>'), curves.Mark(50, None, 'a phase')])
  assert _lines(svg, 'line') == ['M48.0,16.3H179.0V79.1H310.0V79.1']
  assert ('<circle class="mark" cx="179.0" cy="79.1" r="2.5"><title>'
          '&lt;halved&gt;</title>') in svg
  assert _lines(svg, 'phase') == ['M113.5,10V142']


def test_a_value_that_is_not_finite_leaves_a_gap() -> None:
  svg = curves.draw(
      'a', [(0, 0.0), (50, 10.0), (100, None), (150, 10.0), (200, 0.0)], PLAIN)
  assert _lines(svg, 'line') == [
      'M48.0,142.0L113.5,16.3M244.5,16.3L310.0,142.0']
  assert _lines(svg, 'bad') == ['M176.0,139l6,6m0,-6l-6,6']
  assert 'not finite at 100 images' in svg
  assert curves.draw('a', [(0, None)], PLAIN) == ''
  assert _lines(curves.draw('a', [(10, 3.0)], PLAIN), 'line') == [
      'M310.0,16.3h0']


def test_many_rows_become_groups_with_least_and_greatest() -> None:
  points = [(float(i), float(i % 2)) for i in range(1200)]
  assert curves.group_size(600) == 1 and curves.group_size(1200) == 4
  groups = curves.grouped(points)
  assert len(groups) == 300
  assert groups[1] == curves.Group(5.5, 0.5, 0.0, 1.0)
  svg = curves.draw('a', points, PLAIN)
  band, = _lines(svg, 'band')
  assert band.count('M') == 1 and band.count('L') == 599 and band[-1] == 'Z'
  assert 'raw' not in svg


def test_noise_gets_a_mean() -> None:
  points = [(float(i), float(i % 3)) for i in range(12)]
  assert curves.window(11) == 1 and curves.window(12) == 3
  assert curves.moving_mean(points, 3) == [
      (0.0, 0.0), *((float(i), 1.0) for i in range(1, 11)), (11.0, 2.0)]
  svg = curves.draw('a', points)
  assert len(_lines(svg, 'raw')) == len(_lines(svg, 'line')) == 1


@pytest.mark.parametrize('value, text', [
    (0, '0'), (6000, '6000'), (12000, '12k'), (2.5e6, '2.5M'), (3e9, '3e9'),
    (0.05, '0.05'), (1e-5, '1e-5'), (-1500.0, '-1500'), (3.3e38, '3.3e38'),
    (0.1 + 0.2, '0.3')])
def test_numbers_are_short(value: float, text: str) -> None:
  assert curves.short(value) == text


@pytest.mark.parametrize('values', [
    (1e100, -1e100), (1e100, 1e-100), (5.0, 5.0), (0.0, 0.0), (-3.0, -3.0),
    (1.0, 1.0 + 1e-15), (1e-100, 0.0)])
def test_odd_values_stay_in_the_picture(values: tuple[float, float]) -> None:
  x, y = curves.axes([(0, values[0]), (0, values[1])], curves.Style())
  assert all(10 <= y.place(value) <= 142 for value in values)
  assert len(x.ticks()) <= 7 and len(y.ticks()) <= 9
