"""The judges of the evaluation: their training, and what is asked of them."""

from __future__ import annotations

import dataclasses

from earsr_tf.config_phase import PhaseConfig


@dataclasses.dataclass(frozen=True)
class AttributesConfig:
  """Small classifiers C_i, C_g, C_a of the evaluation (section 4.4).

  Attributes:
    phases: Schedule.
    num_speakers: Classes of C_i; 0 means as many as the data hold.
    max_softening: Images are reduced by random powers of two up to this and
      enlarged again, for judging soft faces; 1 (the paper) keeps originals.
    descriptor: 'synthetic': the judges read a network that was trained on
      other people of SyntheticVox, as the paper's read VGG-Face, and stage
      `attributes` is not needed; '': they read what that stage trains.
    jitter: Images are moved and scaled at random by up to this share, their
      contrast and colours changed by up to twice as much; 0 (the paper): not.
  """
  phases: tuple[PhaseConfig, ...] = (PhaseConfig(20_000_000, 64, 0, 0, 1e-3),)
  num_speakers: int = 0
  max_softening: int = 1
  jitter: float = 0.0
  descriptor: str = ''


@dataclasses.dataclass(frozen=True)
class JudgeConfig:
  """What C_i and C_g must reach on original test images, shares in [0, 1].

  An evaluation whose judges are below says that it is not to be trusted.

  Attributes:
    least_identity_closed: C_i on the closed set.
    least_identity_open: C_i on the open set, whose people C_i was not trained
      on.
    least_gender: C_g on each of both.
  """
  least_identity_closed: float = 0.95
  least_identity_open: float = 0.90
  least_gender: float = 0.98
