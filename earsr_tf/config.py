"""Frozen configuration records; their defaults are preset `paper`.

Those are the numbers of the paper (section 4.2) and, where it is silent, of
the authors' code and StyleGAN v1.
"""

from __future__ import annotations

import dataclasses

from earsr_tf import config_comparators
from earsr_tf import config_gate
from earsr_tf import config_judge
from earsr_tf import config_model
from earsr_tf.config_phase import PhaseConfig

PRESETS = ('paper', 'bench', 'real', 'demo', 'tiny')
PRECISIONS = ('float32', 'mixed_bfloat16')
STAGES = ('generator', 'invert', 'finetune', 'low_res', 'audio', 'fusion',
          'attributes')
# Other methods that tables may hold beside ours; nothing needs them.
COMPARATORS = ('lapsrn_x4', 'lapsrn', 'wavelet_srnet')
TRAINABLE = (*STAGES, *COMPARATORS)


class ConfigError(ValueError):
  """A configuration value breaks a rule; the message names the remedy."""


ModelConfig = config_model.ModelConfig


@dataclasses.dataclass(frozen=True)
class OptimizerConfig:
  """Adam of all stages but `generator` (paper, section 4.2).

  Attributes:
    learning_rate: Used by phases that do not set their own.
    beta_1: First-moment decay.
    beta_2: Second-moment decay.
    epsilon: Denominator offset.
    decay: 'none' (the paper) or 'cosine': to zero over the stage's images.
  """
  learning_rate: float = 1e-4
  beta_1: float = 0.9
  beta_2: float = 0.999
  epsilon: float = 1e-8
  decay: str = 'none'


@dataclasses.dataclass(frozen=True)
class GeneratorConfig:
  """Stage 0: StyleGAN v1 (Karras et al. 2018; paper, section 4.2).

  `start_images`: faces whose components are G's linear base, if it has one.
  """
  phases: tuple[PhaseConfig, ...] = (
      PhaseConfig(600_000, 256, 8, 0, 1e-3),
      PhaseConfig(1_200_000, 128, 16, 600_000, 1e-3),
      PhaseConfig(1_200_000, 64, 32, 600_000, 1e-3),
      PhaseConfig(1_200_000, 32, 64, 600_000, 1e-3),
      PhaseConfig(26_729_000, 32, 128, 600_000, 1.5e-3),
  )
  beta_1: float = 0.0
  beta_2: float = 0.99
  epsilon: float = 1e-8
  r1_gamma: float = 10.0
  r1_interval: int = 1
  ema_half_life_kimg: float = 10.0
  style_mixing_probability: float = 0.9
  w_avg_beta: float = 0.995
  mirror_augment: bool = True
  start_images: int = 0


@dataclasses.dataclass(frozen=True)
class InvertConfig:
  """Stage 1: Eq. (1), E_h against the frozen generator.

  Attributes:
    phases: Schedule.
    l1_weight: Weight of the pixel term.
    feature_weight: lambda_f.
    mirror_augment: Whether faces are mirrored at random, here and in Eq. (2).
    l1_reduction: |.|_1 of the pixels, also in Eq. (2): 'mean' or 'sum'.
    features: phi, also of other stages: 'vgg16', 'discriminator' (stage 0's)
      or 'synthetic' (a face descriptor that comes with the package).
    vgg16_weights: 'imagenet' (a download), a file, or 'random' (for costs).
    feature_layers: Keras layers of VGG16 that are compared, with commas.
    feature_distance: Of two feature maps: 'l1' or 'l2' (squared).
    feature_reduction: Over a map and over layers: 'mean' or 'sum'.
  """
  phases: tuple[PhaseConfig, ...] = (PhaseConfig(45_760_000, 128),)
  l1_weight: float = 1.0
  feature_weight: float = 1.0
  mirror_augment: bool = False
  l1_reduction: str = 'mean'
  features: str = 'vgg16'
  vgg16_weights: str = 'imagenet'
  feature_layers: str = 'block1_conv2,block2_conv2,block3_conv3,block4_conv3'
  feature_distance: str = 'l1'
  feature_reduction: str = 'mean'


@dataclasses.dataclass(frozen=True)
class FinetuneConfig:
  """Stage 2: Eq. (2), E_h and G together.

  Attributes:
    phases: Schedule.
    l1_weight: Weight of the pixel term.
    feature_weight: lambda_f.
    generator_rate_scale: G's learning rate over E_h's (the paper: 1).
    lambda_t: First weight of |G_init - G|^2.
    anchor_reduction: 'sum' or 'mean' over G's trainables.
    plateau_images: Window over which the smoothed loss must improve ...
    plateau_tolerance: ... by this share, or lambda_t is halved.
    plateau_smoothing: Share of the window over which the loss is smoothed.
    tunes_mapping: Whether G's mapping network is tuned, too.
    detail_weight: Of `losses/detail`, beside the paper's terms (there 0).
  """
  phases: tuple[PhaseConfig, ...] = (PhaseConfig(45_760_000, 128),)
  l1_weight: float = 1.0
  feature_weight: float = 1.0
  generator_rate_scale: float = 1.0
  lambda_t: float = 1.0
  anchor_reduction: str = 'sum'
  plateau_images: int = 640_000
  plateau_tolerance: float = 0.001
  plateau_smoothing: float = 0.25
  tunes_mapping: bool = True
  detail_weight: float = 0.0


