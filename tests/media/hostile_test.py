"""Files made to trip decoders, and good files with random damage."""

from __future__ import annotations

import functools
import pathlib

import hypothesis
from hypothesis import strategies as st
import numpy as np
import pytest

from earsr_tf.media import reader
from tools.hostile import corpus

# Used, by role, against all expectations: names are no reason to refuse.
FACES = {'%d.png', '-i.png', 'png_animated.png', 'webp_animated.webp',
         'png_4096.png', 'mp4_good.mp4', 'folder_of_one.mp4',
         'picture.gif', 'picture.tiff', 'avif_good.avif',
         'jpeg_no_profile.jpg'}
VOICES = {'-i.wav', '%05d.wav', 'two\nlines\x1b[31m.wav',
          'not_utf8_\udcff\udcfe.wav', 'mp4_good.mp4'}
REFUSED = {
    'tiff_cut.tiff': 'damaged TIFF', 'gif_60000.gif': 'far too many',
    'avif_cut.avif': 'damaged AVIF', 'heic_head.heic': 'HEIC',
    'png_20000.png': 'has far too many pixels',
    'jpeg_1000_scans.jpg': 'scans', 'jpeg_2048_80_scans.jpg': 'scans',
    'jpeg_65500.jpg': 'pixels',
    'png_many_chunks.png': 'chunks',
    'jpeg_many_markers.jpg': 'markers',
    'sparse_1g.wav': 'has 1024 MB', 'pipe.wav': 'is not a regular file',
    'device.wav': 'is not a regular file', 'folder.mp4': '',
    'loop.png': 'cannot be read', 'nowhere.png': 'no such file',
    'wav_silent.wav': 'is silent',
    'wav_nan.wav': 'is silent', 'wav_inf.wav': 'is silent',
    'list_m3u8.mp4': 'text',
    'list_concat.wav': 'text', 'list_sdp.mp4': 'text',
    'picture_svg.png': 'text', 'archive.png': 'zip', 'paper.png': 'PDF'}


def _read(path: pathlib.Path, role: str) -> str:
  """Reads as prepare does; returns why not, '' if it was read."""
  try:
    array = (reader.read_frames(path, 2, 16) if role == 'face'
             else reader.read_voice(path, 20.0))
  except reader.MediaError as e:
    assert e.reason and str(e).isprintable()
    return str(e)
  assert array.size and array.dtype in (np.uint8, np.int16)
  return ''


@pytest.fixture(name='folder', scope='module')
def _folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  folder = tmp_path_factory.mktemp('hostile') / 'files'
  assert len(corpus.write(folder)) >= 70
  return folder


def test_made_files_are_used_or_refused_with_a_line(folder):
  outcomes = {}
  for path in sorted(folder.iterdir()):
    for role in ('face', 'voice'):
      outcomes[path.name, role] = _read(path, role)
  used = {role: {name for (name, r), why in outcomes.items()
                 if r == role and not why} for role in ('face', 'voice')}
  assert FACES <= used['face']
  assert VOICES <= used['voice']
  for name, words in REFUSED.items():
    assert outcomes[name, 'face'] and outcomes[name, 'voice']
    assert words in outcomes[name, 'face'] + outcomes[name, 'voice'], name


@functools.cache
def _good(name: str) -> bytes:
  return corpus.GOOD[name]()


_EDITS = st.lists(st.one_of(
    st.tuples(st.just('flip'), st.integers(0, 1 << 20), st.integers(0, 7)),
    st.tuples(st.just('cut'), st.integers(0, 1 << 20), st.just(0)),
    st.tuples(st.just('insert'), st.integers(0, 1 << 20),
              st.integers(0, 255)),
    st.tuples(st.just('huge'), st.integers(0, 400), st.integers(0, 1))),
                  min_size=1, max_size=6)


def _edit(data: bytes, edits: list[tuple[str, int, int]]) -> bytes:
  """Applies edits; positions wrap around."""
  content = bytearray(data)
  for kind, place, value in edits:
    place %= max(len(content), 1)
    if kind == 'flip' and content:
      content[place] ^= 1 << value
    elif kind == 'cut':
      del content[max(place, 1):]
    elif kind == 'insert':
      content[place:place] = bytes([value]) * (1 + value)
    elif kind == 'huge':
      content[place:place + 4] = (b'\xff' if value else b'\0') * 4
  return bytes(content)


def _mutate(tmp_path_factory: pytest.TempPathFactory, examples: int,
            names: list[str]) -> int:
  """Reads damaged copies of good files; returns how many were refused."""
  path = tmp_path_factory.mktemp('mutated') / 'file'
  refused = []

  @hypothesis.settings(
      max_examples=examples, deadline=None, database=None, derandomize=True)
  @hypothesis.given(st.sampled_from(names), _EDITS)
  def check(name: str, edits: list[tuple[str, int, int]]) -> None:
    path.write_bytes(_edit(_good(name), edits))
    role = 'face' if 'face' in name else 'voice'
    refused.append(bool(_read(path, role)))
    if name == 'clip.mp4':
      _read(path, 'face')

  check()
  return sum(refused)


def test_damaged_copies_of_good_files(tmp_path_factory):
  # Neither all of the damage nor none of it is found.
  assert 5 < _mutate(
      tmp_path_factory, 60, ['face.png', 'face.jpg', 'face.webp']) < 60
  assert 0 < _mutate(tmp_path_factory, 20, ['voice.wav', 'clip.mp4']) < 20


@pytest.mark.slow
def test_many_damaged_copies_of_good_files(tmp_path_factory):
  assert 80 < _mutate(
      tmp_path_factory, 800, sorted(corpus.GOOD)) < 800
