"""One code for a shot is the mean; each frame's is its own."""

from __future__ import annotations

import numpy as np
import pytest

from earsr_tf.serving import film_faces


class _Model:
  """Codes are means of pictures; a picture shows its code."""

  def __init__(self) -> None:
    self.batches: list[tuple[str, int]] = []

  def encode(self, image_low, waveform, strength):
    """[n, 1, 1]."""
    assert waveform.shape == (64_000,) and strength == 0.5
    self.batches.append(('encode', len(image_low)))
    return image_low.mean(axis=(1, 2, 3)).astype(np.float32)[:, None, None]

  def render(self, code, image_low, consistency):
    """[n, 4, 4, 3]; a correction adds the first pixel of the input."""
    self.batches.append(('render', len(code)))
    added = image_low[:, 0, 0, 0] if consistency == 'exact' else 0
    return np.broadcast_to(
        (np.round(code[:, 0, 0]) + added)[:, None, None, None],
        [len(code), 4, 4, 3]).astype(np.uint8)


def _seen() -> film_faces.Seen:
  """40 frames in 3 shots; the second has no face."""
  low = np.zeros([40, 8, 8, 3], np.uint8)
  low[:] = np.arange(40)[:, None, None, None]
  shots = np.repeat([0, 1, 2], [21, 4, 15])
  return film_faces.Seen(low, shots, shots != 1)


@pytest.mark.parametrize('options, expected', [
    ({'codes': 'frame'}, [*range(21), 0, 0, 0, 0, *range(25, 40)]),
    ({'is_steady': True}, [10] * 21 + [0] * 4 + [32] * 15),
    ({}, [10] * 21 + [0] * 4 + [32] * 15),
    ({'consistency': 'exact'}, [
        *range(10, 31), 0, 0, 0, 0, *range(32 + 25, 32 + 40)])])
def test_codes(options, expected) -> None:
  model = _Model()
  made = np.stack(list(film_faces.make(
      model, _seen(), np.zeros(64_000, np.float32), strength=0.5, **options)))
  assert made.shape == (40, 4, 4, 3)
  assert made[:, 0, 0, 0].tolist() == expected
  assert max(count for _, count in model.batches) <= film_faces.BATCH
  if options.get('is_steady'):
    assert sum(n for what, n in model.batches if what == 'render') == 3
