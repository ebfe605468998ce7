"""PNG and JPEG files -> the model's small input, inside the served graph.

TensorFlow's decoders see a file only after its first bytes, its length and the
size in its header have passed. Other formats, and larger pictures, are for
`python -m earsr_tf.super_resolve`.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.ops import resample
from earsr_tf.ops import resize_levels
from earsr_tf.serving import picture_colour
from earsr_tf.serving import refusal

MAX_BYTES = 8 << 20
MAX_SIDE = 4096
MAX_PIXELS = 1 << 22  # 2048 x 2048: 0.2 GB while it is reduced
_MAX_SCANS = 100  # of a JPEG: an empty scan of few bytes costs a whole pass
_MAX_SCANNED_PIXELS = 1 << 26
_PNG = b'\x89PNG\r\n\x1a\n'
_JPEG = b'\xff\xd8\xff'
_EXIF_BYTES = 1 << 16  # its segment stands first and is no longer
# Tag 0x0112, type short, one value: what stands before the orientation.
_ORIENTATION = {
    'little': b'\x12\x01\x03\x00\x01\x00\x00\x00',
    'big': b'\x01\x12\x00\x03\x00\x00\x00\x01\x00'}


def decode(encoded: tf.Tensor, name: tf.Tensor, *, low_res_size: int,
           image_size: int, stretch: bool) -> tf.Tensor:
  """Decodes one picture and reduces it as `super_resolve` does.

  A picture of the model's input size is taken as it is; of others the centre
  square is brought to the output size and degraded.

  Args:
    encoded: [] string, a PNG or JPEG file.
    name: [] string, what the file is called in refusals.
    low_res_size: Side s of the result.
    image_size: Side of the model's output.
    stretch: As `model.low_res_stretch`.

  Returns:
    [s, s, 3] uint8 RGB.

  Raises:
    InvalidArgumentError: When run, if the file is no such picture.
  """
  is_png = tf.equal(tf.strings.substr(encoded, 0, len(_PNG)), _PNG)
  is_jpeg = tf.equal(tf.strings.substr(encoded, 0, len(_JPEG)), _JPEG)
  length = tf.strings.length(encoded)
  encoded = refusal.checked(
      encoded,
      refusal.unless(is_png | is_jpeg, name, ': is no PNG or JPEG file'),
      refusal.unless(
          length <= MAX_BYTES, name, ': has ', tf.strings.as_string(length),
          f' bytes; give at most {MAX_BYTES}'))
  picture = tf.cond(
      is_png, lambda: _decode_png(encoded, name),
      lambda: _decode_jpeg(encoded, name))
  return tf.ensure_shape(tf.cond(
      tf.reduce_all(tf.shape(picture)[:2] == low_res_size),
      lambda: picture,
      lambda: resample.degrade_levels(
          resize_levels.centre_square(picture, image_size)[tf.newaxis],
          low_res_size, stretch=stretch)[0]),
      [low_res_size, low_res_size, 3])


def _decode_png(encoded: tf.Tensor, name: tf.Tensor) -> tf.Tensor:
  """[] string -> [H, W, 3] uint8; transparency lies over white."""
  length = tf.strings.length(encoded)
  has_header = (length >= 33) & tf.equal(
      tf.strings.substr(encoded, tf.minimum(length, 12), 4), b'IHDR')
  encoded = refusal.checked(encoded, refusal.unless(
      has_header, name, ': is a damaged PNG (bad header)'))
  sides = tf.io.decode_raw(
      tf.strings.substr(encoded, 16, 8), tf.int32, little_endian=False)
  gamma, profile_check = picture_colour.png_colours(encoded, name)
  encoded = refusal.checked(
      encoded, _size_check(sides[1], sides[0], name), profile_check)
  form = tf.io.decode_raw(tf.strings.substr(encoded, 24, 2), tf.uint8)
  # Of grey pixels below 8 bits TensorFlow calls the opaque ones transparent.
  is_small_grey = (form[0] < 8) & (form[1] == 0)
  levels = tf.cast(tf.io.decode_png(encoded, channels=4), tf.int32)
  alpha = tf.where(is_small_grey, 255, levels[..., 3:])
  # With opaque pixels this is exact.
  return picture_colour.to_srgb(tf.cast(
      (levels[..., :3] * alpha + 255 * (255 - alpha) + 127) // 255, tf.uint8),
      gamma)


def _decode_jpeg(encoded: tf.Tensor, name: tf.Tensor) -> tf.Tensor:
  """[] string -> [H, W, 3] uint8, turned as its EXIF says."""
  height, width = tf.unstack(tf.image.extract_jpeg_shape(encoded)[:2])
  scans = _count_scans(encoded)
  is_quick = (scans <= _MAX_SCANS) & (
      (scans <= 1) | (tf.cast(height, tf.int64) * tf.cast(width, tf.int64)
                      * tf.cast(scans, tf.int64) <= _MAX_SCANNED_PIXELS))
  checked = refusal.checked(
      encoded, _size_check(height, width, name),
      refusal.unless(is_quick, name, ': is a JPEG of too many scans (',
                     tf.strings.as_string(scans), ')'),
      picture_colour.jpeg_check(encoded, name))
  # As Pillow decodes.
  image = tf.io.decode_jpeg(checked, channels=3, dct_method='INTEGER_ACCURATE')
  return _upright(image, _orientation(encoded))


def _size_check(
    height: tf.Tensor, width: tf.Tensor, name: tf.Tensor) -> tf.Operation:
  """Refuses a picture by the size in its header."""
  pixels = tf.cast(height, tf.int64) * tf.cast(width, tf.int64)
  is_fine = (tf.minimum(height, width) >= 1) & (
      tf.maximum(height, width) <= MAX_SIDE) & (pixels <= MAX_PIXELS)
  return refusal.unless(
      is_fine, name, ': is ', tf.strings.as_string(width), ' x ',
      tf.strings.as_string(height), f' pixels; give at most {MAX_PIXELS} '
      f'pixels and {MAX_SIDE} a side')


def _count_scans(encoded: tf.Tensor) -> tf.Tensor:
  """How often a JPEG has the marker of a scan: [] int32."""
  data = tf.io.decode_raw(encoded, tf.uint8)
  return tf.reduce_sum(tf.cast(
      (data[:-1] == 0xff) & (data[1:] == 0xda), tf.int32))


def _orientation(encoded: tf.Tensor) -> tf.Tensor:
  """The EXIF orientation of a JPEG, 1 to 8, or 1 without: [] int32."""
  head = tf.strings.substr(encoded, 0, _EXIF_BYTES)
  data = tf.io.decode_raw(head, tf.uint8)
  is_exif = picture_colour.find(data, b'Exif\x00\x00') >= 0
  value = tf.ones([], tf.int32)
  for pattern in _ORIENTATION.values():
    place = picture_colour.find(data, pattern)
    behind = tf.minimum(
        tf.maximum(place, 0) + len(pattern), tf.size(data) - 1)
    value = tf.where(place >= 0, tf.cast(data[behind], tf.int32), value)
  return tf.where(is_exif & (value >= 1) & (value <= 8), value, 1)


def _upright(image: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
  """Turns [H, W, 3] as EXIF orientation 1 to 8 asks."""
  def is_one_of(*values: int) -> tf.Tensor:
    """Whether the orientation is among some: [] bool."""
    return tf.reduce_any(orientation == tf.constant(values))
  image = tf.cond(is_one_of(5, 6, 7, 8),
                  lambda: tf.transpose(image, [1, 0, 2]), lambda: image)
  image = tf.cond(is_one_of(2, 3, 6, 7),
                  lambda: tf.reverse(image, [1]), lambda: image)
  return tf.cond(is_one_of(3, 4, 7, 8),
                 lambda: tf.reverse(image, [0]), lambda: image)
