"""Files that decoders trip over, made here: lying headers, bombs, odd names.

Small on disk and quick to make. `write` fills a folder; tests and
tools/hostile/reading feed it to everything that reads foreign media.
"""

from __future__ import annotations

import io
import os
import pathlib
import struct
import subprocess
from typing import Callable, Iterator
import zlib

import imageio_ffmpeg
import numpy as np
from PIL import Image

_Item = tuple[str | bytes, bytes]
_RATE = 16000
_MEGA = 1 << 20


def write(folder: str | os.PathLike[str]) -> list[pathlib.Path]:
  """Fills a folder with about 90 hostile files.

  Args:
    folder: Created; should be empty.

  Returns:
    The paths, sorted; two of them are folders and three are not openable.
  """
  root = pathlib.Path(folder)
  root.mkdir(parents=True, exist_ok=True)
  for make in (_pngs, _jpegs, _pictures, _waves, _sounds, _videos, _texts):
    for name, content in make():
      _path(root, name).write_bytes(content)
  _odd_nodes(root)
  return sorted(root.iterdir())


def _path(root: pathlib.Path, name: str | bytes) -> pathlib.Path:
  """A path below root; names need not be UTF-8."""
  return root / (os.fsdecode(name) if isinstance(name, bytes) else name)


def face(side: int = 64, kind: str = 'PNG', **options: object) -> bytes:
  """A good picture: ramps with a little noise."""
  y, x = np.mgrid[:side, :side] * 255 // max(side - 1, 1)
  noise = np.random.default_rng(side).integers(0, 30, (side, side))
  stream = io.BytesIO()
  Image.fromarray(np.stack([y, x, noise + 90], -1).astype(np.uint8)).save(
      stream, kind, **options)
  return stream.getvalue()


def voice(seconds: float = 1.5) -> bytes:
  """A good WAV file: a hum of 150 Hz."""
  time = np.arange(round(seconds * _RATE)) / _RATE
  return wav((9000 * np.sin(2 * np.pi * 150 * time)).astype('<i2').tobytes())


def wav(data: bytes, *, tag: int = 1, channels: int = 1, rate: int = _RATE,
        bits: int = 16, stated: int | None = None) -> bytes:
  """A WAV file whose header says what it is told to."""
  block = channels * bits // 8
  form = struct.pack(
      '<HHIIHH', tag, channels, rate, rate * block & 0xffffffff,
      block & 0xffff, bits)
  size = len(data) if stated is None else stated
  return (b'RIFF' + struct.pack('<I', size + 36 & 0xffffffff) + b'WAVEfmt '
          + struct.pack('<I', 16) + form + b'data' + struct.pack('<I', size)
          + data)


def clip() -> bytes:
  """A good MP4: 1.2 s of a moving pattern with a hum."""
  return _ffmpeg(
      '-f', 'lavfi', '-i', 'testsrc=s=64x64:r=25:d=1.2', '-f', 'lavfi', '-i',
      'sine=f=150:r=16000:d=1.2', '-c:v', 'libx264', '-preset', 'ultrafast',
      '-c:a', 'aac', '-movflags', 'frag_keyframe+empty_moov', '-f', 'mp4',
      'pipe:1')


