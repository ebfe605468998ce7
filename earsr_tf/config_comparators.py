"""Comparators of Table 2: other methods, trained by the same loop.

Their defaults are those of their authors' code. Where a schedule is in epochs,
the images of an epoch are those of the authors' data.
"""

from __future__ import annotations

import dataclasses

from earsr_tf.config_phase import PhaseConfig

# 1e-5, halved every 50 epochs of 100 batches of 64, not below 1e-6; 1,000
# epochs in all.
_LAPSRN_PHASES = (
    *(PhaseConfig(320_000, 64, learning_rate=1e-5 * 0.5 ** i)
      for i in range(4)),
    PhaseConfig(5_120_000, 64, learning_rate=1e-6))


@dataclasses.dataclass(frozen=True)
class LapSRNConfig:
  """LapSRN (Lai et al. 2017): stages `lapsrn` and `lapsrn_x4`.

  Attributes:
    phases: Schedule.
    filters: Width of the features.
    depth: Convolutions of a level: 10 for 4x; 5 as their model for 8x, the
      largest factor that they trained.
    solver: 'sgd' (theirs) or 'adam', with the constants of `optimizer`.
    momentum: Of SGD.
    weight_decay: On weights and biases; their trainer's default.
    bias_rate_scale: Learning rate of biases over that of kernels.
  """
  phases: tuple[PhaseConfig, ...] = _LAPSRN_PHASES
  filters: int = 64
  depth: int = 5
  solver: str = 'sgd'
  momentum: float = 0.9
  weight_decay: float = 5e-4
  bias_rate_scale: float = 0.1


@dataclasses.dataclass(frozen=True)
class WaveletSRNetConfig:
  """Wavelet-SRNet (Huang et al. 2017): stage `wavelet_srnet`.

  Attributes:
    phases: Schedule: 500 epochs of CelebA's 162,770 training images.
    filters: First width of the embedding; the last is 16 times as wide.
    head_filters: First width of a coefficient in its head.
    detail_weight: Of the squared error of the detail coefficients.
    mean_weight: Of the squared error of the block means.
    image_weight: Of the squared error of the image.
    texture_weight: Of the texture loss of the detail coefficients.
    texture_ratio: Energy of details at which that loss ends, over the target's.
    weight_decay: On all trained variables.
  """
  phases: tuple[PhaseConfig, ...] = (
      PhaseConfig(81_385_000, 64, learning_rate=2e-4),)
  filters: int = 64
  head_filters: int = 32
  detail_weight: float = 0.99
  mean_weight: float = 0.01
  image_weight: float = 0.1
  texture_weight: float = 1.0
  texture_ratio: float = 1.2
  weight_decay: float = 5e-4
