"""HDR videos come out as the SDR ones they were made of."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from earsr_tf.media import clip_files
from earsr_tf.media import film
from earsr_tf.media import reader
from earsr_tf.media import sniffing
from earsr_tf.media import talking_face
from earsr_tf.media import transfer
from tests.media import film_files

_PATCHES = ('color=c=0x808080:s=64x64:r=25:d=1.2,'
            'drawbox=0:0:32:32:0xC08060:fill,drawbox=32:32:32:32:0x302010:fill')
_EXPECTED = {(8, 8): (192, 128, 96), (8, 48): (128, 128, 128),
             (48, 48): (48, 32, 16)}
_CODEC = ('-c:v', 'libx265', '-x265-params', 'log-level=error')


def _hdr(path: pathlib.Path, name: str) -> str:
  """A film of patches in BT.2020 with a transfer, white at 203 cd/m2."""
  return film_files.write(
      path, _PATCHES, 'sine=440:d=1.2', '-vf',
      'format=gbrp,zscale=tin=bt709:pin=bt709:min=gbr:rin=full:'
      f't={name}:p=bt2020:m=bt2020nc:r=tv:npl=203,format=yuv420p10le', *_CODEC,
      '-color_trc', name, '-color_primaries', 'bt2020', '-colorspace',
      'bt2020nc')


def _error(frame: np.ndarray) -> int:
  """Levels by which [64, 64, 3] uint8 is away from the patches, at most."""
  return max(int(np.abs(frame[place].astype(int) - levels).max())
             for place, levels in _EXPECTED.items())


@pytest.mark.parametrize('name, ending', [
    ('smpte2084', 'mp4'), ('smpte2084', 'mkv'), ('arib-std-b67', 'mp4')])
def test_hdr_becomes_sdr(
    tmp_path: pathlib.Path, name: str, ending: str) -> None:
  path = _hdr(tmp_path / f'a.{ending}', name)
  facts = film.look_at(path)
  assert _error(next(film.frames(path, facts, 64, 64))) <= 6
  assert _error(reader.read_video_frames(path, 1, 64)[0]) <= 6
  [frame], _ = talking_face.read(
      clip_files.Clip('s', 'v', 'c', path), talking_face.Wanted(1, 64))
  assert _error(frame) <= 6


def test_sdr_stays_as_it_is(tmp_path: pathlib.Path) -> None:
  for codec in (_CODEC, ('-c:v', 'libx264')):
    path = film_files.write(
        tmp_path / 'a.mp4', _PATCHES, '', '-pix_fmt', 'yuv420p', *codec)
    assert transfer.to_sdr(path) == ''
    assert _error(reader.read_video_frames(path, 1, 64)[0]) <= 6


def test_hdr_pictures_are_refused(tmp_path: pathlib.Path) -> None:
  colour = b'\0\0\0\x13colrnclx\0\x09\0%c\0\x09\x80'
  for number, name in ((16, 'PQ'), (18, 'HLG')):
    data = b'....ftypavif' + colour % number
    with pytest.raises(sniffing.MediaError, match=rf'HDR picture \({name}\)'):
      transfer.check_picture('a.avif', 'AVIF', data)
    transfer.check_picture('a.heic', 'HEIC', data + b'tmap')
    transfer.check_picture('a.png', 'PNG', data)
  transfer.check_picture('a.avif', 'AVIF', colour % 13)
  transfer.check_picture('a.avif', 'AVIF', b'colrnclx\0')