def _ffmpeg(*arguments: str) -> bytes:
  """What ffmpeg writes to its output."""
  return subprocess.run(
      [imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v', 'error', *arguments],
      check=True, stdout=subprocess.PIPE).stdout


def _chunk(kind: bytes, data: bytes) -> bytes:
  """A PNG chunk with a true CRC."""
  return (struct.pack('>I', len(data)) + kind + data
          + struct.pack('>I', zlib.crc32(kind + data)))


def _png(width: int, height: int, *chunks: bytes, rows: bytes = b'',
         depth: int = 8) -> bytes:
  """A grey PNG with extra chunks before its pixels."""
  header = struct.pack('>IIBBBBB', width, height, depth, 0, 0, 0, 0)
  return (b'\x89PNG\r\n\x1a\n' + _chunk(b'IHDR', header) + b''.join(chunks)
          + _chunk(b'IDAT', zlib.compress(rows)) + _chunk(b'IEND', b''))


def _pngs() -> Iterator[_Item]:
  """PNG: bombs in pixels, in profiles, in texts, in numbers of chunks."""
  bomb = zlib.compress(bytes(64 * _MEGA), 9)
  rows = bytes(65 * 64)
  yield 'png_20000.png', _png(20000, 20000, rows=rows)
  yield 'png_4096.png', _png(4096, 4096, rows=bytes(4097 * 4096))
  yield 'png_zero.png', _png(0, 0)
  yield 'png_2_31.png', _png(2**31 - 1, 2**31 - 1, rows=rows)
  yield 'png_depth_3.png', _png(64, 64, rows=rows, depth=3)
  yield 'png_too_few_rows.png', _png(64, 64, rows=rows[:1000])
  yield 'png_too_many_rows.png', _png(64, 64, rows=bytes(16 * _MEGA))
  yield 'png_profile_bomb.png', _png(
      64, 64, _chunk(b'iCCP', b'p\0\0' + bomb), rows=rows)
  text = _chunk(b'zTXt', b't\0\0' + bomb)
  yield 'png_text_bomb.png', _png(64, 64, text, rows=rows)
  small = _chunk(b'zTXt', b't\0\0' + zlib.compress(bytes(_MEGA), 9))
  yield 'png_many_texts.png', _png(64, 64, *[small] * 100, rows=rows)
  yield 'png_many_chunks.png', _png(
      64, 64, *[_chunk(b'teSt', b'')] * 100_000, rows=rows)
  yield 'png_cut.png', face()[:-200]
  yield 'png_animated.png', _animated('PNG')
  yield '%d.png', face()
  yield '-i.png', face()


def _animated(kind: str) -> bytes:
  """A picture with two frames."""
  stream = io.BytesIO()
  frames = [Image.new('RGB', (64, 64), c) for c in ('red', 'blue')]
  frames[0].save(stream, kind, save_all=True, append_images=frames[1:])
  return stream.getvalue()


def _jpegs() -> Iterator[_Item]:
  """JPEG: scans, markers, sizes."""
  plain, stepwise = face(64, 'JPEG'), face(64, 'JPEG', progressive=True)
  scan = stepwise.rindex(b'\xff\xda')
  end = stepwise.rindex(b'\xff\xd9')
  yield 'jpeg_1000_scans.jpg', stepwise[:end] + stepwise[scan:end] * 1000 + (
      b'\xff\xd9')
  frame = plain.index(b'\xff\xc0')
  yield 'jpeg_65500.jpg', plain[:frame + 5] + b'\xff\xdc' * 2 + (
      plain[frame + 9:])
  large = face(2048, 'JPEG', progressive=True, quality=5)
  scan, end = large.rindex(b'\xff\xda'), large.rindex(b'\xff\xd9')
  yield 'jpeg_2048_80_scans.jpg', large[:end] + large[scan:end] * 70 + (
      b'\xff\xd9')
  yield 'jpeg_many_markers.jpg', plain[:2] + b'\xff\xfe\0\2' * 1_500_000 + (
      plain[2:])
  yield 'jpeg_cut.jpg', plain[:len(plain) // 2]
  yield 'jpeg_bad_exif.jpg', plain[:2] + b'\xff\xe1\0\x10Exif\0\0MM\0*\xff' + (
      b'\xff\xff\xff' + plain[2:])
  yield 'jpeg_only_start.jpg', b'\xff\xd8\xff'


def _pictures() -> Iterator[_Item]:
  """Other pictures."""
  yield 'webp_animated.webp', _animated('WEBP')
  wide = struct.pack('<I', 16382)[:3]
  yield 'webp_16383.webp', b'RIFF' + struct.pack('<I', 22) + b'WEBPVP8X' + (
      struct.pack('<I', 10) + bytes(4) + wide + wide)
  head = b'BM' + struct.pack('<IHHIIiiHHIIiiII', 54, 0, 0, 54, 40, 60000,
                             -60000, 1, 24, 0, 0, 0, 0, 0, 0)
  yield 'bmp_60000.bmp', head + bytes(1000)
  yield 'bmp_cut.bmp', face(64, 'BMP')[:500]
  yield 'picture.gif', _animated('GIF')
  yield 'jpeg_no_profile.jpg', face(64, 'JPEG', icc_profile=b'\xff' * 5000)
  yield 'picture.tiff', face(64, 'TIFF')
  yield 'tiff_cut.tiff', face(64, 'TIFF', compression='tiff_lzw')[:-900]
  yield 'gif_60000.gif', b'GIF89a' + struct.pack('<HH', 60000, 60000) + (
      _animated('GIF')[10:])
  yield 'avif_good.avif', face(64, 'AVIF')
  yield 'avif_cut.avif', face(64, 'AVIF')[:-200]
  yield 'heic_head.heic', b'\0\0\0\x18ftypheic' + bytes(1000)
  yield 'archive.png', b'PK\3\4' + bytes(1000)


def _waves() -> Iterator[_Item]:
  """WAV: lying headers, numbers that are none."""
  loud = bytes(range(1, 251)) * 200
  nan = np.full(_RATE * 2, np.nan, '<f4').tobytes()
  inf = np.full(_RATE * 2, np.inf, '<f4').tobytes()
  yield 'wav_nan.wav', wav(nan, tag=3, bits=32)
  yield 'wav_inf.wav', wav(inf, tag=3, bits=32)
  yield 'wav_no_channels.wav', wav(loud, channels=0)
  yield 'wav_65535_channels.wav', wav(loud, channels=65535)
  yield 'wav_no_rate.wav', wav(loud, rate=0)
  yield 'wav_rate_2_32.wav', wav(loud, rate=2**32 - 1)
  yield 'wav_rate_1.wav', wav(loud, rate=1)
  yield 'wav_192k_8.wav', wav(loud * 60, rate=192000, channels=8)
  yield 'wav_stated_4g.wav', wav(loud, stated=2**32 - 1)
  yield 'wav_stated_0.wav', wav(loud, stated=0)
  yield 'wav_no_data.wav', wav(b'')
  yield 'wav_one_sample.wav', wav(b'\1\2')
  yield 'wav_silent.wav', wav(bytes(2 * _RATE * 2))
  yield 'wav_0_bits.wav', wav(loud, bits=0)
  yield 'wav_adpcm.wav', wav(loud, tag=2, bits=4)
  yield 'wav_rf64.wav', b'RF64\xff\xff\xff\xffWAVEds64' + struct.pack(
      '<IQQQI', 28, 2**63 - 1, 2**63 - 1, 2**63 - 1, 0) + wav(
          loud, stated=2**32 - 1)[12:]
  yield '-i.wav', voice()
  yield 'two\nlines\x1b[31m.wav', voice()
  yield b'not_utf8_\xff\xfe.wav', voice()
  yield '%05d.wav', voice()


def _sounds() -> Iterator[_Item]:
  """Other sounds: noise behind true first bytes."""
  noise = np.random.default_rng(5).bytes(40000)
  yield 'aac_noise.aac', b'\xff\xf1\x50\x80' + noise
  yield 'mp3_huge_tag.mp3', b'ID3\4\0\0\x7f\x7f\x7f\x7f' + noise
  yield 'mp3_noise.mp3', b'\xff\xfb\x90\x64' + noise
  yield 'ogg_noise.ogg', b'OggS\0\2' + noise
  info = struct.pack('>HH', 4096, 4096) + bytes(6) + b'\x03\xe8\0\xff' + (
      b'\xff' * 4) + bytes(16)
  yield 'flac_2_36.flac', b'fLaC\x80\0\0\x22' + info + noise
  yield 'aiff_noise.aiff', b'FORM\0\0\x9c\x40AIFFCOMM' + noise
  yield 'wma_noise.wma', b'\x30\x26\xb2\x75\x8e\x66\xcf\x11' + noise
  yield 'amr_noise.amr', b'#!AMR\n' + noise
  yield 'au_noise.au', b'.snd' + noise
  yield 'caf_noise.caf', b'caff\0\1\0\0' + noise


def _videos() -> Iterator[_Item]:
  """MP4 and MPEG: a good clip with edited boxes, and noise."""
  good = clip()
  noise = np.random.default_rng(6).bytes(30000)
  yield 'mp4_good.mp4', good
  yield 'mp4_cut.mp4', good[:len(good) * 2 // 3]
  yield 'mp4_header_only.mp4', good[:32]
  for name, box, offset, value in (
      ('trun_count', b'trun', 8, b'\x7f\xff\xff\xff'),
      ('no_timescale', b'mdhd', 16, bytes(4)),
      ('size_65535', b'avc1', 28, b'\xff\xff\xff\xff'),
      ('no_size', b'avc1', 28, bytes(4)),
      ('box_4g', b'moof', -4, b'\xff\xff\xff\xff'),
      ('box_0', b'mdat', -4, bytes(4)),
      ('codec', b'avc1', 0, b'mp4v'),
      ('sps', b'avcC', 8, b'\xff' * 8),
      ('rate_0', b'mp4a', 28, bytes(4))):
    place = good.index(box) + offset
    yield (f'mp4_{name}.mp4',
           good[:place] + value + good[place + len(value):])
  yield 'mp4_noise.mp4', b'\0\0\0\x18ftypmp42' + noise
  yield 'matroska_noise.mkv', b'\x1a\x45\xdf\xa3' + noise
  small, large = (_ffmpeg(
      '-f', 'lavfi', '-i', f'testsrc=s={s}:r=25:d=0.4', '-c:v', 'mpeg1video',
      '-f', 'mpeg1video', 'pipe:1') for s in ('64x64', '352x288'))
  yield 'mpeg_size_changes.mpg', small + large + small
  for name, form in (('20000_frames', 's=16x16:r=1000:d=20'),
                     ('4096', 's=4096x4096:r=1:d=1')):
    yield f'avi_{name}.avi', _ffmpeg(
        '-f', 'lavfi', '-i', f'color={form}', '-c:v', 'mpeg4', '-g', '1000',
        '-f', 'avi', 'pipe:1')


def _texts() -> Iterator[_Item]:
  """Texts that name other files, called like media."""
  secret = 'file:///etc/passwd'
  yield 'list_m3u8.mp4', (
      f'#EXTM3U\n#EXTINF:1,\n{secret}\n#EXT-X-ENDLIST\n').encode()
  yield 'list_concat.wav', f"ffconcat version 1.0\nfile '{secret}'\n".encode()
  yield 'list_sdp.mp4', b'v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 1 RTP/AVP 96\n'
  yield 'picture.svg', f'<svg><image href="{secret}"/></svg>'.encode()
  yield 'picture_svg.png', f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e ' \
      f'SYSTEM "{secret}">]><svg>&e;</svg>'.encode()
  yield 'page.jpg', b'<!DOCTYPE html><script>alert(1)</script>'
  yield 'paper.png', b'%PDF-1.7\n' + bytes(500)
  yield 'empty.mp4', b''


def _odd_nodes(root: pathlib.Path) -> None:
  """What is no regular file, and files that are mostly holes."""
  (root / 'folder.mp4').mkdir()
  (root / 'folder_of_one.mp4').mkdir()
  (root / 'folder_of_one.mp4' / 'a.png').write_bytes(face())
  os.mkfifo(root / 'pipe.wav')
  (root / 'loop.png').symlink_to('loop.png')
  (root / 'nowhere.png').symlink_to('absent.png')
  (root / 'device.wav').symlink_to('/dev/zero')
  for name, content, size in (
      ('sparse_1g.wav', voice(), 1 << 30),
      ('sparse_400m.mp4', b'\0\0\0\x18ftypmp42', 400 * _MEGA),
      ('sparse_60m.wav', wav(b'\1\2' * 9, stated=60 * _MEGA), 60 * _MEGA)):
    with open(root / name, 'wb') as f:
      f.write(content)
      f.truncate(size)


GOOD: dict[str, Callable[[], bytes]] = {
    'face.png': face, 'face.jpg': lambda: face(64, 'JPEG'),
    'face.webp': lambda: face(64, 'WEBP'), 'voice.wav': voice, 'clip.mp4': clip}
