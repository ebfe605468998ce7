"""Batches of two folders are a function of (seed, images consumed)."""

from __future__ import annotations

import numpy as np
import pytest

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.data import mixing
from earsr_tf.data import mixture as mixture_lib
from earsr_tf.data import stream
from tests.data import fake_data

_NUMBERS = (12, 7)  # records of each folder
_WEIGHTS = (2, 1)


@pytest.fixture(name='data', scope='module')
def _data(tmp_path_factory) -> mixture_lib.Mixture:
  folder = tmp_path_factory.mktemp('mixing')
  fake_data.write(folder / 'a', {
      'd_pre': [3, 5], 'd_rest': [4], 'closed_test': [2]})
  fake_data.write(folder / 'b', {'d_pre': [2, 2], 'd_rest': [3]}, first=100)
  return mixture_lib.read(f'{folder}/a:2,{folder}/b:1', 'generator')


def test_each_block_has_its_weights_and_no_clip_is_missed(data):
  batches = fake_data.batches(data, 21)  # 84 images: 56 of a, 28 of b
  numbers = fake_data.numbers(batches)
  is_b = numbers >= 100
  np.testing.assert_array_equal(is_b.reshape(28, 3).sum(1), 1)
  assert len({tuple(row) for row in is_b.reshape(28, 3)}) == 3  # not in turn
  for chosen, total in zip((numbers[~is_b], numbers[is_b]), _NUMBERS):
    for epoch in range(len(chosen) // total):
      part = chosen[epoch * total:(epoch + 1) * total]
      assert len(set(part)) == total
  np.testing.assert_array_equal(
      np.concatenate([b[keys.INDEX] for b in batches]), np.arange(84))


def test_entries_belong_together(data):
  batches = fake_data.batches(data, 6)
  speakers = np.concatenate([b[keys.SPEAKER] for b in batches])
  clips = np.concatenate([b[keys.CLIP] for b in batches])
  for number, speaker, clip in zip(fake_data.numbers(batches), speakers, clips):
    assert clip == f's{number % 3}/v{number}/c'.encode()
    assert data.all_speakers[speaker] == f's{number % 3}'


@pytest.mark.parametrize('memory_bytes', [0, 1 << 30])
@pytest.mark.parametrize('consumed', [4, 20, 40])
def test_resume_continues_exactly(data, consumed, memory_bytes):
  fake_data.assert_resumes(data, 14, consumed, memory_bytes)


def test_one_folder_of_a_mixture_is_what_it_is_by_itself(data):
  sole = data.manifests[0]
  fake_data.assert_equal(
      fake_data.batches(sole, 5),
      fake_data.batches(mixture_lib.Mixture((sole,)), 5))


def test_shares_of_workers_are_rows_of_the_batches(data):
  whole = fake_data.batches(data, 6)
  source = batching.TrainingData(
      data=data, splits=('d_pre', 'd_rest'), inputs=keys.ALL)
  parts = [[{k: v.numpy() for k, v in b.items()} for b in source.batches(
      batch_size=4, seed=7, share=stream.Share(i, i + 2, 2)).take(6)]
           for i in (0, 2)]
  fake_data.assert_equal(whole, [
      {k: np.concatenate([a[k], b[k]]) for k in a} for a, b in zip(*parts)])


def test_counts_are_those_of_the_stream(data):
  numbers = fake_data.numbers(fake_data.batches(data, 12))
  for start in (0, 1, 7, 33):
    expected = (numbers[:start] < 100).sum()
    assert mixing.counts(_WEIGHTS, 7, start).tolist() == [
        expected, start - expected]


def test_one_pass_goes_through_folders_that_have_the_split(data):
  def seen(split):
    return fake_data.numbers([
        {k: v.numpy() for k, v in b.items()}
        for b in batching.make_eval_dataset(
            data, splits=[split], inputs=keys.ALL, batch_size=9)]).tolist()
  assert seen('closed_test') == [12, 13]
  assert seen('d_rest') == [8, 9, 10, 11, 104, 105, 106]
  assert batching.data_info(data).records['d_rest'] == 7
