"""Importing everything must leave devices free to be configured."""

from __future__ import annotations

import subprocess
import sys

from tests import testing

SCRIPT = '''
import importlib, pathlib, sys
for path in sorted(pathlib.Path('.').glob('[ep]*/**/*.py')):
  if path.parts[0] in ('earsr_tf', 'pipelines'):
    try:
      importlib.import_module('.'.join(path.with_suffix('').parts))
    except ModuleNotFoundError as error:
      if error.name != 'gradio':  # of the extra `page`
        raise
import tensorflow as tf
cpu = tf.config.list_physical_devices('CPU')[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
assert len(tf.config.list_logical_devices('CPU')) == 2
print(sum(name.startswith('earsr_tf.') for name in sys.modules))
'''


def test_devices_can_be_configured_after_importing_everything() -> None:
  done = subprocess.run(
      [sys.executable, '-c', SCRIPT], cwd=testing.ROOT, capture_output=True,
      text=True, timeout=120, check=False)
  assert done.returncode == 0, done.stderr[-2000:]
  assert int(done.stdout) > 20
