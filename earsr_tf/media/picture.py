"""Foreign still pictures, with limits: [H, W, 3] uint8 sRGB, or one line.

Sizes and structure are checked before Pillow decodes. Photographs of phones
have up to 64 million pixels: they are decoded at a fraction where the format
can (JPEG), and brought to sRGB and reduced in strips, within 1 GB of memory.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import pathlib
import sys
import threading
from typing import Iterator

import numpy as np
from PIL import Image
from PIL import UnidentifiedImageError

from earsr_tf.media import child
from earsr_tf.media import colour
from earsr_tf.media import sniffing
from earsr_tf.media import structure
from earsr_tf.media import transfer
from earsr_tf.media.sniffing import MediaError

MAX_IMAGE_BYTES = 200 << 20
MAX_SIDE = 16384
MAX_PIXELS = 64_000_000
_MAX_PIXELS_OF = {'WEBP': 40_000_000}  # its decoder holds the picture thrice
KEPT_SIDE = 4096  # a larger picture is reduced by an integer factor below it
FORMATS = 'PNG, JPEG, WebP, AVIF, HEIC, TIFF, GIF or BMP'

# Damage is told by an error, once, and not by a log besides.
logging.getLogger('PIL').setLevel(logging.CRITICAL)

# Held while the process has no stderr; who prints beside threads that read
# pictures holds it, too.
stderr_lock = threading.RLock()

_STRIP_PIXELS = 1 << 20
_JPEG_FACTORS = (2, 4, 8)
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM, 5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90}


def read_image(
    path: str | os.PathLike[str], size: int | None = None) -> np.ndarray:
  """Reads a PNG, JPEG, WebP, AVIF, HEIC, TIFF, GIF or BMP picture.

  EXIF rotation is applied; an ICC profile and a PNG's gAMA are brought to sRGB;
  transparency is laid over white; grey, palette, CMYK and 16-bit pictures
  become 8-bit RGB (the high byte of 16 bits). Of several frames the first is
  taken.

  Args:
    path: The file; at most 200 MB, 64 million pixels, 16384 a side.
    size: If given, the centre square is cut out and reduced or enlarged to
      this side (bicubic, antialiased).

  Returns:
    [H, W, 3] uint8, neither side above 4096, or [size, size, 3].

  Raises:
    MediaError: If it is no such picture or is damaged; or if it is a HEIC
      file and the package pillow-heif is not there.
  """
  with _checked(path) as image:
    rgb = _upright(_decoded(path, image), image)
  return np.asarray(rgb if size is None else _square(rgb, size))


def image_size(path: str | os.PathLike[str]) -> tuple[int, int]:
  """Width and height of a picture's file, as stored; MediaError as above."""
  with _checked(path) as image:
    return image.size


@contextlib.contextmanager
def _checked(path: str | os.PathLike[str]) -> Iterator[Image.Image]:
  """A picture within the limits; what goes wrong inside is a MediaError."""
  kind = sniffing.sniff(path)
  if kind not in sniffing.IMAGES:
    raise MediaError(
        path, f'is not an image ({kind})', f'give a {FORMATS} file')
  sniffing.check_bytes(path, MAX_IMAGE_BYTES)
  data = pathlib.Path(path).read_bytes()
  slow = structure.problem(kind, data)
  if slow:
    raise MediaError(path, slow)
  transfer.check_picture(path, kind, data)
  try:
    with _opened(path, kind, data) as image:
      _check_size(path, image)
      yield image
  except MediaError:
    raise
  except UnidentifiedImageError:  # its text holds a memory address
    raise MediaError(path, f'is a damaged {kind} (bad header)') from None
  except Image.DecompressionBombError:
    raise MediaError(path, 'has far too many pixels', _less()) from None
  except Exception as e:  # noqa: BLE001
    # Pillow raises a dozen types on damaged files.
    raise MediaError(
        path, f'is a damaged {kind} ({_one_line(e)})') from None


def centre_square(picture: np.ndarray, size: int) -> np.ndarray:
  """What `read_image` makes of a picture in memory when it is given `size`.

  Args:
    picture: [H, W, 3] uint8.
    size: Side of the result in pixels.

  Returns:
    [size, size, 3] uint8.
  """
  return np.asarray(_square(Image.fromarray(picture), size))


@contextlib.contextmanager
def _opened(path: str | os.PathLike[str], kind: str, data: bytes
            ) -> Iterator[Image.Image]:
  """The picture, its pixels not yet decoded."""
  if kind == 'HEIC':
    try:
      import pillow_heif
    except ImportError:
      raise MediaError(
          path, 'is a HEIC picture, which needs the package pillow-heif',
          'pip install pillow-heif, or save it as JPEG') from None
    pillow_heif.register_heif_opener()
    kind = 'HEIF'
  with Image.open(io.BytesIO(data), formats=[kind.upper()]) as image:
    yield image


