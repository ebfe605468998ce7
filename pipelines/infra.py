"""Whether an export runs elsewhere, in a process that knows nothing of us.

The child of `infra_probe.py` sees neither this checkout nor its variables; the
requests are those that a server answers before it takes the version up.
"""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any, Mapping

from earsr_tf.serving import export_manifest

_PROBE = pathlib.Path(__file__).with_name('infra_probe.py')
_TIMEOUT_S = 1800.0  # it takes seconds, but not on a busy machine
_LONGEST = 300  # of what the child says last


def check(
    version: pathlib.Path, *, probe: pathlib.Path = _PROBE,
    timeout_s: float = _TIMEOUT_S) -> dict[str, Any]:
  """Loads a version in a fresh process and has it answer its requests.

  Args:
    version: Version folder.
    probe: The program; tests have others.
    timeout_s: For loading and answering.

  Returns:
    JSON-ready: `blessed`, `reasons` (sentences; empty if blessed), and what
    the probe said, `probe`.
  """
  said: dict[str, Any] = {}
  try:
    manifest = export_manifest.verify(version)
    said = _ask(version, probe, timeout_s)
  except export_manifest.ExportError as error:
    reasons = [str(error)]
  except (subprocess.SubprocessError, ValueError) as error:
    reasons = [f'{version}: {error}']
  else:
    reasons = _faults(said, manifest)
  return {'blessed': not reasons, 'reasons': reasons, 'probe': said}


def _ask(version: pathlib.Path, probe: pathlib.Path, timeout_s: float
         ) -> dict[str, Any]:
  """Runs the probe.

  Raises:
    SubprocessError: If it fails or takes too long.
    ValueError: If it says nothing that can be read.
  """
  variables = {name: value for name, value in os.environ.items()
               if not name.startswith('PYTHON')}
  with tempfile.TemporaryDirectory(prefix='earsr_') as elsewhere:
    try:
      done = subprocess.run(
          [sys.executable, '-I', str(probe), str(version.resolve())],
          cwd=elsewhere, env={**variables, 'TF_CPP_MIN_LOG_LEVEL': '3'},
          stdin=subprocess.DEVNULL, capture_output=True, text=True,
          errors='replace', timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
      raise subprocess.SubprocessError(
          f'a fresh process had not answered after {timeout_s:g} s') from None
  if done.returncode:
    last = (done.stderr.strip().splitlines() or ['it said nothing'])[-1]
    raise subprocess.SubprocessError(
        f'a fresh process ended with {done.returncode}: {last[:_LONGEST]}')
  return json.loads(done.stdout.splitlines()[-1])


def _faults(said: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
  """What is wrong with the answers."""
  faults = [
      f'{name}: {fault}' for name, answer in said['answers'].items()
      for fault in answer['faults']]
  promised = set(manifest.get('signatures', ())) | set(said['offered'])
  if missing := sorted(promised - set(said['answers'])):
    faults.append(f'no warm-up request, or no signature: {", ".join(missing)}')
  if said['foreign']:
    faults.append(f'loading it imports {", ".join(said["foreign"])}')
  return faults
