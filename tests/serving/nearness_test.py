"""How near pictures are: samples of unseen clips, dB, levels, refusals."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from earsr_tf.serving import export_manifest
from earsr_tf.serving import nearness


def test_pictures_may_be_40_db_apart() -> None:
  check = functools.partial(
      nearness.check_pictures, least_psnr=40.0, what='--x', advice='go')
  exact = np.full([2, 8, 8, 3], 100, np.uint8)
  near = exact + np.uint8(2)  # 20 log10(255 / 2) = 42.11 dB
  assert check(near, exact) == (pytest.approx(42.11, abs=0.01), 2)
  assert check(exact, near) == (pytest.approx(42.11, abs=0.01), 2)
  assert check(exact, exact) == (99.0, 0)
  with pytest.raises(export_manifest.ExportError, match='^--x: .*38.6 dB.*go$'):
    check(exact + np.uint8(3), exact)


def test_samples_are_clips_that_nothing_was_trained_on(data_dir: str) -> None:
  batches = nearness.samples(data_dir, 8, stretch=False)
  low, waveform = (
      np.concatenate(parts) for parts in zip(*batches, strict=True))
  assert low.shape == (6, 8, 8, 3) and low.dtype == np.uint8
  assert waveform.shape == (6, 64_000)
  assert low.std() > 20 and 0.05 < waveform.std() < 0.5
