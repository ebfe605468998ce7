"""How a head is held and lit: the nuisances of a SyntheticVox frame.

They carry no identity. Ranges are those of aligned VoxCeleb2 crops (paper
section 4.1), kept small because small generators need aligned faces.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from earsr_tf.synthetic import canvas


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

  def place(self, x: float, y: float, lift: float = 0.0) -> canvas.Colour:
    """Where a point of the face is seen.

    Args:
      x: Position on the frontal face.
      y: The same, down.
      lift: How far the point stands out of the head's ellipsoid.

    Returns:
      (u, v, foreshortening), the last in (0, 1.1].
    """
    inner = max(1 - (x / 0.46) ** 2 - (y / 0.80) ** 2, 0.02)
    depth = 0.40 * inner ** 0.5 + lift
    sine = self.yaw - self.yaw ** 3 / 6
    narrow = 1 - self.yaw ** 2 / 2 - sine * x * 0.9
    return (x * (1 - self.yaw ** 2 / 2) + depth * sine,
            y + depth * self.pitch, narrow)


@dataclasses.dataclass(frozen=True)
class Light:
  """One key light and an ambient term.

  Attributes:
    direction: Unit vector towards the light; z towards the camera.
    ambient: Share of light from everywhere, in [0, 1].
    gain: Exposure.
    tint: Factor per channel.
  """
  direction: tuple[float, float, float]
  ambient: float
  gain: float
  tint: canvas.Colour


def draw_light(rng: np.random.Generator) -> Light:
  """The light of one video."""
  side = float(np.clip(0.25 * rng.standard_normal(), -0.50, 0.50))
  above = float(-0.30 - 0.35 * rng.random())
  front = 0.85
  length = (side ** 2 + above ** 2 + front ** 2) ** 0.5
  warm, green = (
      float(value) for value in np.clip(rng.standard_normal(2), -2, 2))
  return Light(
      direction=(side / length, above / length, front / length),
      ambient=float(0.38 + 0.22 * rng.random()),
      gain=float(0.99 + 0.05 * np.clip(rng.standard_normal(), -2, 2)),
      tint=(1 + 0.030 * warm, 1 + 0.008 * green, 1 - 0.040 * warm))


def draw_poses(rng: np.random.Generator, count: int) -> list[Pose]:
  """A slow walk of a talking head: [count] poses, close to one another."""
  start = np.clip(rng.standard_normal(8), -2.0, 2.0)
  steps = np.clip(rng.standard_normal((count, 8)), -2.0, 2.0)
  poses = []
  mood = float(np.clip(0.45 + 0.4 * start[6], -0.25, 1.0))
  for wander in steps:
    value = start + 0.22 * wander
    poses.append(Pose(
        shift_x=float(0.010 * value[0]),
        shift_y=float(0.075 + 0.010 * value[1]),
        scale=float(1.17 + 0.012 * start[2]), tilt=float(0.013 * value[3]),
        yaw=float(0.095 * value[4]), pitch=float(0.030 * value[5]),
        smile=mood + 0.06 * float(wander[6]),
        brow=float(max(0.3 * wander[7], 0.0)),
        gaze=float(np.clip(0.5 * wander[2] - 2.0 * 0.095 * value[4], -1, 1))))
  return poses
