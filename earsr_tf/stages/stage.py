"""The Stage, Phase and Update records, nothing else.

A stage is data: which networks exist, which move, on which loss, for how
long. `training/` runs any stage; it knows no particular one.
"""

from __future__ import annotations

import dataclasses
from typing import Callable, Iterator, Mapping, Sequence

import tensorflow as tf

Networks = Mapping[str, tf.keras.Model]
Batch = Mapping[str, tf.Tensor]
Terms = Mapping[str, tf.Tensor]
Images = Mapping[str, tf.Tensor]
ComputeTarget = Callable[..., tf.Tensor]


@dataclasses.dataclass(frozen=True)
class Clock:
  """Where training stands; tensors, but for the static resolution.

  Attributes:
    step: [] int64, optimizer steps of the stage so far.
    images: [] int64, real images shown so far.
    alpha: [] float32 in [0, 1], how far the newest resolution has faded in.
    seed: [2] int32, key for stateless randomness of this step; the same on
      every replica, so draws are for the global batch, then picked by row.
    resolution: Side of the generated images.
    batch_size: Global batch; a replica sees a part of it.
  """
  step: tf.Tensor
  images: tf.Tensor
  alpha: tf.Tensor
  seed: tf.Tensor
  resolution: int
  batch_size: int


TermsFunction = Callable[[Networks, Batch, Clock], Terms]
Preview = Callable[[Networks, Batch, Clock], Images]
Observe = Callable[[Networks, Batch, Clock], Mapping[str, tf.Tensor]]
Start = Callable[[Networks, Iterator[Batch]], None]


@dataclasses.dataclass(frozen=True)
class Phase:
  """A stretch of training with constant shapes.

  Attributes:
    resolution: Side of the generated images.
    batch_size: Global batch.
    images: Length in images.
    fade_images: Images over which the resolution fades in, from the start.
    learning_rate: Adam's step at the start of the phase.
  """
  resolution: int
  batch_size: int
  images: int
  fade_images: int
  learning_rate: float


@dataclasses.dataclass(frozen=True)
class AdamConfig:
  """Adam's constants for one optimizer of a stage.

  Attributes:
    beta_1: First-moment decay.
    beta_2: Second-moment decay.
    epsilon: Denominator offset.
    rate_scale: Factor on the phase's learning rate.
  """
  beta_1: float = 0.9
  beta_2: float = 0.999
  epsilon: float = 1e-8
  rate_scale: float = 1.0


@dataclasses.dataclass(frozen=True)
class SgdConfig:
  """SGD's constants for one optimizer of a stage.

  Attributes:
    momentum: Share of the last step in the next.
    rate_scale: Factor on the phase's learning rate.
  """
  momentum: float = 0.9
  rate_scale: float = 1.0


@dataclasses.dataclass(frozen=True)
class HalveOnPlateau:
  """A weight that is halved when the total loss stops improving (Eq. 2).

  Attributes:
    initial: First value of lambda_t.
    window_images: The smoothed loss must improve within so many images ...
    tolerance: ... by this share of itself.
    smoothing: Share of the window over which the loss is smoothed.
    symbol: What the log calls the weight ...
    term_symbol: ... and the term, unweighted.
  """
  initial: float
  window_images: int
  tolerance: float
  smoothing: float = 0.25
  symbol: str = 'weight'
  term_symbol: str = 'term'


@dataclasses.dataclass(frozen=True)
class Update:
  """One optimizer step on one loss.

  Attributes:
    name: Summary prefix: `loss/<name>/<term>`.
    trains: Networks whose variables move.
    terms: The equation, unweighted: (networks, batch, clock) -> {term: [B]}.
    weights: lambda per term; the keys equal those of `terms`.
    interval: Runs every so many steps; the loss is scaled by it (lazy
      regularisation).
    optimizer: Key of the optimizer; updates that share one share its slots.
    own_optimizers: Networks of `trains` that have an optimizer of their own.
    observed: Further entries of `terms` that are recorded under their own
      names and are no part of the loss.
    moves: (networks, batch, clock) -> [(variable, new value)]: state that a
      forward pass moves (w_avg). It is mean-reduced over replicas and assigned
      in `training/step.py` only.
  """
  name: str
  trains: tuple[str, ...]
  terms: TermsFunction
  weights: Mapping[str, float | HalveOnPlateau]
  interval: int = 1
  optimizer: str = 'main'
  own_optimizers: Mapping[str, str] = dataclasses.field(default_factory=dict)
  observed: tuple[str, ...] = ()
  moves: Callable[
      [Networks, Batch, Clock],
      Sequence[tuple[tf.Variable, tf.Tensor]]] | None = None


  def optimizer_of(self, network: str) -> str:
    """Key of the optimizer that moves a network."""
    return self.own_optimizers.get(network, self.optimizer)


