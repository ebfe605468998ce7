"""Colours of PNG and JPEG files inside the served graph.

A PNG's gAMA is honoured as `media/colour` does it. A colour profile cannot be:
one that calls itself sRGB changes nothing, any other is refused, as colours
would come out wrong in silence. In a PNG the name beside the profile counts:
the profile is packed, and a damaged one would end the request with DataLoss.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.media import colour
from earsr_tf.serving import refusal

_JPEG_HEAD = 1 << 18  # profiles follow EXIF and XMP, of 64 KB each
_JPEG_PROFILE = b'ICC_PROFILE\x00'
_MOST_CHUNKS = 256  # that are looked at; these stand first
_NAME_BYTES = 79  # of a PNG's profile, at most
_SRGB = (b'sRGB', b'\x00s\x00R\x00G\x00B')  # in both kinds of descriptions


def png_colours(encoded: tf.Tensor, name: tf.Tensor
                ) -> tuple[tf.Tensor, tf.Operation]:
  """What a PNG says of its colours.

  Args:
    encoded: [] string, of 33 bytes or more that begin as a PNG.
    name: [] string, what the file is called in refusals.

  Returns:
    The gAMA that counts, [] float64, 0 if none does; and the refusal of a
    profile that is not sRGB.
  """
  hundred_thousandths, is_srgb, has_profile, profile_name = _png_chunks(encoded)
  gamma = tf.cast(hundred_thousandths, tf.float64) / 1e5
  low, high = colour.GAMMAS
  has_gamma = (gamma >= low) & (gamma <= high) & ~is_srgb & ~has_profile & (
      tf.abs(gamma - colour.SRGB_GAMMA) > colour.SAME_GAMMA)
  return (tf.where(has_gamma, gamma, tf.zeros([], tf.float64)),
          _refuse_profile(
              ~has_profile | _calls_itself_srgb(profile_name), name))


def jpeg_check(encoded: tf.Tensor, name: tf.Tensor) -> tf.Operation:
  """Refuses a JPEG whose profile is not sRGB; see `png_colours`."""
  head = tf.strings.substr(encoded, 0, _JPEG_HEAD)
  place = find(tf.io.decode_raw(head, tf.uint8), _JPEG_PROFILE)
  profile = tf.strings.substr(head, tf.maximum(place, 0), 1 << 16)
  return _refuse_profile((place < 0) | _calls_itself_srgb(profile), name)


def to_srgb(levels: tf.Tensor, gamma: tf.Tensor) -> tf.Tensor:
  """Applies a gAMA.

  Args:
    levels: [H, W, 3] uint8.
    gamma: [] float64; 0 changes nothing.

  Returns:
    [H, W, 3] uint8, sRGB.
  """
  def table() -> tf.Tensor:
    """[256] uint8; the curve of `colour.srgb_curve`."""
    light = tf.range(256, dtype=tf.float64) / 255.0
    light **= 1.0 / gamma
    curve = tf.where(
        light <= 0.0031308, 12.92 * light,
        1.055 * light ** (1.0 / 2.4) - 0.055)
    return tf.cast(tf.round(curve * 255.0), tf.uint8)
  return tf.cond(
      gamma > 0.0, lambda: tf.gather(table(), tf.cast(levels, tf.int32)),
      lambda: levels)


def find(data: tf.Tensor, pattern: bytes) -> tf.Tensor:
  """Where a pattern first stands in [n] uint8, or -1: [] int32."""
  places = tf.maximum(tf.size(data) - len(pattern) + 1, 0)
  is_here = tf.ones([places], tf.bool)
  for shift, byte in enumerate(pattern):
    is_here &= data[shift:shift + places] == byte
  found = tf.where(is_here)
  return tf.cond(
      tf.size(found) > 0, lambda: tf.cast(found[0, 0], tf.int32),
      lambda: tf.constant(-1))


def _png_chunks(encoded: tf.Tensor) -> tuple[tf.Tensor, ...]:
  """gAMA in 1e-5 or 0, whether there are sRGB and iCCP, and iCCP's name.

  Walks the chunks before the pixels. Where a length lies it ends: the decoder
  refuses such files.
  """
  total = tf.strings.length(encoded)

  def is_before_pixels(place, *_):
    """Whether a whole chunk may stand there, and not pixels."""
    return (place + 12 <= total) & tf.not_equal(
        tf.strings.substr(encoded, tf.minimum(place, total - 12) + 4, 4),
        b'IDAT')

  def look(place, gamma, is_srgb, has_profile, profile_name):
    """Takes what one chunk says, and goes to the next."""
    kind = tf.strings.substr(encoded, place + 4, 4)
    size, value = (
        tf.io.decode_raw(tf.strings.substr(encoded, place + shift, 4),
                         tf.int32, little_endian=False)[0]
        for shift in (0, 8))
    is_whole = (size >= 0) & (size <= total - place - 12)
    content = tf.strings.substr(
        encoded, place + 8, tf.clip_by_value(size, 0, _NAME_BYTES))
    is_profile = tf.equal(kind, b'iCCP')
    return (
        tf.where(is_whole, place + 12 + size, total),
        tf.where(tf.equal(kind, b'gAMA') & (size == 4), value, gamma),
        is_srgb | tf.equal(kind, b'sRGB'),
        has_profile | is_profile,
        tf.where(is_profile, content, profile_name))

  _, *found = tf.while_loop(
      is_before_pixels, look, maximum_iterations=_MOST_CHUNKS, loop_vars=(
          tf.constant(8), tf.constant(0), tf.constant(False),
          tf.constant(False), tf.constant(b'')))
  return tuple(found)


def _calls_itself_srgb(profile: tf.Tensor) -> tf.Tensor:
  """Whether a profile has that name: [] bool."""
  data = tf.io.decode_raw(profile, tf.uint8)
  return tf.reduce_any([find(data, name) >= 0 for name in _SRGB])


def _refuse_profile(is_fine: tf.Tensor, name: tf.Tensor) -> tf.Operation:
  """The refusal of a profile."""
  return refusal.unless(
      is_fine, name, ': has a colour profile (ICC) other than sRGB, which this '
      'signature cannot read; convert it to sRGB')
