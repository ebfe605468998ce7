"""How a head is held and lit: nuisances of a SyntheticVox frame.

They carry no identity. Ranges follow VoxCeleb2's crops (paper section 4.1):
half profiles, uneven light, crops that do not quite fit.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import canvas

MAX_YAW_RAD = 0.785


@dataclasses.dataclass(frozen=True)
class Pose:
  """One moment of a head.

  Attributes:
    shift_x: Shift to the right, in half frames.
    shift_y: Shift down.
    scale: Size factor.
    tilt: In-plane rotation, rad.
    yaw: Turn to the viewer's right, rad.
    pitch: Nod down, rad.
    smile: Corners of the mouth, -0.5 to 1.
    brow: Raised brows, 0 to 1.
    gaze: Sideways look, -1 to 1.
    lids: Opening of the eyes, 0 closed to 1.
  """
  shift_x: float = 0.0
  shift_y: float = 0.0
  scale: float = 1.0
  tilt: float = 0.0
  yaw: float = 0.0
  pitch: float = 0.0
  smile: float = 0.0
  brow: float = 0.0
  gaze: float = 0.0
  lids: float = 1.0

  @property
  def sine(self) -> float:
    """Of the yaw; a series, the same on every machine."""
    square = self.yaw ** 2
    return self.yaw * (1 - square / 6 * (1 - square / 20))

  @property
  def cosine(self) -> float:
    """Of the yaw."""
    square = self.yaw ** 2
    return 1 - square / 2 * (1 - square / 12 * (1 - square / 30))


@dataclasses.dataclass(frozen=True)
class Light:
  """One key light and an ambient term.

  Attributes:
    direction: Unit vector towards the light; z towards the camera.
    ambient: Share of light from everywhere, in [0, 1].
    gain: Strength.
    tint: Factor per channel.
  """
  direction: tuple[float, float, float]
  ambient: float
  gain: float
  tint: canvas.Colour

  def seen_by(self, pose: Pose) -> Light:
    """The same light in the coordinates of the turned head."""
    x, y, z = self.direction
    # Nod first, then yaw, both undone; a nod is small.
    y, z = y - pose.pitch * z, z + pose.pitch * y
    x, z = x * pose.cosine - z * pose.sine, z * pose.cosine + x * pose.sine
    return dataclasses.replace(self, direction=(x, y, z))


def draw_light(rng: np.random.Generator) -> Light:
  """The light of one video: from any side, of any white."""
  side = float(np.clip(0.70 * rng.standard_normal(), -1.5, 1.5))
  above = float(0.25 - 1.05 * rng.random())
  front = 0.80
  length = (side ** 2 + above ** 2 + front ** 2) ** 0.5
  warm, green, strength = (
      float(value) for value in np.clip(rng.standard_normal(3), -2, 2))
  return Light(
      direction=(side / length, above / length, front / length),
      ambient=float(0.22 + 0.38 * rng.random()),
      gain=1.0 + 0.10 * strength,
      tint=(1 + 0.055 * warm, 1 + 0.020 * green, 1 - 0.075 * warm))


def draw_poses(rng: np.random.Generator, count: int) -> list[Pose]:
  """A slow walk of a talking head: [count] poses, close to one another."""
  start = np.clip(rng.standard_normal(10), -2.3, 2.3)
  steps = np.clip(rng.standard_normal((count, 10)), -2.0, 2.0)
  poses = []
  # Most look about ahead; one in six turns as far as a half profile.
  turn = 0.22 * float(start[4])
  if abs(start[9]) > 1.38:
    turn *= 2.5
  mood = float(np.clip(0.35 + 0.45 * start[6], -0.35, 1.0))
  for wander in steps:
    value = start + 0.16 * wander
    yaw = float(np.clip(
        turn + 0.045 * wander[4], -MAX_YAW_RAD, MAX_YAW_RAD))
    poses.append(Pose(
        shift_x=float(0.036 * value[0]),
        shift_y=float(0.020 + 0.036 * value[1]),
        scale=float(1.40 * 2.0 ** (0.070 * start[2] + 0.01 * wander[2])),
        tilt=float(0.040 * value[3]), yaw=yaw,
        pitch=float(np.clip(0.07 * value[5], -0.22, 0.24)),
        smile=mood + 0.08 * float(wander[6]),
        brow=float(max(0.4 * value[7], 0.0)),
        gaze=float(np.clip(0.5 * value[8] - 0.8 * yaw, -1, 1))))
  return poses
