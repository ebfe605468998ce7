"""What the camera makes of a scene: exposure, white balance, blur, coding.

Drawn anew for each video; carries no identity (stand-in for the cameras of
paper section 4.1's videos).
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import canvas

MARGIN = 4  # Pixels that a developed pixel depends on, on each side.


@dataclasses.dataclass(frozen=True)
class Camera:
  """The camera of one video.

  Attributes:
    gains: Exposure times white balance, per channel.
    haze: Stray light, added.
    curve: Bend of the tones, positive brightens the middle.
    blur: Shares of the neighbours in the passes of a [a, 1 - 2 a, a] filter.
    quality: H.264's constant rate factor; larger is coarser.
  """
  gains: canvas.Colour
  haze: float
  curve: float
  blur: tuple[float, ...]
  quality: int


def draw_camera(rng: np.random.Generator) -> Camera:
  """The camera of one video."""
  stops, warm, green, haze, curve = (
      float(value) for value in np.clip(rng.standard_normal(5), -2, 2))
  gain = 2.0 ** (0.50 * stops - 0.05)
  soft = float(rng.random())
  coarse = float(rng.random())
  passes = 0 if soft < 0.35 else 1 if soft < 0.85 else 2
  return Camera(
      gains=(gain * (1 + 0.085 * warm), gain * (1 + 0.030 * green),
             gain * (1 - 0.105 * warm)),
      haze=0.022 * max(haze, 0.0), curve=0.18 * curve,
      blur=(0.10 + 0.15 * float(rng.random()),) * passes,
      quality=int(19 + 13 * coarse * coarse))


def develop(image: np.ndarray, camera: Camera) -> np.ndarray:
  """What the camera records.

  Args:
    image: [3, h, w] float32, a scene; not changed.
    camera: The video's.

  Returns:
    [3, h, w] float32 in [0, 1]; `MARGIN` pixels at an edge that is not the
    frame's are not what they would be inside.
  """
  result = np.empty_like(image)
  for c in range(3):
    channel = image[c] * np.float32(camera.gains[c]) + np.float32(camera.haze)
    np.clip(channel, 0, 1, out=channel)
    channel += np.float32(camera.curve) * channel * (1 - channel)
    result[c] = channel
  for share in camera.blur:
    for axis in (1, 2):
      _smooth(result, axis, np.float32(share))
  return result


def _smooth(image: np.ndarray, axis: int, share: np.float32) -> None:
  """One pass of [share, 1 - 2 share, share] along an axis, in place."""
  here = np.moveaxis(image, axis, 0)
  change = np.diff(here, axis=0) * share
  here[:-1] += change
  here[1:] -= change
