"""2000 steps: memory, open files and traced functions do not grow."""

from __future__ import annotations

import dataclasses
import os
import pathlib

import numpy as np
import pytest

from earsr_tf.config import PhaseConfig
from earsr_tf.training import loop
from earsr_tf.training.monitoring import summaries
from tests import fakes

_STEPS = 2000


def _resident_bytes() -> int:
  pages = pathlib.Path('/proc/self/statm').read_text(encoding='ascii').split()
  return int(pages[1]) * os.sysconf('SC_PAGE_SIZE')


@pytest.mark.slow
def test_a_long_run_stays_as_it_began(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
  base = fakes.small_config()
  config = dataclasses.replace(
      base, attributes=dataclasses.replace(base.attributes, phases=(
          PhaseConfig(2 * _STEPS, 4), PhaseConfig(2 * _STEPS, 4))),
      training=dataclasses.replace(
          base.training, log_every=1e9, save_every=400, preview_every=2000))
  functions, memory, files = [], [], []
  compile_update = loop.step_lib.compile_update
  advance = summaries.Reporter.advance

  def compiled(*args, **kwargs):
    functions.append(compile_update(*args, **kwargs))
    return functions[-1]

  def measured(self, images: int) -> None:
    advance(self, images)
    memory.append(_resident_bytes())
    files.append(len(os.listdir('/proc/self/fd')))
    for function in functions:
      assert function.experimental_get_tracing_count() == 1

  monkeypatch.setattr(loop.step_lib, 'compile_update', compiled)
  monkeypatch.setattr(summaries.Reporter, 'advance', measured)
  loop.train(
      fakes.stage('attributes', config), config, run_root=str(tmp_path),
      replicas=1, make_dataset=fakes.batches, preview_batch=fakes.batch(2),
      provenance={})

  assert len(memory) == _STEPS and len(functions) == 2  # one per phase
  # The second phase, without its beginning: all kinds of work were done once.
  steps = np.arange(_STEPS // 2 + 100, _STEPS)
  slope = np.polyfit(steps, np.array(memory)[steps], 1)[0]
  print(f'{slope:.0f} bytes a step; {files[300]} and {files[-1]} open files')
  print('kB at every 100th step:', [m >> 10 for m in memory[::100]])
  assert slope < 10_000  # 1 MB in 100 steps would be a leak
  assert max(files[300:]) <= files[300] + 2
  left = list((tmp_path / 'attributes' / 'checkpoints').glob('*.index'))
  assert len(left) == config.training.keep
