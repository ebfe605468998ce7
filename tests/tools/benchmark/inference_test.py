"""The inference suite: what it counts, and that both graphs agree."""

from __future__ import annotations

import pytest

from tools.benchmark import inference
from tools.benchmark import measurement


def test_the_roofline_adds_the_nearer_limit_of_every_layer() -> None:
  layers = [inference.Layer(flop=100, kernel=10),
            inference.Layer(flop=1, kernel=50)]
  # 100 operations take 10 s at 10/s; 50 bytes take 10 s at 5/s.
  assert inference.roofline(layers, 1, 10.0, 5.0) == 10.0 + 10.0
  assert inference.roofline(layers, 2, 10.0, 5.0) == 20.0 + 10.0


def test_the_products_of_the_paper_are_the_known_ones() -> None:
  layers = inference.products('paper')
  # Counted by hand: E_a 23.3, E_l 0.44, F 0.30 and G 27.6 GFLOP, of which the
  # blurs of G are no products.
  assert sum(layer.flop for layer in layers) == pytest.approx(
      51.6e9, rel=5e-3)
  assert sum(layer.kernel for layer in layers) == pytest.approx(
      2.68e9, rel=2e-2)


def test_the_graphs_make_the_same_faces() -> None:
  options = measurement.Options('', 1, ('batch_1', 'bf16'), 'tiny')
  rows = {row.name: row for row in inference.measure(options)}
  assert rows['batch 1: exported / plain graph'].value > 0
  assert rows['batch 8: bf16 / float32'].value > 0
  assert rows[
      'batch 1: exported, largest difference to plain graph'].value <= 1
  # The weights are the same, of no training.
  assert 20 < rows['batch 8: bf16, PSNR to float32'].value < 99
