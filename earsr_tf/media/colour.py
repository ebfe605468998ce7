"""Colours of foreign pictures -> 8-bit sRGB, as the training data's.

An ICC profile goes through Pillow's ImageCms (Little CMS); a PNG's gAMA chunk,
which counts where there is neither a profile nor an sRGB chunk (PNG, 11.3.2),
through a table. A profile that is damaged, or belongs to other channels, counts
as none, and so does one that changes no colour by more than two levels: sRGB by
whatever name.
"""

from __future__ import annotations

import functools
import io
import struct
from typing import Callable
import zlib

import numpy as np
from PIL import Image
from PIL import ImageCms

# What a picture of any mode goes through: [h, w] of that mode -> RGB.
Conversion = Callable[[Image.Image], Image.Image]

SRGB_GAMMA = 0.45455
SAME_GAMMA = 0.02  # beside `SRGB_GAMMA`: written by what meant sRGB
_SAME_LEVELS = 2
GAMMAS = (0.05, 20.0)
_PROFILE_BYTES = 4 << 20


def to_rgb(image: Image.Image) -> Image.Image:
  """8-bit RGB of any mode, colours as they are; transparency over white."""
  if image.mode.startswith('I'):  # 16-bit grey; Pillow alone would clip it
    grey = np.clip(np.asarray(image, np.int64), 0, 65535) >> 8
    return Image.fromarray(grey.astype(np.uint8)).convert('RGB')
  if image.mode in ('RGBA', 'LA', 'PA', 'La', 'RGBa') or (
      'transparency' in image.info):
    image = image.convert('RGBA')
    white = Image.new('RGBA', image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert('RGB')
  return image.convert('RGB')


def conversion(image: Image.Image) -> Conversion:
  """What brings a picture's pixels to sRGB.

  Args:
    image: An opened picture: its mode, and its profile and gamma in `info`.

  Returns:
    A function of pictures of that mode, whole or in parts.
  """
  profile = image.info.get('icc_profile')
  if profile:
    transform = _transform(image.mode, profile)
    return functools.partial(_by_profile, transform) if transform else to_rgb
  gamma = gamma_of(image)
  if not gamma:
    return to_rgb
  table = list(np.round(np.multiply(
      srgb_curve(gamma, 256), 255.0)).astype(int)) * 3
  return lambda part: to_rgb(part).point(table)


def gamma_of(image: Image.Image) -> float:
  """The gAMA of a PNG, if it counts and is not that of sRGB; else 0."""
  gamma = image.info.get('gamma', 0.0)
  if 'srgb' in image.info or 'icc_profile' in image.info or not (
      GAMMAS[0] <= gamma <= GAMMAS[1]):
    return 0.0
  return 0.0 if abs(gamma - SRGB_GAMMA) <= SAME_GAMMA else float(gamma)


def srgb_curve(gamma: float, levels: int) -> np.ndarray:
  """sRGB's value in [0, 1] of each of [levels] values stored with a gAMA."""
  light = np.linspace(0.0, 1.0, levels) ** (1.0 / gamma)
  return np.where(light <= 0.0031308, 12.92 * light,
                  1.055 * light ** (1.0 / 2.4) - 0.055)


def _transform(mode: str, profile: bytes) -> ImageCms.ImageCmsTransform | None:
  """ICC profile -> transform to sRGB; None if it has no effect here."""
  space = {'L': 'GRAY', 'LA': 'GRAY', 'CMYK': 'CMYK'}.get(mode, 'RGB')
  if mode.startswith('I'):
    space = 'GRAY'
  try:
    if len(profile) > _PROFILE_BYTES or profile[16:20].strip() != (
        space.encode()):
      return None
    source = {'GRAY': 'L', 'CMYK': 'CMYK'}.get(space, 'RGB')
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)), _srgb(), source, 'RGB',
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION)
    return transform if _has_effect(transform, source) else None
  except (ImageCms.PyCMSError, OSError, TypeError, ValueError, struct.error,
          zlib.error):
    return None


@functools.cache
def _srgb() -> ImageCms.ImageCmsProfile:
  """The profile of the output."""
  return ImageCms.ImageCmsProfile(ImageCms.createProfile('sRGB'))


def _has_effect(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
  """Whether any of 4,096 colours (256 greys) is changed by a profile."""
  if mode == 'CMYK':
    return True
  if mode == 'L':
    values = np.arange(256, dtype=np.uint8)[np.newaxis]
  else:
    steps = np.arange(0, 256, 17, dtype=np.uint8)
    values = np.stack(
        np.meshgrid(steps, steps, steps), -1).reshape(64, 64, 3)
  probe = Image.fromarray(values)
  moved = np.asarray(ImageCms.applyTransform(probe, transform), np.int16)
  return bool(np.abs(moved - np.asarray(
      probe.convert('RGB'), np.int16)).max() > _SAME_LEVELS)


def _by_profile(
    transform: ImageCms.ImageCmsTransform, part: Image.Image) -> Image.Image:
  """A part of a picture -> RGB; transparency goes over white in the end."""
  if part.mode == 'CMYK':
    return ImageCms.applyTransform(part, transform)
  is_grey = part.mode.startswith(('I', 'L'))
  alpha = None
  if part.mode in ('RGBA', 'LA', 'PA') or 'transparency' in part.info:
    part = part.convert('RGBA')
    alpha = part.getchannel('A')
    part = part.convert('RGB')
  rgb = ImageCms.applyTransform(
      to_rgb(part).convert('L') if is_grey else to_rgb(part), transform)
  if alpha is None:
    return rgb
  white = Image.new('RGB', rgb.size, (255, 255, 255))
  return Image.composite(rgb, white, alpha)