@dataclasses.dataclass(frozen=True)
class Target:
  """What frozen networks make of a frame, so that it can be kept.

  Attributes:
    name: Batch entry, one of `keys.TARGETS`.
    shape: Of one frame's target, (L, d).
    build: () -> the networks it needs, every variable created.
    restores: network -> '<stage>/<network>' that provides its weights.
    compute: (networks, image_high [B, S, S, 3]) -> [B, *shape] float32.
    given: A target that `compute` takes as well, after image_high, if it is
      known.
  """
  name: str
  shape: tuple[int, ...]
  build: Callable[[], Networks]
  restores: Mapping[str, str]
  compute: ComputeTarget
  given: Target | None = None


@dataclasses.dataclass(frozen=True)
class Stage:
  """One training stage of the paper.

  Attributes:
    name: Folder under the run root.
    equation: Where the paper states it.
    inputs: Batch keys read; the pipeline decodes only these.
    splits: Data splits trained on.
    build: () -> networks, every variable created.
    restores: network -> '<stage>/<network>' that provides its weights.
    updates: Optimizer steps, in order.
    phases: Schedule.
    adam: Constants per optimizer key; a comparator may have SGD's.
    averages: Networks with an EMA twin '<network>_ema'.
    ema_half_life_kimg: Half-life of the twins.
    outputs: Networks that later stages may restore.
    preview: (networks, batch, clock) -> {name: images in [-1, 1]}: a column
      of N rows, [N, H, W, 3], or a picture of its own, [R, C, H, W, 3].
    first_previews: Column of `preview` -> name under which what it showed
      before the first step stays beside it.
    observe: (networks, batch, clock) -> {name: [] float32}: what is looked at
      whenever a run is recorded, on the fixed preview batch.
    decay: 'none' or 'cosine' learning-rate decay over the stage.
    resets_optimizer: Whether the optimizers' slots restart with each phase.
    mirror: Whether images are flipped with probability one half.
    start: Sets first weights by the first `start_images` images of the run,
      which come as a stream of batches.
    start_images: How many that are; 0: it reads none.
    start_batch: Images of such a batch; a rest that fills none is left out.
    reads: Sections of the configuration that shape it besides its own,
      `model` and `optimizer`.
    targets: What frozen networks provide; those in `inputs` are computed once
      and kept.
    preview_inputs: Batch keys that `preview` reads; empty: `inputs`.
    watched_images: Held-out images of `splits` that `observe` looks at; 0: at
      the preview batch.
    observations: How often in a run `observe` looks; 0: at every record.
    normalizes_batch: Whether images of a batch are normalised together, so
      that it cannot be divided.
  """
  name: str
  equation: str
  inputs: tuple[str, ...]
  splits: tuple[str, ...]
  build: Callable[[], Networks]
  restores: Mapping[str, str]
  updates: tuple[Update, ...]
  phases: tuple[Phase, ...]
  adam: Mapping[str, AdamConfig | SgdConfig]
  averages: tuple[str, ...] = ()
  ema_half_life_kimg: float = 0.0
  outputs: tuple[str, ...] = ()
  preview: Preview | None = None
  first_previews: Mapping[str, str] = dataclasses.field(default_factory=dict)
  observe: Observe | None = None
  decay: str = 'none'
  resets_optimizer: bool = False
  mirror: bool = False
  reads: tuple[str, ...] = ()
  start: Start | None = None
  start_images: int = 0
  start_batch: int = 1
  targets: tuple[Target, ...] = ()
  preview_inputs: tuple[str, ...] = ()
  watched_images: int = 0
  observations: int = 0
  normalizes_batch: bool = False
