"""PNG and JPEG files in the graph: equal to the command's, or refused."""

from __future__ import annotations

import io
import pathlib
import struct
import zlib

import numpy as np
from PIL import Image
from PIL import ImageCms
import pytest
import tensorflow as tf

from earsr_tf import face_and_voice
from earsr_tf.serving import picture_bytes
from earsr_tf.serving import refusal


def _graph(stretch: bool) -> tf.types.experimental.GenericFunction:
  return tf.function(
      lambda encoded: picture_bytes.decode(
          encoded, tf.constant('image'), low_res_size=8, image_size=128,
          stretch=stretch),
      input_signature=[tf.TensorSpec([], tf.string)])


_PLAIN, _STRETCHED = _graph(False), _graph(True)


def _decode(encoded: bytes) -> np.ndarray:
  return _PLAIN(tf.constant(encoded)).numpy()


def _face(height: int, width: int, channels: int = 3) -> np.ndarray:
  """[height, width, channels] uint8: smooth, with a little noise."""
  random = np.random.default_rng(height + width)
  small = Image.fromarray(
      random.integers(0, 256, size=(6, 6, channels), dtype=np.uint8))
  return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))


def _file(image: np.ndarray, kind: str = 'PNG', **options: object) -> bytes:
  stream = io.BytesIO()
  Image.fromarray(image).save(stream, format=kind, **options)
  return stream.getvalue()


def _read(encoded: bytes, folder: pathlib.Path, *,
          stretch: bool = False) -> np.ndarray:
  """What `super_resolve` sees."""
  path = folder / 'face'
  path.write_bytes(encoded)
  return face_and_voice.reduce_picture(
      face_and_voice.read_picture(path), 8, 128, lambda text: None,
      stretch=stretch)


@pytest.mark.parametrize(
    ('height', 'width'),
    [(8, 8), (5, 7), (64, 64), (128, 128), (200, 137), (1_080, 1_920)])
def test_a_png_is_what_the_command_sees(
    height: int, width: int, tmp_path: pathlib.Path) -> None:
  encoded = _file(_face(height, width))
  np.testing.assert_array_equal(_decode(encoded), _read(encoded, tmp_path))


def test_8x8_is_taken_as_it_is() -> None:
  image = _face(8, 8)
  np.testing.assert_array_equal(_decode(_file(image)), image)


def test_contrast_is_stretched_for_models_trained_so(
    tmp_path: pathlib.Path) -> None:
  encoded = _file((100 + _face(150, 150) // 4).astype(np.uint8))
  got = _STRETCHED(tf.constant(encoded)).numpy()
  np.testing.assert_array_equal(
      got, _read(encoded, tmp_path, stretch=True))
  assert got.std() > 2.0 * _decode(encoded).std()


@pytest.mark.parametrize('mode', ['L', 'LA', 'RGBA', 'P', '1'])
def test_other_pngs_are_within_a_level(
    mode: str, tmp_path: pathlib.Path) -> None:
  stream = io.BytesIO()
  Image.fromarray(_face(140, 140, 4), 'RGBA').convert(mode).save(stream, 'PNG')
  got, expected = (f.astype(int) for f in (
      _decode(stream.getvalue()), _read(stream.getvalue(), tmp_path)))
  assert np.abs(got - expected).max() <= 1


@pytest.mark.parametrize('options', [
    {}, {'quality': 95, 'subsampling': 0}, {'progressive': True}])
def test_a_jpeg_is_within_a_level(
    options: dict, tmp_path: pathlib.Path) -> None:
  encoded = _file(_face(180, 240), 'JPEG', **options)
  difference = _decode(encoded).astype(int) - _read(encoded, tmp_path)
  assert np.abs(difference).max() <= 1


@pytest.mark.parametrize('order', ['<', '>'])
@pytest.mark.parametrize('orientation', range(1, 9))
def test_a_jpeg_is_turned_as_its_exif_says(
    orientation: int, order: str, tmp_path: pathlib.Path) -> None:
  entry = struct.pack(f'{order}HHI', 0x0112, 3, 1) + struct.pack(
      f'{order}HH', orientation, 0)
  exif = (b'Exif\0\0' + (b'II' if order == '<' else b'MM')
          + struct.pack(f'{order}HIH', 42, 8, 1) + entry + bytes(4))
  encoded = _file(_face(150, 220), 'JPEG', exif=exif)
  got = _decode(encoded).astype(int)
  assert np.abs(got - _read(encoded, tmp_path)).max() <= 1
  upright = _decode(_file(_face(150, 220), 'JPEG')).astype(int)
  assert (np.abs(got - upright).max() > 10) == (orientation > 1)


def _header_only(height: int, width: int) -> bytes:
  """A PNG of a stated size without pixels."""
  def chunk(kind: bytes, data: bytes) -> bytes:
    return (struct.pack('>I', len(data)) + kind + data
            + struct.pack('>I', zlib.crc32(kind + data)))
  head = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
  return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head)
          + chunk(b'IDAT', zlib.compress(bytes(100))) + chunk(b'IEND', b''))


