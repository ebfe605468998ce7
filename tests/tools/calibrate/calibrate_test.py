"""The command on a little prepared data."""

from __future__ import annotations

import io
import json
import pathlib
import wave

import numpy as np
import pytest

from earsr_tf.data import manifest as manifest_lib
from tests import fakes
from tests import testing
from tools.calibrate import samples as samples_lib


@pytest.fixture(name='folder', scope='module')
def _folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  folder = tmp_path_factory.mktemp('calibrate') / 'data'
  fakes.write_data(folder, image_size=128, clips=8)
  return folder


def test_reads_every_clip_once(folder: pathlib.Path) -> None:
  samples = samples_lib.read(
      manifest_lib.read_manifest(str(folder)), max_people=100,
      frames_per_clip=2)
  labels = samples.of_voices
  assert [int((labels.part == part).sum()) for part in (
      samples_lib.TRAIN, samples_lib.CLOSED, samples_lib.OPEN)] == [16, 8, 16]
  assert samples.of_pictures.part.size == 80
  assert {size: rows.shape[1:] for size, rows in samples.pictures.items()} == {
      size: (size, size, 3) for size in samples_lib.SIZES}
  # Reducing keeps the mean of a picture.
  means = [rows.mean((1, 2)) for rows in samples.pictures.values()]
  assert np.abs(means[0] - means[3]).max() < 3


def test_people_are_limited(folder: pathlib.Path) -> None:
  samples = samples_lib.read(
      manifest_lib.read_manifest(str(folder)), max_people=1,
      frames_per_clip=1)
  labels = samples.of_pictures
  for parts in ((samples_lib.TRAIN, samples_lib.CLOSED), (samples_lib.OPEN,)):
    assert np.unique(labels.speaker[np.isin(labels.part, parts)]).size == 1


def _tone(hertz: float, seconds: float) -> bytes:
  """A WAV file with a tone of amplitude 0.5."""
  time = np.arange(int(16000 * seconds)) / 16000
  samples = (16384 * np.sin(2 * np.pi * hertz * time)).astype('<i2')
  buffer = io.BytesIO()
  with wave.open(buffer, 'wb') as file:
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(16000)
    file.writeframes(samples.tobytes())
  return buffer.getvalue()


def test_spectrum_shows_the_pitch_and_short_voices_are_repeated() -> None:
  bands = [
      samples_lib.spectrum(_tone(hertz, 5.0)).mean(0).argmax()
      for hertz in (200, 1000, 4000)]
  assert bands[0] < 10 < bands[1] < 40 < bands[2]
  short = samples_lib.spectrum(_tone(1000, 1.0))
  assert short.shape == (199, 64)
  assert np.abs(short.mean(0) - samples_lib.spectrum(
      _tone(1000, 6.0)).mean(0)).max() < 3
  statistics = samples_lib.statistics(short[None])
  assert statistics.shape == (1, 128)
  assert statistics[0, bands[1]] == pytest.approx(
      short[:, bands[1]].mean(), abs=0.01)


def test_command_prints_and_writes_figures(
    folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
  output = tmp_path / 'figures.json'
  done = testing.run_module(
      'tools.calibrate', str(folder), f'--output={output}', '--cnn',
      '--passes=2', '--inputs=8,voice')
  assert done.returncode == 0, done.stderr
  assert '8x8      linear  person' in done.stdout
  assert 'unseen people 8x8 pixels miss' in done.stdout
  report = json.loads(output.read_text('utf-8'))
  assert set(report['linear']) == set(report['cnn']) == {'8', 'voice'}
  person = report['linear']['8']['person']
  assert person['rows'] == 16 and 0 <= person['accuracy'] <= 1
  curve = report['cnn']['8']['person']
  assert len(curve['curve']) == 2
  assert curve['best'] == max(curve['curve'])
  assert curve['last'] == curve['curve'][-1]


def test_missing_data_are_one_sentence(tmp_path: pathlib.Path) -> None:
  done = testing.run_module('tools.calibrate', str(tmp_path / 'none'))
  assert done.returncode == 66
  assert 'no finished data here' in done.stderr
  assert 'Traceback' not in done.stderr
