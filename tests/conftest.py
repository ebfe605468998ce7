"""One device configuration for each test process: two logical CPUs.

It must be made before TensorFlow runs any operation. Tests with one replica
use the first device.
"""

from __future__ import annotations

import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Tests of the checks need no TensorFlow, which takes 5 s to import.
WITHOUT_TENSORFLOW = ROOT / 'tests' / 'tools'

sys.path.insert(0, str(ROOT))


def pytest_sessionstart(session: pytest.Session) -> None:
  """Loads TensorFlow and splits the CPU in two, if a test may use it."""
  is_worker = hasattr(session.config, 'workerinput')
  if session.config.option.numprocesses and not is_worker:
    return  # this process only hands tests out
  places = [
      pathlib.Path(argument.partition('::')[0]).resolve()
      for argument in session.config.args]
  if all(place.is_relative_to(WITHOUT_TENSORFLOW) for place in places):
    return
  from earsr_tf import environment
  environment.load_tensorflow()
  import tensorflow as tf
  cpu = tf.config.list_physical_devices('CPU')[0]
  tf.config.set_logical_device_configuration(
      cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
