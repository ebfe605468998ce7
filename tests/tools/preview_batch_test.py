"""The contact sheet shows each split, whose clip it is, and small inputs."""

from __future__ import annotations

import numpy as np
from PIL import Image
import pytest

from earsr_tf.data import manifest as manifest_lib
from tests import run_folder
from tools import preview_batch


@pytest.fixture(name='data', scope='module')
def _data(tmp_path_factory: pytest.TempPathFactory) -> str:
  return run_folder.write_data(tmp_path_factory.mktemp('preview') / 'data')


def test_samples_are_spread_over_splits(data):
  samples = preview_batch.read_samples(data, 6)
  assert [s.subtitle.split()[0] for s in samples] == [
      'd_pre', 'closed_test', 'closed_test', 'open_gallery', 'open_test',
      'open_test']
  assert {s.title for s in samples} <= {
      'id0, female, 30 years', 'id1, male, 40 years', 'id2, female, 50 years',
      'id3, male, 60 years'}
  frame, low, spectrum = samples[0].tiles
  assert (frame.shape, low.shape, spectrum.shape) == (
      (128, 128, 3), (8, 8, 3), (257, 257, 3))
  # A frame of 16x16 blocks of one colour each: its small version is they.
  blocks = frame[8::16, 8::16].astype(int)
  assert np.abs(blocks - low).mean() < 20
  # The hum of 120 or 200 Hz is the brightest line: low frequencies are below.
  assert 257 - np.argmax(spectrum.astype(int).sum((1, 2))) < 12


def test_the_sheet_holds_the_tiles(data):
  samples = preview_batch.read_samples(data, 3, splits=('open_test',), seed=4)
  assert len(samples) == 2
  sheet = preview_batch.draw(samples, 3)
  assert isinstance(sheet, Image.Image) and sheet.size == (820, 178)
  pixels = np.asarray(sheet)
  np.testing.assert_array_equal(pixels[8:136, 8:136], samples[0].tiles[0])
  enlarged = np.repeat(np.repeat(samples[0].tiles[1], 16, 0), 16, 1)
  np.testing.assert_array_equal(pixels[8:136, 140:268], enlarged)
  assert (pixels[137:170, 8:200] < 100).any()  # the text


def test_a_split_without_clips_is_named(data):
  with pytest.raises(manifest_lib.DataError, match='no records in d_rest'):
    preview_batch.read_samples(data, 3, splits=('d_rest',))


def test_long_and_odd_names_fit(data):
  sample = preview_batch.Sample(
      (np.zeros([128, 128, 3], np.uint8),), 'x' * 500, 'a\nb\x1b')
  assert preview_batch.draw([sample], 3).size == (148, 178)
