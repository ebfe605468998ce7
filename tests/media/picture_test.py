"""Still pictures: what is read, how large, and in which colours."""

from __future__ import annotations

from concurrent import futures
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
from PIL import Image
import pytest

from earsr_tf.media import encoding
from earsr_tf.media import picture
from earsr_tf.media import sniffing
from tests import picture_files as drawn
from tests import testing


def test_image_modes_become_rgb(tmp_path):
  grey = np.full((4, 6), 90, np.uint8)
  rgba = np.zeros((4, 6, 4), np.uint8)
  rgba[..., 0], rgba[..., 3] = 200, 255
  rgba[:, 3:, 3] = 0  # right half transparent: white
  image = picture.read_image(drawn.save(tmp_path / 'l.png', grey))
  assert image.shape == (4, 6, 3) and image.dtype == np.uint8
  assert np.all(image == 90)
  image = picture.read_image(drawn.save(tmp_path / 'rgba.png', rgba))
  assert image[0, 0].tolist() == [200, 0, 0]
  assert image[0, 5].tolist() == [255, 255, 255]
  image = picture.read_image(
      drawn.save(tmp_path / '16.png', np.full((4, 6), 0x5a12, np.uint16)))
  assert np.all(image == 0x5a)
  palette = Image.fromarray(grey).convert('P')
  palette.save(tmp_path / 'p.png', transparency=0)
  assert picture.read_image(tmp_path / 'p.png').shape == (4, 6, 3)
  Image.fromarray(rgba[..., :3]).convert('CMYK').save(tmp_path / 'c.jpg')
  assert abs(int(picture.read_image(tmp_path / 'c.jpg')[0, 0, 0]) - 200) < 12


def test_exif_rotation_is_applied(tmp_path):
  array = np.zeros((40, 60, 3), np.uint8)
  array[:, :30] = 255  # left half white
  exif = Image.Exif()
  exif[274] = 6  # shown after a quarter turn clockwise
  path = drawn.save(tmp_path / 'r.jpg', array, exif=exif, quality=95)
  image = picture.read_image(path)
  assert image.shape == (60, 40, 3)
  assert image[:25].mean() > 250 and image[35:].mean() < 5


def test_size_cuts_the_centre_square(tmp_path):
  array = np.zeros((50, 150, 3), np.uint8)
  array[:, 50:100] = 200
  image = picture.read_image(drawn.save(tmp_path / 'w.png', array), 8)
  assert image.shape == (8, 8, 3) and np.all(image == 200)
  noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
  np.testing.assert_array_equal(
      picture.read_image(drawn.save(tmp_path / 'n.png', noise), 8),
      np.asarray(Image.fromarray(noise).resize((8, 8), Image.BICUBIC)))


def test_large_and_damaged_images_are_refused(tmp_path):
  path = drawn.save(tmp_path / 'wide.png', np.zeros((1, 17000), np.uint8))
  with pytest.raises(sniffing.MediaError, match='17000 x 1 pixels; give'):
    picture.read_image(path)
  noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
  for name in ('a.png', 'a.jpg'):
    path = pathlib.Path(drawn.save(tmp_path / name, noise))
    path.write_bytes(path.read_bytes()[:1500])
    with pytest.raises(sniffing.MediaError, match='damaged'):
      picture.read_image(path)
  with open(tmp_path / 'big.png', 'wb') as f:
    f.write(encoding.encode_png(noise))
    f.truncate(201 << 20)
  with pytest.raises(sniffing.MediaError, match='has 201 MB'):
    picture.read_image(tmp_path / 'big.png')


@pytest.mark.parametrize('name, most', [
    ('a.png', 0), ('a.bmp', 0), ('a.tif', 0), ('a.tiff', 0), ('a.gif', 14),
    ('a.webp', 14), ('a.avif', 14), ('a.jpg', 14)])
def test_every_format_gives_the_picture(tmp_path, name, most):
  made = picture.read_image(drawn.save(tmp_path / name, drawn.ramps()))
  assert made.shape == (48, 64, 3)
  off = np.abs(made.astype(int) - drawn.ramps())
  assert off.max() <= (60 if most else 0) and off.mean() <= most


def test_heic_is_read_or_asks_for_its_package(tmp_path, monkeypatch):
  heif = pytest.importorskip('pillow_heif')
  heif.register_heif_opener()
  path = drawn.save(tmp_path / 'a.heic', drawn.ramps(), quality=95)
  off = np.abs(picture.read_image(path).astype(int) - drawn.ramps())
  assert off.mean() < 3


def test_heic_without_its_package_is_refused(tmp_path, monkeypatch):
  monkeypatch.setitem(sys.modules, 'pillow_heif', None)
  path = tmp_path / 'a.heic'
  path.write_bytes(b'\0\0\0\x18ftypheic' + bytes(100))
  with pytest.raises(sniffing.MediaError) as error:
    picture.read_image(path)
  assert str(error.value) == (
      f'{path}: is a HEIC picture, which needs the package pillow-heif; pip '
      'install pillow-heif, or save it as JPEG')


