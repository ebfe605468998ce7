"""Tests of earsr_tf.training.schedule: StyleGAN v1's schedule, row by row.

The rows are those of StyleGAN v1 at 128x128 with the authors' 30 929 kimg,
computed from the `paper` preset through phases, optimizers and averages.
"""

from __future__ import annotations

import math

import pytest

from earsr_tf import presets
from earsr_tf.stages import generator
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import ema
from earsr_tf.training import optimizers
from earsr_tf.training import schedule
from tests import fakes

# kimg from, kimg to, lod at both ends, side, batch, learning rate.
ROWS = (
    (0, 600, 4, 4, 8, 256, 1e-3),
    (600, 1200, 4, 3, 16, 128, 1e-3),
    (1200, 1800, 3, 3, 16, 128, 1e-3),
    (1800, 2400, 3, 2, 32, 64, 1e-3),
    (2400, 3000, 2, 2, 32, 64, 1e-3),
    (3000, 3600, 2, 1, 64, 32, 1e-3),
    (3600, 4200, 1, 1, 64, 32, 1e-3),
    (4200, 4800, 1, 0, 128, 32, 1.5e-3),
    (4800, 30929, 0, 0, 128, 32, 1.5e-3),
)


@pytest.fixture(name='stage', scope='module')
def _stage() -> stage_lib.Stage:
  return generator.stage(presets.get('paper'))


def _at(stage: stage_lib.Stage, images: int) -> schedule.Span:
  """The phase whose steps include the one after `images`."""
  return next(span for span in schedule.spans(stage.phases)
              if span.first <= images < span.last)


def _lod(span: schedule.Span, images: int) -> float:
  return 7 - math.log2(span.phase.resolution) + 1 - span.alpha(images)


@pytest.mark.parametrize('row', ROWS)
def test_row_of_the_table(stage: stage_lib.Stage, row: tuple) -> None:
  begin, end, lod_0, lod_1, side, batch, rate = row
  for share in (0.001, 0.25, 0.5, 0.999):
    images = int(1000 * (begin + share * (end - begin)))
    span = _at(stage, images)
    assert (span.phase.resolution, span.phase.batch_size) == (side, batch)
    assert optimizers.learning_rate(stage, span.phase, images) == rate
    assert _lod(span, images) == pytest.approx(
        lod_0 + share * (lod_1 - lod_0), abs=1e-4)
    # A half-life of 10 kimg, counted in steps of D.
    kept = ema.decay(span.phase.batch_size, stage.ema_half_life_kimg)
    assert kept ** (10_000 / batch) == pytest.approx(0.5, rel=1e-9)


@pytest.mark.parametrize('row', range(1, len(ROWS)))
def test_row_begins_at_its_first_whole_batch_with_fresh_slots(
    stage: stage_lib.Stage, row: int) -> None:
  boundary, batch = 1000 * ROWS[row][0], ROWS[row][5]
  larger = ROWS[row - 1][5]
  resets = sorted(
      x for span in schedule.spans(stage.phases) for x in span.changes)
  assert len(resets) == len(ROWS) - 1
  assert boundary <= resets[row - 1] < boundary + larger
  span = _at(stage, resets[row - 1])
  assert span.phase.batch_size == batch


def _stylegan(images: int) -> tuple[float, int]:
  """lod and side after so many images, as StyleGAN's loop computes them."""
  kimg = images / 1000.0
  number = int(kimg // 1200)
  lod = 4 - number - max(kimg - 1200 * number - 600, 0.0) / 600
  lod = max(lod, 0.0)
  return lod, 2 ** (7 - int(math.floor(lod)))


def test_every_step_until_128_is_that_of_stylegan_s_loop(
    stage: stage_lib.Stage) -> None:
  """Step by step; a fade may begin one step early, with nothing of it seen."""
  batches = {8: 256, 16: 128, 32: 64, 64: 32, 128: 32}
  images, resets, before, odd = 0, [], None, 0
  for span in schedule.spans(stage.phases):
    while images < min(span.last, 4_810_000):
      lod, side = _stylegan(images)
      assert _lod(span, images) == pytest.approx(lod, abs=1e-9)
      if side != span.phase.resolution:
        odd += 1
        assert span.alpha(images) == 0.0
      else:
        assert batches[side] == span.phase.batch_size
      ends = math.floor(lod), math.ceil(lod)
      if before not in (None, ends):
        resets.append(images)
      before = ends
      images += span.phase.batch_size
  ours = sorted(
      x for span in schedule.spans(stage.phases) for x in span.changes)
  assert odd <= 4
  assert all(0 <= a - b <= 256 for a, b in zip(resets, ours, strict=True))


def test_the_stage_ends_after_30929_kimg(stage: stage_lib.Stage) -> None:
  assert 30_929_000 <= schedule.spans(stage.phases)[-1].last < 30_929_032


def test_slots_restart_when_a_fade_begins_and_when_it_ends() -> None:
  phases = [
      stage_lib.Phase(8, 4, 10, 0, 1.0), stage_lib.Phase(16, 2, 10, 5, 1.0),
      stage_lib.Phase(16, 2, 4, 0, 1.0), stage_lib.Phase(32, 2, 4, 4, 1.0),
      stage_lib.Phase(32, 2, 4, 0, 1.0)]
  made = schedule.spans(phases)
  assert [(s.begin, s.first, s.last) for s in made] == [
      (0, 0, 12), (10, 12, 20), (20, 20, 24), (24, 24, 28), (28, 28, 32)]
  # 15 is reached at 16; a phase of the same size changes nothing.
  assert [sorted(s.changes) for s in made] == [[], [12, 16], [], [24], [28]]
  assert [made[1].alpha(x) for x in (10, 12, 15, 18)] == [0.0, 0.4, 1.0, 1.0]
  assert made[0].alpha(0) == 1.0


def test_a_phase_that_whole_batches_skip_is_empty() -> None:
  made = schedule.spans([
      stage_lib.Phase(8, 16, 10, 0, 1.0), stage_lib.Phase(8, 2, 4, 0, 1.0),
      stage_lib.Phase(16, 4, 8, 4, 1.0)])
  assert [(s.first, s.last) for s in made] == [(0, 16), (16, 16), (16, 24)]
  assert made[2].changes == {16, 20}


def test_only_the_generator_restarts_adam() -> None:
  restarts = {name: fakes.stage(name).resets_optimizer for name in (
      'generator', 'invert', 'finetune', 'low_res', 'audio', 'fusion')}
  assert [name for name, value in restarts.items() if value] == ['generator']