def _check_size(path: str | os.PathLike[str], image: Image.Image) -> None:
  """Raises MediaError for too many pixels, or none."""
  width, height = image.size
  most = _MAX_PIXELS_OF.get(image.format, MAX_PIXELS)
  if not 1 <= min(width, height) <= max(width, height) <= MAX_SIDE or (
      width * height > most):
    raise MediaError(path, f'is {width} x {height} pixels', _less(most))


def _less(most: int = MAX_PIXELS) -> str:
  """What to do about too many pixels."""
  return f'give at most {most // 10**6} million pixels, {MAX_SIDE} a side'


def _decoded(path: str | os.PathLike[str], image: Image.Image) -> Image.Image:
  """sRGB of an opened picture, reduced until no side is above the limit."""
  exact = _linear_png(path, image)
  if exact is not None:
    return exact
  if image.format == 'JPEG' and max(image.size) > KEPT_SIDE:
    factor = next((k for k in _JPEG_FACTORS if max(image.size) <= (
        k * KEPT_SIDE)), _JPEG_FACTORS[-1])
    image.draft(None, (image.width // factor, image.height // factor))
  with _quiet() if image.format == 'TIFF' else contextlib.nullcontext():
    image.load()
  factor = -(-max(image.size) // KEPT_SIDE)
  convert = colour.conversion(image)
  if image.width * image.height <= _STRIP_PIXELS:
    return convert(image)
  rows = max(1, _STRIP_PIXELS // image.width // factor) * factor
  made = Image.new(
      'RGB', (-(-image.width // factor), -(-image.height // factor)))
  for top in range(0, image.height, rows):
    strip = convert(image.crop(
        (0, top, image.width, min(top + rows, image.height))))
    made.paste(strip.reduce(factor) if factor > 1 else strip,
               (0, top // factor))
  return made


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
  """Keeps libtiff, which has no other way, from writing to the terminal."""
  with stderr_lock:
    sys.stderr.flush()
    kept = os.dup(2)
    try:
      with open(os.devnull, 'wb') as nowhere:
        os.dup2(nowhere.fileno(), 2)
      yield
    finally:
      os.dup2(kept, 2)
      os.close(kept)


def _linear_png(
    path: str | os.PathLike[str], image: Image.Image) -> Image.Image | None:
  """A 16-bit PNG with a gAMA of its own, through all of its bits.

  Eight bits of linear light leave the dark levels tens of levels apart, and
  Pillow reads no more: the child decodes it. None if it is no such picture.
  """
  is_deep = image.format == 'PNG' and image.tile and image.tile[0][3] in (
      'RGB;16B', 'I;16B')
  gamma = colour.gamma_of(image)
  pixels = image.width * image.height
  if not is_deep or not gamma or pixels > child.MAX_PIXELS or (
      'transparency' in image.info):
    return None
  try:
    raw = child.run([child.Input(os.fspath(path), 1.0, form='png_pipe')], [(
        '-frames:v', '1', '-f', 'rawvideo', '-pix_fmt', 'rgb48le')])[0]
  except child.ChildError as e:
    raise MediaError(path, f'is a damaged PNG ({e})') from None
  table = np.round(colour.srgb_curve(gamma, 65536) * 255.0).astype(np.uint8)
  return Image.fromarray(table[np.frombuffer(raw, '<u2', 3 * pixels).reshape(
      image.height, image.width, 3)])


def _upright(rgb: Image.Image, image: Image.Image) -> Image.Image:
  """Applies EXIF rotation; an EXIF block that is damaged counts as none."""
  try:
    turn = _TURNS.get(image.getexif().get(_ORIENTATION))
  except Exception:  # noqa: BLE001
    # Pillow raises a dozen types on damaged EXIF.
    return rgb
  return rgb if turn is None else rgb.transpose(turn)


def _square(image: Image.Image, size: int) -> Image.Image:
  """Centre square at `size`, antialiased bicubic."""
  side = min(image.size)
  left, top = (image.width - side) // 2, (image.height - side) // 2
  square = image.crop((left, top, left + side, top + side))
  return square.resize((size, size), Image.Resampling.BICUBIC)


def _one_line(error: Exception) -> str:
  """What an exception says, printable and short."""
  text = str(error).splitlines()[0] if str(error) else type(error).__name__
  return ''.join(c for c in text if c.isprintable())[:120]