def test_stills_in_an_mp4_container_are_told_apart():
  for head, kind in ((b'ftypavif', 'AVIF'), (b'ftypheic', 'HEIC'),
                     (b'ftypmif1\0\0\0\0mif1heic', 'HEIC'),
                     (b'ftypmif1\0\0\0\0mif1avif', 'AVIF'),
                     (b'ftypisom', 'MP4'), (b'ftypqt  ', 'MP4')):
    assert sniffing._kind(b'\0\0\0\x1c' + head + bytes(20)) == kind


def test_a_damaged_tiff_is_one_line_and_no_more(tmp_path, capfd):
  path = tmp_path / 'a.tif'
  Image.fromarray(drawn.ramps()).save(path, compression='tiff_lzw')
  data = path.read_bytes()
  for cut in (len(data) // 2, len(data) - 40):
    path.write_bytes(data[:8] + data[8:cut] + bytes(20))
    with pytest.raises(sniffing.MediaError, match='a.tif: is a damaged TIFF'):
      picture.read_image(path)
  path.write_bytes(data[:100] + b'\xff' * 300 + data[400:])
  with pytest.raises(sniffing.MediaError, match='a.tif: is a damaged TIFF'):
    picture.read_image(path)
  os.write(2, b'still heard')
  assert capfd.readouterr().err == 'still heard'


def test_the_first_frame_is_taken(tmp_path):
  red, blue = (np.full((20, 20, 3), c, np.uint8)
               for c in ((255, 0, 0), (0, 0, 255)))
  for name in ('a.gif', 'a.tif', 'a.webp'):
    path = drawn.save(tmp_path / name, red, save_all=True,
                 append_images=[Image.fromarray(blue)])
    off = picture.read_image(path)[9, 9].astype(int) - [255, 0, 0]
    assert np.abs(off).max() < 6


@pytest.mark.parametrize('orientation', range(1, 9))
@pytest.mark.parametrize('name', ['a.jpg', 'a.tif', 'a.png', 'a.webp'])
def test_every_orientation_is_shown_upright(tmp_path, name, orientation):
  upright = np.zeros((40, 60, 3), np.uint8)
  upright[:20, :30] = 250  # the upper left is white
  upright[20:, 30:] = 120
  stored = Image.fromarray(upright)
  undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}.get(orientation)
  if undo is not None:
    stored = stored.transpose(Image.Transpose(undo))
  exif = Image.Exif()
  exif[274] = orientation
  stored.save(tmp_path / name, exif=exif, quality=95, lossless=True)
  made = picture.read_image(tmp_path / name)
  assert made.shape == (40, 60, 3)
  assert np.abs(made[::10, ::10].astype(int) - upright[::10, ::10]).max() < 30


@pytest.mark.parametrize('name', ['a.jpg', 'a.png', 'a.gif', 'a.tif'])
def test_a_large_picture_is_reduced(tmp_path, name):
  ramps = np.repeat(np.repeat(drawn.ramps(20, 90), 50, 0), 50, 1)  # 1000 x 4500
  made = picture.read_image(drawn.save(tmp_path / name, ramps))
  assert made.shape == (500, 2250, 3)
  off = np.abs(made[12::25, 12::25].astype(int) - drawn.ramps(20, 90))
  assert off.mean() < (15 if name == 'a.gif' else 1.5)
  # Reduced to a model's size it is what it would be without the first step.
  small = picture.read_image(tmp_path / name, 64).astype(int)
  direct = picture.centre_square(ramps, 64)
  assert np.abs(small - direct).mean() < (15 if name == 'a.gif' else 1.5)


_PEAK = """
import resource, sys
from earsr_tf.media import picture
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
print(*picture.read_image(sys.argv[1]).shape)
"""


@pytest.mark.parametrize('name, options', [
    ('a.jpg', {'quality': 80}), ('b.jpg', {'progressive': True}),
    ('a.png', {'compress_level': 1}), ('a.tif', {})])
def test_64_million_pixels_need_less_than_a_gigabyte(tmp_path, name, options):
  path = tmp_path / name
  Image.new('RGB', (8000, 8000), (9, 90, 200)).save(path, **options)
  process = subprocess.run(
      [sys.executable, '-c', _PEAK, str(path)], cwd=testing.ROOT,
      capture_output=True, text=True, check=False)
  assert process.stdout == '4000 4000 3\n', process.stderr


def test_more_pixels_are_refused(tmp_path):
  path = tmp_path / 'a.png'
  Image.new('1', (8001, 8000)).save(path)
  with pytest.raises(sniffing.MediaError) as error:
    picture.read_image(path)
  assert str(error.value) == (
      f'{path}: is 8001 x 8000 pixels; give at most 64 million pixels, 16384 a '
      'side')


def test_threads_that_silence_libtiff_give_stderr_back():
  def silence(number: int) -> None:
    with picture._quiet():
      time.sleep(0.0005 * (number % 3))
  before = os.fstat(2)
  with futures.ThreadPoolExecutor(4) as pool:
    list(pool.map(silence, range(60)))
  assert os.path.samestat(os.fstat(2), before)
