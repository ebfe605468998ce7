"""Tests of earsr_tf.training.summaries: files are read back."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.training import summaries


def _reporter(folder: pathlib.Path, images: int = 0) -> summaries.Reporter:
  return summaries.Reporter(
      folder=folder, stage='audio', images=images, total_images=100,
      log_every=0.0)


def _values(folder: pathlib.Path) -> dict[str, tuple[int, object]]:
  """tag -> (step, summary value) of all event files."""
  found = {}
  for path in sorted((folder / 'train').glob('events.*')):
    for event in tf.compat.v1.train.summary_iterator(str(path)):
      for value in event.summary.value:
        found[value.tag] = (event.step, value)
  return found


def _lines(folder: pathlib.Path) -> list[dict[str, float]]:
  text = (folder / 'metrics.jsonl').read_text(encoding='utf-8')
  return [json.loads(line) for line in text.splitlines()]


@pytest.fixture(name='run', scope='module')
def _run(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  folder = tmp_path_factory.mktemp('run')
  reporter = _reporter(folder)
  reporter.advance(8)
  reporter.scalars(2, 8, {'loss/audio/code_l1': 0.5})
  reporter.scalars(4, 16, {'loss/audio/code_l1': 0.25})
  reporter.note(16, 'weight/x', 'lambda_t halved')
  small = np.full([2, 4, 4, 3], -1.0, np.float32)
  reporter.preview(16, {'low': small, 'high': np.ones([2, 8, 8, 3])})
  reporter.voices(
      16, np.stack([np.linspace(-1, 1, 1600, dtype=np.float32)] * 6))
  reporter.close()
  return folder


def test_a_line_of_metrics_per_record(run: pathlib.Path) -> None:
  lines = _lines(run)
  assert [(x['step'], x['images'], x['loss/audio/code_l1']) for x in lines
          ] == [(2, 8, 0.5), (4, 16, 0.25)]
  assert [x['progress/kimg'] for x in lines] == [0.008, 0.016]
  assert all(x['timing/images_per_s'] > 0 for x in lines)


def test_scalars_are_recorded_at_images(run: pathlib.Path) -> None:
  values = _values(run)
  for tag, expected in (('loss/audio/code_l1', 0.25),
                        ('progress/kimg', 0.016)):
    step, value = values[tag]
    assert step == 16
    assert tf.make_ndarray(value.tensor) == pytest.approx(expected)
  assert 'timing/images_per_s' in values


def test_notes_are_text(run: pathlib.Path) -> None:
  step, value = _values(run)['weight/x']
  assert step == 16
  assert tf.make_ndarray(value.tensor) == b'lambda_t halved'


def test_a_preview_is_one_grid_a_column_per_name(run: pathlib.Path) -> None:
  tensor = tf.make_ndarray(_values(run)['preview/low|high'][1].tensor)
  assert [int(tensor[0]), int(tensor[1])] == [16, 16]  # two rows, two columns
  pixels = tf.image.decode_png(tensor[2]).numpy()
  assert pixels.shape == (16, 16, 3)
  assert np.all(pixels[:, :8] == 0) and np.all(pixels[:, 8:] == 255)


def test_voices_are_audio(run: pathlib.Path) -> None:
  _, value = _values(run)['preview/voices']
  assert value.metadata.plugin_data.plugin_name == 'audio'
  clips = tf.make_ndarray(value.tensor)
  assert len(clips) == 4
  samples, rate = tf.audio.decode_wav(clips[0][0])
  assert int(rate) == 16000 and samples.shape == (1600, 1)
  assert float(samples[0, 0]) == pytest.approx(-1, abs=1e-3)


def test_a_resumed_run_forgets_what_it_will_do_again(
    tmp_path: pathlib.Path) -> None:
  reporter = _reporter(tmp_path)
  for step in (1, 2, 3):
    reporter.scalars(step, 4 * step, {'loss/x': float(step)})
  reporter.close()
  with open(tmp_path / 'metrics.jsonl', 'a', encoding='utf-8') as f:
    f.write('{"step": 4, "ima')  # killed while writing
  reporter = _reporter(tmp_path, images=8)
  reporter.scalars(3, 12, {'loss/x': 7.0})
  reporter.close()
  assert [(x['images'], x['loss/x']) for x in _lines(tmp_path)] == [
      (4, 1.0), (8, 2.0), (12, 7.0)]


def test_a_full_disk_is_not_swallowed(tmp_path: pathlib.Path) -> None:
  (tmp_path / 'metrics.jsonl').symlink_to('/dev/full')
  with pytest.raises(OSError):
    _reporter(tmp_path).scalars(1, 4, {'loss/x': 1.0})
