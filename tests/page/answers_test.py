"""Answers: pictures for good files, a sentence for each bad one."""

from __future__ import annotations

import os
import pathlib

import numpy as np
from PIL import Image
import pytest

from earsr_tf.page import answers as answers_lib
from earsr_tf.page import framing
from tests.cli import media_files
from tests.page import fake_model


@pytest.fixture
def answers(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
            ) -> answers_lib.Answers:
  """Answers of the fake model, without a finder of faces."""
  monkeypatch.setattr(framing, 'can_find', lambda: False)
  (tmp_path / 'made').mkdir()
  return answers_lib.Answers(
      model=fake_model.FakeModel(), folder=tmp_path / 'made')


def _png(path: str | None) -> np.ndarray:
  with Image.open(path) as image:
    return np.asarray(image.convert('RGB'))


def test_a_face_and_a_voice_give_all_pictures(answers, tmp_path):
  face, said = answers.face(media_files.face(tmp_path / 'face.png'))
  assert said.startswith('The square in the centre is framed.')
  voice, heard = answers.voice(media_files.voice(tmp_path / 'voice.wav'))
  assert voice.shape == (64_000,) and heard == ''
  answer = answers.one(face, voice, 0.5)
  low = fake_model.FakeModel().reduce(face.face)
  peak = np.abs(voice).max()
  made = answer.made
  np.testing.assert_array_equal(made.low, low)
  assert made.bicubic.shape == (128, 128, 3)
  assert (made.image_alone[..., 2] == 0).all()
  assert (made.voice_alone == round(100 * peak)).all()
  assert (made.fused[..., 2] == round(50 * peak)).all()
  np.testing.assert_array_equal(made.fused[::16, ::16, :2], low[..., :2])
  assert answer.text.startswith('3 faces in ')
  np.testing.assert_array_equal(_png(answer.files[0]), made.fused)
  assert os.path.basename(answer.files[0]) == 'face.png'
  # Five tiles of 192 pixels beside each other, the input with hard pixels.
  sheet = _png(answer.files[1])
  row = np.flatnonzero((sheet == low[0, 0]).all(-1).sum(1) >= 24)
  assert len(row) >= 24 and sheet.shape[1] > 5 * 192


def test_without_a_voice_the_image_alone_makes_it(answers, tmp_path):
  face, _ = answers.face(media_files.face(tmp_path / 'face.png'))
  answer = answers.one(face, None, 1.0)
  assert answer.made.fused is None and answer.made.voice_alone is None
  assert 'There is no voice yet' in answer.text
  np.testing.assert_array_equal(
      _png(answer.files[0]), answer.made.image_alone)


def test_nothing_given_is_nothing_said(answers):
  assert answers.face(None) == (None, '')
  assert answers.voice(None) == (None, '')
  assert answers.one(None, None, 1.0) == answers_lib.Answer(None, '')


def test_bad_files_get_a_sentence_without_folders_or_flags(answers, tmp_path):
  text = tmp_path / 'letter.png'
  text.write_text('Dear Sir or Madam')
  face, said = answers.face(str(text))
  assert face is None
  assert said.startswith('letter.png: is not an image (text); give a PNG')
  short = media_files.voice(tmp_path / 'short.wav', seconds=0.5)
  assert answers.voice(short) == (
      None, 'short.wav: has 0.50 s of sound; at least one second is needed.')
  quiet = media_files.voice(tmp_path / 'long.wav', seconds=6.0, level=0.003)
  voice, said = answers.voice(quiet)
  assert voice is not None
  assert said.startswith(
      'long.wav: is longer than 4 s; the loudest 4 s, from 0 s on, are used. '
      'long.wav: is quieter than the voices of the training and is changed by')
  assert '--' not in said and str(tmp_path) not in said


def test_a_bug_is_named_as_one(answers, tmp_path, monkeypatch, capsys):
  face, _ = answers.face(media_files.face(tmp_path / 'face.png'))
  monkeypatch.setattr(
      fake_model.FakeModel, 'reduce', lambda *_: {}['missing'])
  answer = answers.one(face, None, 1.0)
  assert answer.made is None and answer.text == (
      'The page met an error of its own, KeyError; please report it.')
  assert "KeyError: 'missing'" in capsys.readouterr().err


def test_every_face_meets_every_voice(answers, tmp_path):
  faces = [
      media_files.face(tmp_path / f'face{level}.png',
                       Image.new('RGB', (64, 64), (level, 0, 0)))
      for level in (60, 200)]
  bad = tmp_path / 'bad.png'
  bad.write_bytes(b'text')
  voices = [media_files.voice(tmp_path / f'{name}.wav') for name in 'abc']
  matrix = answers.matrix([*faces, str(bad)], voices, 1.5)
  assert matrix.text.startswith('6 faces in ')
  assert 'bad.png: is not an image (text)' in matrix.text
  peak = np.abs(answers.voice(voices[0])[0]).max()
  for level in (60, 200):
    wanted = (level, 0, round(150 * peak))
    found = (matrix.sheet == wanted).all(-1).sum()
    assert found == 3 * 144 * 144, level  # three tiles of 144 pixels a side
  np.testing.assert_array_equal(_png(matrix.file), matrix.sheet)


def test_a_matrix_needs_some_and_takes_not_too_many(answers, tmp_path):
  face = media_files.face(tmp_path / 'face.png')
  voice = media_files.voice(tmp_path / 'voice.wav')
  assert answers.matrix(None, [voice], 1.0).text == (
      'Give at least one face and one voice.')
  assert answers.matrix([face] * 7, [voice], 1.0).text == (
      '7 faces are too many; give 6 at most.')
  short = media_files.voice(tmp_path / 'short.wav', seconds=0.5)
  matrix = answers.matrix([face], [short], 1.0)
  assert matrix.sheet is None and matrix.text.startswith('short.wav: has 0.50')
