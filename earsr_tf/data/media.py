"""Foreign images, sound and video, with limits: arrays come out, or one line.

Magic bytes and sizes are checked first. Sound and video are decoded by a
killable ffmpeg child (`child`), PNG, JPEG, BMP and WebP by Pillow below fixed
caps. Nothing foreign ever reaches TensorFlow's or tensorflow-io's decoders.
This module does not import TensorFlow.
"""

from __future__ import annotations

import io
import os
import pathlib
import wave

import numpy as np
from PIL import Image
from PIL import ImageOps
from PIL import UnidentifiedImageError

from earsr_tf.data import child
from earsr_tf.data import sniffing
from earsr_tf.data import structure
from earsr_tf.data.sniffing import MediaError
from earsr_tf.data.sniffing import sniff

__all__ = (
    'MediaError', 'encode_png', 'encode_wav', 'read_audio', 'read_frames',
    'read_image', 'read_video_frames', 'read_voice', 'sniff', 'spread')

SAMPLE_RATE_HZ = 16000
MIN_SECONDS = 1.0
SILENCE_PEAK = 10  # of 32768: -70 dB
MAX_IMAGE_BYTES = 8 << 20
MAX_AUDIO_BYTES = 64 << 20
MAX_VIDEO_BYTES = 512 << 20
MAX_SIDE = 4096
MAX_VIDEO_SECONDS = 30
STRIDE = 5  # frames considered: one in five, 0.2 s at 25 fps

_CROP_AND_SCALE = (
    "crop='min(iw,ih)':'min(iw,ih)',scale={size}:{size}:flags=bicubic+"
    'accurate_rnd+full_chroma_int+full_chroma_inp+bitexact')


def read_image(
    path: str | os.PathLike[str], size: int | None = None) -> np.ndarray:
  """Reads a PNG, JPEG, BMP or WebP image.

  EXIF rotation is applied; transparency is laid over white; grey, palette,
  CMYK and 16-bit images become 8-bit RGB (the high byte of 16 bits).

  Args:
    path: The file; at most 8 MB and 4096 x 4096.
    size: If given, the centre square is cut out and reduced or enlarged to
      this side (bicubic, antialiased).

  Returns:
    [H, W, 3] uint8, or [size, size, 3].

  Raises:
    MediaError: If it is no such image or is damaged.
  """
  kind = sniff(path)
  if kind not in sniffing.IMAGES:
    raise MediaError(path, f'is not an image ({kind})',
                     'give a PNG, JPEG, BMP or WebP file')
  sniffing.check_bytes(path, MAX_IMAGE_BYTES)
  data = pathlib.Path(path).read_bytes()
  slow = structure.problem(kind, data)
  if slow:
    raise MediaError(path, slow)
  try:
    with Image.open(io.BytesIO(data), formats=[kind.upper()]) as image:
      if max(image.size) > MAX_SIDE or min(image.size) < 1:
        raise MediaError(
            path, f'is {image.width} x {image.height} pixels',
            f'give at most {MAX_SIDE} x {MAX_SIDE}')
      image.load()
      rgb = _to_rgb(_upright(image))
  except MediaError:
    raise
  except UnidentifiedImageError:  # its text holds a memory address
    raise MediaError(path, f'is a damaged {kind} (bad header)') from None
  except Image.DecompressionBombError:
    raise MediaError(path, 'has far too many pixels',
                     f'give at most {MAX_SIDE} x {MAX_SIDE}') from None
  except Exception as e:  # Pillow raises a dozen types on damaged files
    raise MediaError(
        path, f'is a damaged {kind} ({_one_line(e)})') from None
  return np.asarray(rgb if size is None else _square(rgb, size))


