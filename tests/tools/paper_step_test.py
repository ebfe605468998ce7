"""Tests of tools/paper_step.py, at the size of preset `tiny`."""

from __future__ import annotations

import pytest

from tests import testing


@pytest.mark.parametrize('stage, columns', [
    ('finetune', ('finetune/l1', 'finetune/weight_distance 0,')),
    pytest.param('generator', ('discriminator/logistic', 'generator/logistic'),
                 marks=pytest.mark.slow)])
def test_a_step_is_measured_in_a_process_of_its_own(
    stage: str, columns: tuple[str, ...]) -> None:
  done = testing.run_module(
      'tools.paper_step', f'--stage={stage}', '--preset=tiny',
      '--batch_size=2')
  assert done.returncode == 0, done.stderr
  intro, _, _, row = done.stdout.splitlines()
  assert 'batch 2' in intro and 'discriminator with random weights' in intro
  cells = [cell.strip() for cell in row.split('|')[1:-1]]
  assert cells[0] == stage and int(cells[1].replace(',', '')) > 0
  assert 0.1 < float(cells[4].split()[0]) < 4.0
  assert all(column in cells[5] for column in columns)


def test_too_little_memory_is_one_line() -> None:
  done = testing.run_module(
      'tools.paper_step', '--stage=low_res', '--preset=tiny',
      '--batch_size=10000000')
  assert done.returncode == 70
  lines = [line for line in done.stderr.splitlines() if line.strip()]
  assert lines[-1].startswith('error: stage low_res needs about ')
  assert 'smaller --batch_size' in lines[-1]
  assert 'Traceback' not in done.stderr
