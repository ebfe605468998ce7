"""Exports that run elsewhere and exports that do not."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from earsr_tf.serving import export_manifest
from pipelines import infra
from pipelines import infra_probe


def _version(base: pathlib.Path) -> pathlib.Path:
  (base / '1').mkdir(parents=True)
  (base / '1' / 'saved_model.pb').write_bytes(b'x')
  export_manifest.write(base / '1', {'signatures': ['one', 'two']})
  return base / '1'


def _program(path: pathlib.Path, body: str) -> pathlib.Path:
  """A probe that needs no TensorFlow, and says something else after `body`."""
  path.write_text(
      f"import json\nimport os\nsaid = json.loads('{_GOOD}')\n{body}"
      'print(json.dumps(said))\n')
  return path


_GOOD = ('{"offered": ["one", "two"], "foreign": [], "answers": {'
         '"one": {"faults": []}, "two": {"faults": []}}}')


@pytest.mark.parametrize('body, reason', [
    ('', ''),
    ("said['answers']['two']['faults'] = ['x: it is empty']\n",
     'two: x: it is empty'),
    ("del said['answers']['two']\n",
     'no warm-up request, or no signature: two'),
    ("said['foreign'] = ['earsr_tf']\n", 'loading it imports earsr_tf'),
    ("raise ValueError('Op type not registered')\n",
     'a fresh process ended with 1: ValueError: Op type not registered'),
    ('os.kill(os.getpid(), 9)\n', 'ended with -9: it said nothing'),
    ('import time; time.sleep(60)\n', 'had not answered after 1 s'),
    ("import earsr_tf\n", "No module named 'earsr_tf'")])
def test_a_probe_decides(
    body: str, reason: str, tmp_path: pathlib.Path) -> None:
  found = infra.check(
      _version(tmp_path / 'export'), timeout_s=1.0 if 'sleep' in body else 60.0,
      probe=_program(tmp_path / 'probe.py', body))
  assert found['blessed'] is (not reason)
  assert len(found['reasons']) == bool(reason)
  assert reason in ''.join(found['reasons'])


def test_a_damaged_export_is_not_tried(tmp_path: pathlib.Path) -> None:
  version = _version(tmp_path / 'export')
  (version / 'saved_model.pb').write_bytes(b'y')
  found = infra.check(version, probe=tmp_path / 'none.py')
  assert not found['blessed'] and 'differs from its sha256' in (
      found['reasons'][0])


@pytest.mark.parametrize('value, fault', [
    (np.array([b'\x89PNG\r\n\x1a\n...'], object), ''),
    (np.array([b'\x89PNG\r\n\x1a\n', b'no'], object),
     '1 of 2 files are no PNG'),
    (np.arange(4, dtype=np.uint8), ''),
    (np.full([4], 127, np.uint8), 'it is one value throughout'),
    (np.array([0.0, np.nan]), 'it is not finite'),
    (np.zeros([0, 8]), 'it is empty')])
def test_faults_of_outputs(value: np.ndarray, fault: str) -> None:
  assert infra_probe._fault(value) == fault