@dataclasses.dataclass(frozen=True)
class LowResConfig:
  """Eq. (3), E_l on D_pre: `low_res_weight` is lambda, |.|_1 mean or sum.

  `image_weight`: of |G(z^l) - x^h|_1, beside the paper's terms (there 0).
  `detail_weight`: of `losses/detail`, likewise.
  `feature_weight`: of phi's distance of G(z^l) and x^h, likewise.
  `through_base`: whether phases at the side of G's linear base see its picture
  instead of G's, which costs a fraction.
  `on_whole_set`: whether E_l learns from D instead of D_pre (the paper).
  `start_images`: that E_l's linear path is fitted to, if it has one.
  """
  phases: tuple[PhaseConfig, ...] = (PhaseConfig(61_440_000, 256),)
  code_weight: float = 1.0
  low_res_weight: float = 40.0
  image_weight: float = 0.0
  detail_weight: float = 0.0
  feature_weight: float = 0.0
  through_base: bool = False
  on_whole_set: bool = False
  l1_reduction: str = 'mean'
  start_images: int = 0


@dataclasses.dataclass(frozen=True)
class AudioConfig:
  """Stage 3b: Eq. (4).

  `feature_weight`, `through_base`: as in Eq. (3), of G(z^a) (there 0).
  `on_whole_set`: whether E_a learns from D instead of D_pre (the paper).
  `stranger_share`: of the voices for which E_a's memory leaves out the speaker.
  `start_images`: voices that E_a starts from: the first 64 scale its weights,
  all are what its linear path or its memory is made of, if it has one.
  """
  phases: tuple[PhaseConfig, ...] = (PhaseConfig(12_800_000, 64),)
  code_weight: float = 1.0
  feature_weight: float = 0.0
  through_base: bool = False
  on_whole_set: bool = False
  stranger_share: float = 0.0
  l1_reduction: str = 'mean'
  start_images: int = 0


@dataclasses.dataclass(frozen=True)
class FusionConfig:
  """Stage 4: Eq. (5), F and E_a on D; `low_res_weight` is lambda.

  `audio_rate_scale`: E_a's learning rate over F's (the paper: 1).
  `zero_audio`: E_a's code is zero, in training and after: Table 1 (f).
  `image_weight`: of |G(z^f) - x^h|_1, beside the paper's terms (there 0).
  `detail_weight`: of `losses/detail`, likewise.
  `feature_weight`: of phi's distance of G(z^f) and x^h, likewise.
  `through_base`: as in Eq. (3).
  `silent_share`: of the images whose E_a code is zero, for F to bear it.
  `stranger_share`: as in Eq. (4): F learns what strangers' voices are worth.
  `start_images`: that F's linear path is fitted to, if it has one.
  """
  phases: tuple[PhaseConfig, ...] = (PhaseConfig(26_880_000, 64),)
  code_weight: float = 1.0
  low_res_weight: float = 40.0
  l1_reduction: str = 'mean'
  audio_rate_scale: float = 1.0
  zero_audio: bool = False
  image_weight: float = 0.0
  detail_weight: float = 0.0
  feature_weight: float = 0.0
  through_base: bool = False
  silent_share: float = 0.0
  stranger_share: float = 0.0
  start_images: int = 0


@dataclasses.dataclass(frozen=True)
class TrainingConfig:
  """How a stage runs: what it computes stays, but for rounding.

  Attributes:
    log_every: Seconds between log lines.
    record_every: Images between lines of metrics.jsonl and summaries.
    preview_every: Images between preview grids; 0 means only at the end.
    save_every: Images between checkpoints.
    keep: Checkpoints kept.
    max_skipped_in_a_row: Non-finite steps skipped in a row, at most; then ...
    max_rollbacks: ... the run goes back to a checkpoint, at most this often.
    preview_size: Rows of the preview grids.
    cached_targets: Whether E_h's codes (Eqs. 3 to 5) are computed only once.
    deterministic: Whether TensorFlow must take kernels that repeat exactly.
    micro_batch: Images a replica computes at a time, at most; 0 means all.
    precision: Of convolutions and matrix products; see docs/training.md.
  """
  log_every: float = 10.0
  record_every: int = 5_000
  preview_every: int = 200_000
  save_every: int = 500_000
  keep: int = 3
  max_skipped_in_a_row: int = 10
  max_rollbacks: int = 3
  preview_size: int = 8
  cached_targets: bool = False
  deterministic: bool = True
  micro_batch: int = 0
  precision: str = 'float32'


@dataclasses.dataclass(frozen=True)
class Config:
  """Everything that defines a run; see the parts."""
  preset: str = 'paper'
  seed: int = 1000
  model: ModelConfig = ModelConfig()
  optimizer: OptimizerConfig = OptimizerConfig()
  generator: GeneratorConfig = GeneratorConfig()
  invert: InvertConfig = InvertConfig()
  finetune: FinetuneConfig = FinetuneConfig()
  low_res: LowResConfig = LowResConfig()
  audio: AudioConfig = AudioConfig()
  fusion: FusionConfig = FusionConfig()
  attributes: config_judge.AttributesConfig = config_judge.AttributesConfig()
  lapsrn_x4: config_comparators.LapSRNConfig = (
      config_comparators.LapSRNConfig(depth=10))
  lapsrn: config_comparators.LapSRNConfig = config_comparators.LapSRNConfig()
  wavelet_srnet: config_comparators.WaveletSRNetConfig = (
      config_comparators.WaveletSRNetConfig())
  judge: config_judge.JudgeConfig = config_judge.JudgeConfig()
  schema: config_gate.SchemaConfig = config_gate.SchemaConfig()
  blessing: config_gate.BlessingConfig = config_gate.BlessingConfig()
  training: TrainingConfig = TrainingConfig()
