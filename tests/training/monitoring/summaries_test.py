"""Tests of earsr_tf.training.monitoring.summaries: files are read back."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest
from tensorboard.plugins.hparams import plugin_data_pb2
import tensorflow as tf

from earsr_tf.training.monitoring import summaries


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
      16, np.stack([np.linspace(-1, 1, 64000, dtype=np.float32)] * 6))
  reporter.picture(16, 'mixing', np.stack(
      [np.full([3, 4, 4, 3], row, np.float32) for row in (-1.0, 1.0)]))
  reporter.histogram(16, 'weights/fusion', np.array([0.0, 0.0, 0.0, 1.0]))
  reporter.hyperparameters({'seed': 7, 'preset': 'tiny'})
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
  assert int(rate) == 16000 and samples.shape == (64000, 1)
  assert float(samples[0, 0]) == pytest.approx(-1, abs=1e-3)


def test_beside_the_voices_stand_their_spectrograms(run: pathlib.Path
                                                    ) -> None:
  tensor = tf.make_ndarray(_values(run)['preview/spectrograms'][1].tensor)
  assert len(tensor) == 2 + 4
  pixels = tf.image.decode_png(tensor[2]).numpy()
  assert pixels.shape == (257, 257, 1)
  # A ramp is loudest at frequency zero: below, whatever the time.
  assert np.all(pixels[-1, 1:-1] > pixels[0, 1:-1])


def test_a_picture_has_its_own_rows_and_columns(run: pathlib.Path) -> None:
  tensor = tf.make_ndarray(_values(run)['preview/mixing'][1].tensor)
  pixels = tf.image.decode_png(tensor[2]).numpy()
  assert pixels.shape == (8, 12, 3)
  assert np.all(pixels[:4] == 0) and np.all(pixels[4:] == 255)


def test_weights_are_histograms(run: pathlib.Path) -> None:
  step, value = _values(run)['weights/fusion']
  assert step == 16
  assert value.metadata.plugin_data.plugin_name == 'histograms'
  buckets = tf.make_ndarray(value.tensor)  # [n, (left, right, count)]
  assert buckets[:, 2].sum() == 4 and buckets[0, 2] == 3


def test_hyperparameters_are_those_of_the_plugin(run: pathlib.Path) -> None:
  _, value = _values(run)['_hparams_/session_start_info']
  assert value.metadata.plugin_data.plugin_name == 'hparams'
  content = plugin_data_pb2.HParamsPluginData.FromString(
      value.metadata.plugin_data.content)
  found = content.session_start_info.hparams
  assert found['seed'].number_value == 7
  assert found['preset'].string_value == 'tiny'


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
