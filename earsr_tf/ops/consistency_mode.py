"""Names of the corrections in `ops/consistency`: off, a number, exact.

Imports no TensorFlow: commands refuse a wrong --consistency at once.
"""

from __future__ import annotations

import re

from earsr_tf import config as config_lib

OFF = 'off'
EXACT = 'exact'
_MAX_STEPS = 999_999


def check(mode: str) -> str:
  """Refuses what is no mode.

  Args:
    mode: 'off', 'exact', or a number of back-projection steps such as '1'.

  Returns:
    `mode`.

  Raises:
    ValueError: If it is none of these.
  """
  if mode in (OFF, EXACT) or re.fullmatch('[1-9][0-9]{0,5}', mode):
    return mode
  raise ValueError(
      f'{mode!r} is not off, exact, or a number of back-projection steps '
      f'from 1 to {_MAX_STEPS}')


def check_stretch(mode: str, low_res_stretch: bool) -> None:
  """Refuses a correction for a model that reads stretched pictures.

  It would pull the output to the contrast of the stretched picture, which is
  not that of the face.

  Args:
    mode: A valid mode.
    low_res_stretch: The model's `model.low_res_stretch`.

  Raises:
    ConfigError: If both are on.
  """
  if low_res_stretch and mode != OFF:
    raise config_lib.ConfigError(
        f'--consistency={mode}: this model was trained with '
        'model.low_res_stretch=True and reads pictures of changed contrast, '
        'to which no output should be fitted; use --consistency=off')


def describe(mode: str) -> str:
  """Words a mode for tables: 'back-projection', 'exact projection'.

  Args:
    mode: A valid mode.

  Returns:
    At most 25 characters.
  """
  named = {OFF: 'nothing', EXACT: 'exact projection', '1': 'back-projection'}
  return named.get(mode, f'{mode} back-projections')
