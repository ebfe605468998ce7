"""Colours: ICC profiles and gAMA to sRGB, in every format that has them."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from PIL import ImageCms
import pytest

from earsr_tf.media import encoding
from earsr_tf.media import picture
from earsr_tf.media import sniffing
from tests import picture_files as drawn


def _chunk(kind: bytes, data: bytes) -> bytes:
  return len(data).to_bytes(4, 'big') + kind + data + zlib.crc32(
      kind + data).to_bytes(4, 'big')


def _profile(name: str) -> bytes:
  """An ICC profile; Lab is none of a camera."""
  return ImageCms.ImageCmsProfile(ImageCms.createProfile(name)).tobytes()


@pytest.mark.parametrize('profile', [
    b'', b'no profile', b'\0' * 200, 'sRGB', 'LAB'])
def test_srgb_and_damaged_profiles_change_nothing(tmp_path, profile):
  if isinstance(profile, str):
    profile = _profile(profile)
  path = drawn.save(tmp_path / 'a.png', drawn.ramps(), icc_profile=profile)
  np.testing.assert_array_equal(picture.read_image(path), drawn.ramps())


# Columns are the red, green and blue of a space, in XYZ adapted to D50.
_P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657],
                [-0.00105, 0.04189, 0.78407]])
_SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061],
                  [0.01392, 0.09708, 0.71410]])


def _matrix_profile(matrix: np.ndarray, gamma: float) -> bytes:
  """An ICC profile of three primaries and one curve (ICC.1:2001-04)."""
  def number(value: float) -> bytes:
    return struct.pack('>i', round(value * 65536))
  tags = {b'desc': b'desc' + bytes(4) + struct.pack('>I', 2) + b'p\0' + (
      bytes(79)), b'cprt': b'text' + bytes(4) + b'none\0',
          b'wtpt': b'XYZ ' + bytes(4) + b''.join(
              map(number, (0.9642, 1.0, 0.8249)))}
  for name, column in zip((b'r', b'g', b'b'), matrix.T):
    tags[name + b'XYZ'] = b'XYZ ' + bytes(4) + b''.join(map(number, column))
    tags[name + b'TRC'] = b'curv' + bytes(4) + struct.pack(
        '>IH', 1, round(gamma * 256))
  body, table = b'', struct.pack('>I', len(tags))
  start = 128 + 4 + 12 * len(tags)
  for name, data in tags.items():
    table += name + struct.pack('>II', start + len(body), len(data))
    body += data + bytes(-len(data) % 4)
  size = start + len(body)
  head = struct.pack('>I4s4s4s4s4s', size, b'lcms', b'\2\x40\0\0', b'mntr',
                     b'RGB ', b'XYZ ') + bytes(12) + b'acsp' + bytes(28) + (
                         b''.join(map(number, (0.9642, 1.0, 0.8249))))
  return head + bytes(128 - len(head)) + table + body


@pytest.mark.parametrize('name, options', [
    ('a.png', {}), ('a.tif', {}), ('a.jpg', {'quality': 100, 'subsampling': 0}),
    ('a.webp', {'lossless': True}), ('a.avif', {'quality': 100})])
def test_a_profile_is_honoured(tmp_path, name, options):
  stored = np.array([200, 100, 50])
  light = np.linalg.solve(_SRGB, _P3 @ (stored / 255) ** 2.2)
  expected = 255 * (1.055 * light ** (1 / 2.4) - 0.055)
  assert np.abs(expected - stored).max() > 8  # else the test shows nothing
  path = drawn.save(
      tmp_path / name, np.full((16, 16, 3), stored, np.uint8),
      icc_profile=_matrix_profile(_P3, 2.2), **options)
  made = picture.read_image(path)
  assert np.abs(made - expected).max() <= (3 if options else 1.5)


def test_a_profile_leaves_transparency(tmp_path):
  stored = np.full((16, 16, 4), (200, 100, 50, 255), np.uint8)
  stored[:, 8:, 3] = 0
  path = drawn.save(tmp_path / 'a.png', stored,
               icc_profile=_matrix_profile(_P3, 2.2))
  opaque = drawn.save(tmp_path / 'b.png', stored[..., :3],
                 icc_profile=_matrix_profile(_P3, 2.2))
  made = picture.read_image(path)
  np.testing.assert_array_equal(made[:, :8], picture.read_image(opaque)[:, :8])
  assert np.all(made[:, 8:] == 255)


def test_a_16_bit_png_in_linear_light_keeps_its_dark_levels(tmp_path):
  right = np.arange(256, dtype=np.uint8)
  light = np.where(right <= 10, right / 255 / 12.92,
                   ((right / 255 + 0.055) / 1.055) ** 2.4)
  rows = np.round(light * 65535).astype('>u2')
  rows = np.repeat(np.repeat(rows[:, None], 3, 1)[None], 2, 0)
  raw = b''.join(b'\0' + row.tobytes() for row in rows)
  head = struct.pack('>IIBBBBB', 256, 2, 16, 2, 0, 0, 0)
  path = tmp_path / '-%d deep.png'
  path.write_bytes(
      b'\x89PNG\r\n\x1a\n' + _chunk(b'IHDR', head)
      + _chunk(b'gAMA', (100_000).to_bytes(4, 'big'))
      + _chunk(b'IDAT', zlib.compress(raw)) + _chunk(b'IEND', b''))
  np.testing.assert_array_equal(picture.read_image(path)[1, :, 1], right)
  path.write_bytes(path.read_bytes()[:200])
  with pytest.raises(sniffing.MediaError, match='is a damaged PNG'):
    picture.read_image(path)


@pytest.mark.parametrize('gamma, stored, expected', [
    (1.0, 55, 128), (0.45455, 55, 55), (0.55, 100, 118), (0.0, 55, 55)])
def test_gama_is_honoured(tmp_path, gamma, stored, expected):
  value = np.full((9, 9, 3), stored, np.uint8)
  data = encoding.encode_png(value)
  chunk = _chunk(b'gAMA', round(gamma * 100_000).to_bytes(4, 'big'))
  path = tmp_path / 'a.png'
  path.write_bytes(data[:33] + chunk + data[33:])
  assert np.abs(picture.read_image(path).astype(int) - expected).max() <= 1
  # A chunk that says sRGB counts for more.
  path.write_bytes(data[:33] + _chunk(b'sRGB', b'\0') + chunk + data[33:])
  assert np.all(picture.read_image(path) == stored)
