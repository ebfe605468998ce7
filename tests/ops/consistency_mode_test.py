"""Tests of ops/consistency_mode.py."""

from __future__ import annotations

import pytest

from earsr_tf import config as config_lib
from earsr_tf.ops import consistency_mode


@pytest.mark.parametrize('mode', ['off', 'exact', '1', '10', '999999'])
def test_modes_are_accepted_and_worded(mode: str) -> None:
  assert consistency_mode.check(mode) == mode
  assert 0 < len(consistency_mode.describe(mode)) <= 25


@pytest.mark.parametrize(
    'mode', ['', '0', '-1', '01', '1.5', '1000000', 'Exact', 'on', '1\n', '١'])
def test_other_words_are_refused(mode: str) -> None:
  with pytest.raises(ValueError, match='is not off, exact, or a number'):
    consistency_mode.check(mode)


def test_words_of_the_tables() -> None:
  assert consistency_mode.describe('1') == 'back-projection'
  assert consistency_mode.describe('3') == '3 back-projections'
  assert consistency_mode.describe('exact') == 'exact projection'


def test_no_correction_towards_pictures_of_changed_contrast() -> None:
  consistency_mode.check_stretch('off', True)
  consistency_mode.check_stretch('exact', False)
  with pytest.raises(config_lib.ConfigError, match='low_res_stretch=True'):
    consistency_mode.check_stretch('1', True)
