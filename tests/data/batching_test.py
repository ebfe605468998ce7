"""Batches are a function of (seed, images consumed); resume is exact."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.data import manifest
from earsr_tf.media import reader
from tests.data import fake_data

D = ('d_pre', 'd_rest')
SIZES = {'d_pre': [3, 5], 'd_rest': [4], 'closed_test': [3]}
TOTAL = 12  # of D


@pytest.fixture(name='data', scope='module')
def _data(tmp_path_factory) -> manifest.Manifest:
  return fake_data.write(tmp_path_factory.mktemp('pipeline') / 'data', SIZES)


def test_shapes_types_and_ranges(data):
  batch = fake_data.batches(data, 1)[0]
  assert batch[keys.IMAGE_HIGH].shape == (4, 16, 16, 3)
  assert batch[keys.IMAGE_HIGH].dtype == np.float32
  assert batch[keys.WAVEFORM].shape == (4, 64000)
  assert batch[keys.WAVEFORM].dtype == np.float32
  assert 0 < batch[keys.WAVEFORM].min() < batch[keys.WAVEFORM].max() < 1
  assert batch[keys.SPEAKER].dtype == batch[keys.GENDER].dtype == np.int32
  assert batch[keys.INDEX].tolist() == [0, 1, 2, 3]


def test_entries_of_an_example_belong_together(data):
  batches = fake_data.batches(data, 6)
  labels = {k: np.concatenate([b[k] for b in batches]) for k in keys.ALL}
  for i, number in enumerate(fake_data.numbers(batches)):
    assert labels[keys.SPEAKER][i] == number % 3
    assert labels[keys.GENDER][i] == number % 2
    assert labels[keys.CLIP][i] == f's{number % 3}/v{number}/c'.encode()
    np.testing.assert_equal(
        labels[keys.AGE][i], np.float32(20 + number if number % 4 else np.nan))
    wave = np.round(labels[keys.WAVEFORM][i] * 32768).astype(int)
    np.testing.assert_array_equal(
        wave, (wave[0] - 1 + np.arange(64000)) % 30000 + 1)


def test_an_epoch_shows_every_record_once(data):
  numbers = fake_data.numbers(fake_data.batches(data, 9))  # 36 images, 3 epochs
  for epoch in np.split(numbers, 3):
    assert sorted(epoch) == list(range(TOTAL))
  assert not np.array_equal(numbers[:12], numbers[12:24])
  other = fake_data.numbers(fake_data.batches(data, 9, seed=8))
  assert not np.array_equal(numbers, other)


def test_frames_and_segments_vary_and_are_in_range(data):
  batches = fake_data.batches(data, 30)
  frames = np.concatenate([b[keys.IMAGE_HIGH][:, 0, 0, 1] for b in batches])
  frames = np.round((frames + 1) * 127.5).astype(int)
  numbers = fake_data.numbers(batches)
  for parity in (0, 1):  # 2 or 3 frames stored
    assert set(frames[numbers % 2 == parity]) == set(range(2 + parity))
  first = np.concatenate([b[keys.WAVEFORM][:, 0] for b in batches])
  starts = (np.round(first * 32768) - 1 - 100 * numbers) % 30000
  assert np.all(starts <= 6000 + 7 * numbers)
  assert len(set(starts)) > 100  # of 120: independent of the frame


def test_two_runs_are_equal(data):
  fake_data.assert_equal(
      fake_data.batches(data, 5, mirror=True),
      fake_data.batches(data, 5, mirror=True))


@pytest.mark.parametrize('memory_bytes', [0, 1 << 30])
@pytest.mark.parametrize('consumed', [4, 12, 20])
def test_resume_continues_exactly(data, consumed, memory_bytes):
  fake_data.assert_resumes(data, 10, consumed, memory_bytes)


def test_from_shards_equals_from_memory(data):
  fake_data.assert_equal(
      fake_data.batches(data, 8, memory_bytes=0), fake_data.batches(data, 8))


def test_the_stream_does_not_depend_on_the_batch_size(data):
  small = fake_data.batches(data, 8, batch_size=3)
  large = fake_data.batches(data, 4, batch_size=6)
  for name in keys.ALL:
    np.testing.assert_array_equal(
        np.concatenate([b[name] for b in small]),
        np.concatenate([b[name] for b in large]))


def test_stored_order_without_training(data):
  numbers = fake_data.numbers(fake_data.batches(data, 6, training=False))
  assert numbers.tolist() == list(range(12)) * 2


def test_mirror_flips_half_and_only_flips(data):
  plain = np.concatenate(
      [b[keys.IMAGE_HIGH] for b in fake_data.batches(data, 30)])
  flipped = np.concatenate(
      [b[keys.IMAGE_HIGH] for b in fake_data.batches(data, 30, mirror=True)])
  is_flipped = flipped[:, 0, 0, 2] > flipped[:, 0, -1, 2]
  assert 40 <= is_flipped.sum() <= 80  # of 120
  np.testing.assert_array_equal(plain[is_flipped], flipped[is_flipped, :, ::-1])
  np.testing.assert_array_equal(plain[~is_flipped], flipped[~is_flipped])


def test_only_inputs_are_there(data):
  batch = fake_data.batches(data, 1, inputs=[keys.GENDER])[0]
  assert set(batch) == {keys.GENDER, keys.INDEX}
  assert set(fake_data.batches(data, 1, inputs=[])[0]) == {keys.INDEX}
  with pytest.raises(ValueError, match="unknown input 'faces'"):
    fake_data.batches(data, 1, inputs=['faces'])


def test_short_voices_are_looped(tmp_path):
  data = fake_data.write(tmp_path / 'short', {'d_pre': [2]}, samples=16000)
  wave = fake_data.batches(
      data, 1, splits=['d_pre'], inputs=[keys.WAVEFORM], batch_size=1,
      training=False)[0][keys.WAVEFORM][0]
  np.testing.assert_array_equal(wave[:16000], wave[16000:32000])
  np.testing.assert_array_equal(wave[:16000], wave[48000:])


def test_eval_is_one_pass_in_order_with_a_partial_batch(data):
  batches = list(batching.make_eval_dataset(
      data, splits=['closed_test', 'd_rest'], inputs=keys.ALL, batch_size=5))
  assert [len(b[keys.INDEX]) for b in batches] == [5, 2]
  assert fake_data.numbers([
      {k: v.numpy() for k, v in b.items()} for b in batches
  ]).tolist() == [12, 13, 14, 8, 9, 10, 11]


def test_eval_spreads_frames_over_the_clip(data):
  dataset = batching.make_eval_dataset(
      data, splits=['closed_test'], inputs=[keys.IMAGE_HIGH], batch_size=9,
      frames_per_clip=2, seed=3)
  batch = next(iter(dataset))
  levels = np.round((batch[keys.IMAGE_HIGH].numpy()[:, 0, 0] + 1) * 127.5)
  assert levels[:, 0].tolist() == [12, 12, 13, 13, 14, 14]
  for one, two in zip(levels[::2, 1], levels[1::2, 1]):
    assert one != two
  again = next(iter(dataset))
  np.testing.assert_array_equal(
      batch[keys.IMAGE_HIGH], again[keys.IMAGE_HIGH])


def test_a_shard_with_fewer_records_than_stated_stops(tmp_path):
  data = fake_data.write(tmp_path / 'few', {'d_pre': [4]})
  shard = tmp_path / 'few' / data.splits['d_pre'][0].file
  written = list(tf.data.TFRecordDataset(str(shard)))
  with tf.io.TFRecordWriter(str(shard)) as writer:
    for record in written[:-1]:
      writer.write(record.numpy())
  options = dict(splits=['d_pre'], inputs=[keys.IMAGE_HIGH])
  with pytest.raises(tf.errors.OpError):
    fake_data.batches(data, 1, memory_bytes=0, **options)
  with pytest.raises(manifest.DataError, match='fewer records') as error:
    fake_data.batches(data, 1, **options)
  assert data.data_dir in str(error.value)


def test_data_in_memory_are_decoded_once_for_all_phases(tmp_path):
  data = fake_data.write(tmp_path / 'data', SIZES)
  options = dict(seed=7, mirror=True)
  expected = [
      fake_data.batches(data, 3, memory_bytes=0, **options),
      fake_data.batches(data, 5, memory_bytes=0, batch_size=2, start_images=12,
               **options)]
  source = batching.TrainingData(data=data, splits=D, inputs=keys.ALL)

  def read(count, **changes):
    return [{k: v.numpy() for k, v in b.items()}
            for b in source.batches(**changes, **options).take(count)]

  found = [read(3, batch_size=4)]
  for shard in (tmp_path / 'data').glob('*.tfrecord'):
    shard.unlink()
  found.append(read(5, batch_size=2, start_images=12))
  for one, two in zip(expected, found, strict=True):
    fake_data.assert_equal(one, two)


def test_no_tuner_keeps_an_iterator_from_ending(data):
  options = dict(splits=D, inputs=keys.ALL, batch_size=4)
  for dataset in (batching.make_dataset(data, seed=7, **options),
                  batching.make_eval_dataset(data, **options),
                  batching.frames(data, data.shards(D)[0], 4)):
    assert dataset.options().autotune.enabled is False


def test_two_replicas_share_a_global_batch(data):
  devices = tf.config.list_logical_devices('CPU')
  if len(devices) < 2:
    pytest.skip('one logical device: conftest has not split the CPU')
  strategy = tf.distribute.MirroredStrategy([d.name for d in devices[:2]])
  dataset = batching.make_dataset(
      data, splits=D, inputs=[keys.IMAGE_HIGH], batch_size=4, seed=7)
  whole = [b[keys.INDEX].numpy() for b in itertools.islice(dataset, 3)]
  shared = strategy.experimental_distribute_dataset(dataset)
  for index, batch in zip(whole, shared):
    parts = strategy.experimental_local_results(batch[keys.INDEX])
    assert [len(p) for p in parts] == [2, 2]
    np.testing.assert_array_equal(np.concatenate(parts), index)


def test_data_info(data):
  info = batching.data_info(data.data_dir)
  assert info.speakers == ('s0', 's1', 's2')
  assert info.records == {
      'd_pre': 8, 'd_rest': 4, 'closed_test': 3, 'open_gallery': 0,
      'open_test': 0}
  assert info.manifest_sha256 == data.sha256


@pytest.fixture(name='pauses', scope='module')
def _pauses(tmp_path_factory) -> manifest.Manifest:
  """Voices of 20 s that are silent but for their last 5 s."""
  made = fake_data.record

  def record(*arguments):
    clip = made(*arguments)
    voice = np.zeros([320_000], np.int16)
    voice[240_000:] = 100 * (np.arange(80_000) % 7)
    return dataclasses.replace(clip, voice=reader.encode_wav(voice))

  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(fake_data, 'record', record)
    return fake_data.write(
        tmp_path_factory.mktemp('pauses') / 'data', {'d_pre': [3]})


def test_training_avoids_silence_and_resumes_exactly(pauses):
  options = dict(splits=['d_pre'], inputs=[keys.WAVEFORM], batch_size=3)
  batches = fake_data.batches(pauses, 8, **options)
  waves = np.concatenate([b[keys.WAVEFORM] for b in batches])
  # A lone draw is silent with probability 176 / 256, eight with 1 / 20.
  is_silent = np.abs(waves).max(axis=1) == 0
  assert is_silent.mean() < 0.3
  fake_data.assert_equal(batches[5:], fake_data.batches(
      pauses, 3, start_images=15, **options))
  fake_data.assert_equal(batches, fake_data.batches(
      pauses, 8, memory_bytes=0, **options))