_JPEG = _file(_face(50, 50), 'JPEG')


@pytest.mark.parametrize(('encoded', 'reason'), [
    (b'', 'is no PNG or JPEG file'),
    (b'GIF89a' + bytes(100), 'is no PNG or JPEG file'),
    (b'\x89PNG\r\n\x1a\n', 'is a damaged PNG (bad header)'),
    (_file(_face(50, 50))[:300], 'is damaged'),
    (_JPEG[:len(_JPEG) // 2], 'is damaged'),
    (_JPEG[:3], 'is damaged'),
    (_header_only(0, 8), 'is 8 x 0 pixels'),
    (_header_only(1_024, 4_097), 'is 4097 x 1024 pixels; give at most'),
    (_header_only(4_096, 1_025), 'is 1025 x 4096 pixels; give at most'),
    (_header_only(0x7fffffff, 0x7fffffff), 'is 2147483647 x 2147483647 pix'),
    (_header_only(0xffffffff, 8), 'is 8 x -1 pixels'),
    (_JPEG + b'\xff\xda' * 101, 'is a JPEG of too many scans'),
    (_JPEG + bytes(8 << 20), 'give at most 8388608')])
def test_what_is_no_picture_is_refused_in_a_sentence(
    encoded: bytes, reason: str) -> None:
  with pytest.raises(tf.errors.InvalidArgumentError) as caught:
    _decode(encoded)
  text = refusal.sentence(caught.value)
  assert text.startswith('image') and reason in text


def _with_chunks(encoded: bytes, **chunks: bytes) -> bytes:
  """A PNG with chunks behind its header."""
  return encoded[:33] + b''.join(
      struct.pack('>I', len(data)) + kind.encode() + data + struct.pack(
          '>I', zlib.crc32(kind.encode() + data))
      for kind, data in chunks.items()) + encoded[33:]


@pytest.mark.parametrize('gamma', [100_000, 55_000, 30_000, 45_000, 1])
def test_the_gamma_of_a_png_counts_as_in_the_command(
    gamma: int, tmp_path: pathlib.Path) -> None:
  plain = _file(_face(140, 140, 4))
  encoded = _with_chunks(plain, gAMA=struct.pack('>I', gamma))
  got = _decode(encoded).astype(int)
  assert np.abs(got - _read(encoded, tmp_path)).max() <= 1
  moved = np.abs(got - _decode(plain)).max()
  # That of sRGB, and one that is none, change nothing.
  assert moved > 10 if gamma in (100_000, 55_000, 30_000) else moved == 0


def test_srgb_and_its_profile_overrule_gamma(tmp_path: pathlib.Path) -> None:
  plain, gamma = _file(_face(140, 140)), struct.pack('>I', 100_000)
  profile = b'sRGB IEC61966-2.1\0\0' + zlib.compress(_profile('sRGB'))
  for chunks in ({'sRGB': b'\0'}, {'iCCP': profile}):
    encoded = _with_chunks(plain, gAMA=gamma, **chunks)
    np.testing.assert_array_equal(_decode(encoded), _decode(plain))
    np.testing.assert_array_equal(_decode(encoded), _read(encoded, tmp_path))


def _profile(space: str) -> bytes:
  return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()


def test_a_jpeg_may_have_the_profile_of_srgb(tmp_path: pathlib.Path) -> None:
  image = _face(140, 140)
  encoded = _file(image, 'JPEG', icc_profile=_profile('sRGB'))
  np.testing.assert_array_equal(_decode(encoded), _decode(_file(image, 'JPEG')))
  assert np.abs(_decode(encoded).astype(int)
                - _read(encoded, tmp_path)).max() <= 1


@pytest.mark.parametrize('encoded', [
    _file(_face(140, 140), 'JPEG', icc_profile=_profile('LAB')),
    _file(_face(140, 140), 'JPEG', exif=b'Exif\0\0' + b'x' * 60_000,
          icc_profile=_profile('XYZ')),
    _with_chunks(_file(_face(140, 140)), gAMA=struct.pack('>I', 100_000),
                 iCCP=b'Display P3\0\0' + zlib.compress(_profile('sRGB'))),
    _with_chunks(_file(_face(140, 140)), iCCP=b'damaged\0\0zlib'),
    _with_chunks(_file(_face(140, 140)), iCCP=b'')],
    ids=['jpeg', 'behind exif', 'png', 'damaged', 'empty'])
def test_other_profiles_are_refused_with_a_sentence(encoded: bytes) -> None:
  with pytest.raises(tf.errors.InvalidArgumentError) as refused:
    _decode(encoded)
  assert refusal.sentence(refused.value) == (
      'image: has a colour profile (ICC) other than sRGB, which this signature '
      'cannot read; convert it to sRGB')
