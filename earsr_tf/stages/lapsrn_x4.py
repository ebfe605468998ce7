"""Comparator: LapSRN from a 32x32 image, the reference of Table 2."""

from __future__ import annotations

from earsr_tf import config as config_lib
from earsr_tf.stages import lapsrn
from earsr_tf.stages import stage as stage_lib


def stage(config: config_lib.Config) -> stage_lib.Stage:
  """As `lapsrn`, at 4x."""
  return lapsrn.stage(config, 'lapsrn_x4')
