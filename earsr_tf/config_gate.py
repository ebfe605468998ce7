"""What a pipeline asks: of data before training, of models before a push."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class SchemaConfig:
  """What prepared data must be like (pipelines, Validate).

  Drift is the change since the data that were last accepted in this pipeline.

  Attributes:
    least_clips: In d_pre and d_rest together.
    most_refused: Share of all clips that may have been refused.
    least_loudness_db: Mean level of voices in dB of full scale, at least ...
    most_loudness_db: ... and at most.
    most_silent: Share of voices that may be below -60 dB of full scale.
    least_women: Share among speakers of known gender, at least ...
    most_women: ... and at most; asked of `shares_from` speakers or more.
    shares_from: Fewer speakers say nothing about shares.
    most_read: Records looked at, about; of more, a share of each shard.
    drift_clips: Share of the clips that may be lost.
    drift_loudness_db: Change of the mean level, in dB.
    drift_women: Change of their share.
    drift_seconds: Change of the mean length of a voice, as a share.
  """
  least_clips: int = 4
  most_refused: float = 0.5
  least_loudness_db: float = -45.0
  most_loudness_db: float = -6.0
  most_silent: float = 0.05
  least_women: float = 0.2
  most_women: float = 0.8
  shares_from: int = 20
  most_read: int = 2000
  drift_clips: float = 0.2
  drift_loudness_db: float = 6.0
  drift_women: float = 0.1
  drift_seconds: float = 0.5


@dataclasses.dataclass(frozen=True)
class BlessingConfig:
  """What a model must reach before it is pushed (pipelines, Bless).

  Means over the closed and over the open set, each by itself, of what is
  served: with `model.consistency` that is row (h)+. Gains are over bicubic
  enlargement, corrected alike, losses against the model that was blessed last.
  Judges that are not trusted (`judge`) bless nothing, whatever these say.

  Attributes:
    needs_judges: Whether C_i and C_g are heard; False: pixels alone bless.
    least_psnr_gain: dB.
    most_lr_consistency: Levels (0 to 255) between the input and the output,
      reduced again.
    least_identity_gain: Of the share that C_i names right.
    least_gender_gain: Of the share that C_g names right.
    most_psnr_loss: dB.
    most_identity_loss: Of that share.
    most_gender_loss: Of that share.
  """
  needs_judges: bool = True
  least_psnr_gain: float = 0.0
  most_lr_consistency: float = 4.0
  least_identity_gain: float = 0.0
  least_gender_gain: float = -0.05
  most_psnr_loss: float = 0.2
  most_identity_loss: float = 0.05
  most_gender_loss: float = 0.05