def read_audio(
    path: str | os.PathLike[str], max_seconds: float = 20.0) -> np.ndarray:
  """Reads the sound of an audio or video file: [n] int16, 16 kHz, mono.

  Args:
    path: WAV, FLAC, Ogg, MP3, AAC/M4A, AIFF, or a video; at most 64 MB, video
      512 MB.
    max_seconds: The rest is not read.

  Raises:
    MediaError: If there is no sound in it or it is damaged.
  """
  kind = sniff(path)
  if kind not in sniffing.SOUNDS + sniffing.VIDEOS:
    raise MediaError(
        path, f'is not a sound file ({kind})',
        'give WAV, FLAC, Ogg, MP3, M4A, AIFF or a video with sound')
  sniffing.check_bytes(
      path, MAX_VIDEO_BYTES if kind in sniffing.VIDEOS else MAX_AUDIO_BYTES)
  raw = _decode(path, max_seconds, (
      '-map', '0:a:0', '-vn', '-sn', '-dn', '-ac', '1', '-ar',
      str(SAMPLE_RATE_HZ), '-t', str(max_seconds), '-c:a', 'pcm_s16le', '-f',
      's16le'), 'no sound')
  samples = np.frombuffer(raw[:len(raw) // 2 * 2], '<i2')
  if not samples.size:
    raise MediaError(path, 'no sound could be decoded')
  return samples.astype(np.int16)


def read_voice(
    path: str | os.PathLike[str], max_seconds: float = 20.0) -> np.ndarray:
  """As `read_audio`, but refuses what cannot be a voice.

  Raises:
    MediaError: Also if it is shorter than a second or silent.
  """
  samples = read_audio(path, max_seconds)
  seconds = samples.size / SAMPLE_RATE_HZ
  if seconds < MIN_SECONDS:
    raise MediaError(path, f'has {seconds:.2f} s of sound',
                     f'at least {MIN_SECONDS:g} s is needed')
  levels = samples.astype(np.float32)
  if np.abs(levels - levels.mean()).max() < SILENCE_PEAK:  # as in serving
    raise MediaError(path, 'is silent', 'give a recording of a voice')
  return samples


def read_video_frames(
    path: str | os.PathLike[str], count: int, size: int = 128) -> np.ndarray:
  """Reads frames spread evenly over (the first 30 s of) a video.

  The centre square of each is reduced to `size` (bicubic, antialiased).

  Args:
    path: MP4/MOV, Matroska/WebM, AVI, FLV or MPEG; at most 512 MB.
    count: Frames wanted.
    size: Side in pixels.

  Returns:
    [n, size, size, 3] uint8; n is `count`, or fewer if the video has fewer.

  Raises:
    MediaError: If there is no picture in it or it is damaged.
  """
  kind = sniff(path)
  if kind not in sniffing.VIDEOS:
    raise MediaError(path, f'is not a video ({kind})',
                     'give MP4, Matroska, WebM, AVI, FLV or MPEG')
  sniffing.check_bytes(path, MAX_VIDEO_BYTES)
  frames = _frames(path, size, STRIDE, MAX_VIDEO_SECONDS * 30)
  if len(frames) < count:  # a short one: every frame
    frames = _frames(path, size, 1, STRIDE * count)
  if not len(frames):
    raise MediaError(path, 'no frame could be decoded')
  return frames[spread(len(frames), count)]


def read_frames(
    path: str | os.PathLike[str], count: int, size: int = 128) -> np.ndarray:
  """Reads frames of a video, an image, or a folder of images.

  Args:
    path: File or folder; images in a folder are taken in order of name.
    count: Frames wanted.
    size: Side in pixels.

  Returns:
    [n, size, size, 3] uint8, 1 <= n <= count.

  Raises:
    MediaError: If a file is damaged or the folder has no images.
  """
  if os.path.isdir(path):
    files = sorted(
        p for p in pathlib.Path(path).iterdir()
        if p.suffix.lower() in ('.png', '.jpg', '.jpeg', '.bmp', '.webp'))
    if not files:
      raise MediaError(path, 'has no images in it')
    return np.stack(
        [read_image(files[i], size) for i in spread(len(files), count)])
  if sniff(path) in sniffing.IMAGES:
    return read_image(path, size)[np.newaxis]
  return read_video_frames(path, count, size)


def spread(total: int, count: int) -> list[int]:
  """`count` (or `total`, if fewer) positions spread evenly over `total`."""
  count = min(count, total)
  return [(2 * i + 1) * total // (2 * count) for i in range(count)]


def encode_png(image: np.ndarray) -> bytes:
  """Our own PNG of [H, W, 3] uint8; fast rather than small."""
  buffer = io.BytesIO()
  Image.fromarray(image).save(buffer, 'PNG', compress_level=1)
  return buffer.getvalue()


def encode_wav(samples: np.ndarray) -> bytes:
  """Our own WAV of [n] int16: 16 kHz, mono, 16 bit."""
  buffer = io.BytesIO()
  with wave.open(buffer, 'wb') as f:
    f.setnchannels(1)
    f.setsampwidth(2)
    f.setframerate(SAMPLE_RATE_HZ)
    f.writeframes(samples.astype('<i2').tobytes())
  return buffer.getvalue()


def _decode(
    path: str | os.PathLike[str], seconds: float, output: tuple[str, ...],
    missing: str) -> bytes:
  """Runs the child; `missing` says what is not there if no stream matches."""
  try:
    return child.decode(os.fspath(path), seconds=seconds, output=output)
  except child.ChildError as e:
    reason = str(e)
  raise MediaError(
      path, f'has {missing} in it' if 'matches no streams' in reason
      else f'cannot be decoded ({reason})')


def _frames(
    path: str | os.PathLike[str], size: int, stride: int,
    limit: int) -> np.ndarray:
  """Decodes one frame in `stride`, at most `limit`: [n, size, size, 3]."""
  raw = _decode(path, MAX_VIDEO_SECONDS, (
      '-map', '0:v:0', '-an', '-sn', '-dn', '-vf',
      f"select='not(mod(n,{stride}))'," + _CROP_AND_SCALE.format(size=size),
      '-fps_mode', 'passthrough', '-frames:v', str(limit), '-f', 'rawvideo',
      '-pix_fmt', 'rgb24'), 'no picture')
  shape = (-1, size, size, 3)
  whole = len(raw) - len(raw) % (size * size * 3)
  return np.frombuffer(raw[:whole], np.uint8).reshape(shape)


def _upright(image: Image.Image) -> Image.Image:
  """Applies EXIF rotation; an EXIF block that is damaged counts as none."""
  try:
    return ImageOps.exif_transpose(image)
  except Exception:  # Pillow raises a dozen types on damaged EXIF
    return image


def _to_rgb(image: Image.Image) -> Image.Image:
  """8-bit RGB of any mode."""
  if image.mode.startswith('I'):  # 16-bit grey; Pillow alone would clip it
    grey = np.clip(np.asarray(image, np.int64), 0, 65535) >> 8
    return Image.fromarray(grey.astype(np.uint8)).convert('RGB')
  if image.mode in ('RGBA', 'LA', 'PA', 'La', 'RGBa') or (
      'transparency' in image.info):
    image = image.convert('RGBA')
    white = Image.new('RGBA', image.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, image).convert('RGB')
  return image.convert('RGB')


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
