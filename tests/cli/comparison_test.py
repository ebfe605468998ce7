"""One face by every road: each equals what the model gives when asked alone."""

from __future__ import annotations

import pathlib

import numpy as np
from PIL import Image
import pytest

import earsr_tf
from earsr_tf import cli
from earsr_tf import comparison
from earsr_tf import face_and_voice
from earsr_tf import super_resolve
from earsr_tf.serving import export_manifest
from tests.cli import media_files


@pytest.fixture(name='given', scope='module')
def _given(tmp_path_factory: pytest.TempPathFactory
           ) -> tuple[str, list[str], np.ndarray]:
  """A face, two voices as files, and the first voice as it is heard."""
  folder = tmp_path_factory.mktemp('given')
  voices = [media_files.voice(folder / 'a.wav'),
            media_files.voice(folder / 'b.wav', level=0.1)]
  return (media_files.face(folder / 'face.png'), voices,
          face_and_voice.read_voice(voices[0], None, print))


def test_every_road_equals_the_model_asked_alone(model, given):
  loaded = earsr_tf.load(model)
  face, voices, voice = given
  low = loaded.reduce(face, print)
  assert low.shape == (8, 8, 3) and low.dtype == np.uint8
  made = comparison.compare(loaded, low, voice, strength=1.5)
  np.testing.assert_array_equal(
      made.fused, loaded.super_resolve(face, voices[0], strength=1.5))
  np.testing.assert_array_equal(
      made.image_alone,
      loaded.super_resolve(face, voices[0], strength=0.0))
  assert made.voice_alone.shape == (128, 128, 3)
  assert len({picture.tobytes() for picture in made.tiles.values()}) == 5
  # The centre of the enlarged picture keeps the colours of the small one.
  np.testing.assert_allclose(
      made.bicubic[8::16, 8::16].astype(float).mean(),
      low.astype(float).mean(), atol=1.0)
  assert made.result is made.fused


def test_a_matrix_has_each_pair(model, given):
  loaded = earsr_tf.load(model)
  face, files, _ = given
  lows = [loaded.reduce(face, print), 255 - loaded.reduce(face, print)]
  voices = [face_and_voice.read_voice(f, None, print) for f in files]
  made = comparison.mix(loaded, lows, voices)
  assert made.shape == (2, 2, 128, 128, 3)
  for i, low in enumerate(lows):
    for j, file in enumerate(files):
      alone = loaded.super_resolve(low, file)
      assert np.abs(made[i, j].astype(int) - alone).max() <= 1, (i, j)
  with pytest.raises(cli.InputError, match='1 to 12 voices, not 13'):
    comparison.mix(loaded, lows, voices[:1] * 13)


@pytest.mark.parametrize('has_voice', [True, False])
def test_the_command_writes_a_sheet(model, given, tmp_path, has_voice):
  face, voices, _ = given
  output, audio = tmp_path / 'grid.png', voices[0] if has_voice else None
  notices = []
  super_resolve.run(
      model, face, audio, str(output), grid=True, notice=notices.append)
  assert notices == [] if has_voice else len(notices) == 1
  with Image.open(output) as image:
    sheet = np.asarray(image)
  result = earsr_tf.load(model).super_resolve(face, audio, notice=print)
  tile = np.asarray(Image.fromarray(result).resize(
      (192, 192), Image.Resampling.BICUBIC))
  last = sheet[:, sheet.shape[1] - 20 - 198:][:, :192]  # margin, tile and gap
  assert any(np.array_equal(last[top:top + 192], tile)
             for top in range(len(last) - 191))
  assert sheet.shape[1] == 2 * 20 + 150 + (5 if has_voice else 3) * 198


@pytest.mark.parametrize('has_voice', [True, False])
def test_a_folder_gets_a_sheet_for_each_face(
    model, given, tmp_path, has_voice):
  faces, audio = tmp_path / 'faces', given[1][0] if has_voice else None
  faces.mkdir()
  files = [media_files.face(faces / 'a.png'),
           media_files.face(faces / 'b.png', Image.new('RGB', (40, 40), 'red'))]
  super_resolve.run(
      model, str(faces), audio, str(tmp_path / 'out'), grid=True, notice=print)
  loaded = earsr_tf.load(model)
  for file, name in zip(files, ('a.png', 'b.png')):
    with Image.open(tmp_path / 'out' / name) as image:
      np.testing.assert_array_equal(
          np.asarray(image), comparison.sheet_of(
              loaded, file, audio, notice=print))


def test_an_older_model_is_refused_with_a_sentence(model, given, monkeypatch):
  loaded = earsr_tf.load(model)
  monkeypatch.setitem(loaded.facts, 'signatures', ['super_resolve'])
  with pytest.raises(export_manifest.ExportError, match='of a voice alone'):
    comparison.voice_alone(loaded, given[2])


def test_long_names_fit_above_a_tile():
  assert comparison._two_lines('ann') == 'ann'
  assert comparison._two_lines('a' * 20) == 'a' * 14 + '\n' + 'a' * 6
  assert comparison._two_lines('a' * 40) == 'a' * 14 + '\n' + 'a' * 13 + '~'
  assert comparison._two_lines('a\nb') == 'a b'


def test_the_sheet_has_hard_pixels_and_a_caption(tmp_path: pathlib.Path):
  low = np.zeros([8, 8, 3], np.uint8)
  low[3, 4] = 255, 0, 0
  grey = np.full([128, 128, 3], 128, np.uint8)
  made = comparison.Comparison(
      low=low, bicubic=grey, image_alone=grey, voice_alone=None, fused=None)
  assert list(made.tiles) == ['input\n8x8 pixels', 'bicubic', 'image only']
  sheet = np.asarray(comparison.sheet(made))
  red = np.argwhere((sheet == (255, 0, 0)).all(-1))
  assert (red.max(0) - red.min(0) + 1).tolist() == [24, 24]  # 192 / 8
  assert (sheet == 128).all(-1).sum() >= 2 * 192 * 192
