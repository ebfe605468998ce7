"""Files of targets: whole or not there, and read with the very frame."""

from __future__ import annotations

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.data import manifest
from earsr_tf.data import target_files
from tests.data import fake_data

_IDENTITY = {'data': 'abc', 'model.code_norm': 'unit'}
_SHAPE = (2, 3)


def _codes(number: int, frames: int) -> np.ndarray:
  """[n, 2, 3]: what record and frame a code belongs to, and its place."""
  made = np.zeros([frames, *_SHAPE], np.float32)
  made[..., 0], made[..., 1] = number, np.arange(frames)[:, None]
  made[..., 2] = 0.5
  return made


@pytest.fixture(name='data', scope='module')
def _data(tmp_path_factory: pytest.TempPathFactory) -> manifest.Manifest:
  return fake_data.write(
      tmp_path_factory.mktemp('targets') / 'data', {'d_pre': [3, 5]})


def _make(folder: pathlib.Path, data: manifest.Manifest) -> dict[str, str]:
  """Writes and finishes the targets of all records."""
  number, shards = 0, data.splits['d_pre']
  for shard in target_files.begin(folder, shards, _IDENTITY):
    rows = [_codes(n, 2 + n % 2) for n in range(
        number, number + shard.records)]
    target_files.write_file(
        target_files.path_of(folder, shard.file, _IDENTITY), rows)
    number += shard.records
  target_files.finish(folder, shards, _IDENTITY)
  return target_files.find(folder, shards, _IDENTITY)


@pytest.fixture(name='made')
def _made(
    data: manifest.Manifest, tmp_path: pathlib.Path) -> target_files.Targets:
  return target_files.Targets(
      keys.CODE, _SHAPE, _make(tmp_path / 'd_pre', data))


@pytest.mark.parametrize('memory_bytes', [0, 1 << 30])
def test_a_target_comes_with_its_frame(
    data: manifest.Manifest, made: target_files.Targets, memory_bytes: int
    ) -> None:
  source = batching.TrainingData(
      data=data, splits=['d_pre'], inputs=[keys.IMAGE_HIGH, keys.CODE],
      targets=[made], memory_bytes=memory_bytes)
  plain = batching.make_dataset(
      data, splits=['d_pre'], inputs=[keys.IMAGE_HIGH], batch_size=4, seed=7)
  batches = source.batches(batch_size=4, seed=7).take(20)
  frames = set()
  for batch, other in zip(batches, plain):
    levels = np.round((batch[keys.IMAGE_HIGH].numpy()[:, 0, 0] + 1) * 127.5)
    code = batch[keys.CODE].numpy()
    assert code.dtype == np.float32 and code.shape == (4, *_SHAPE)
    np.testing.assert_array_equal(code[:, 0, :2], levels[:, :2])
    np.testing.assert_array_equal(code[:, 1, 2], 0.5)
    frames |= set(map(tuple, levels[:, :2]))
    # The same images as without targets.
    np.testing.assert_array_equal(
        batch[keys.IMAGE_HIGH], other[keys.IMAGE_HIGH])
  assert len(frames) == 4 * 2 + 4 * 3  # all frames of all records


@pytest.mark.parametrize('memory_bytes', [0, 1 << 30])
def test_the_same_frame_is_drawn_without_decoding_it(
    data: manifest.Manifest, made: target_files.Targets, memory_bytes: int
    ) -> None:
  def codes(*inputs: str) -> list[dict[str, np.ndarray]]:
    source = batching.TrainingData(
        data=data, splits=['d_pre'], inputs=inputs, targets=[made],
        memory_bytes=memory_bytes)
    return [{k: v.numpy() for k, v in b.items()} for b in source.batches(
        batch_size=4, seed=7, start_images=3).take(6)]

  with_image = codes(keys.IMAGE_HIGH, keys.CODE, keys.WAVEFORM)
  without = codes(keys.CODE, keys.WAVEFORM)
  for one, two in zip(with_image, without, strict=True):
    assert set(two) == {keys.CODE, keys.WAVEFORM, keys.INDEX}
    for name, value in two.items():
      np.testing.assert_array_equal(one[name], value, name)


def test_targets_of_other_clips_are_an_error(
    data: manifest.Manifest, made: target_files.Targets) -> None:
  first, second = made.files
  swapped = target_files.Targets(keys.CODE, _SHAPE, {
      first: made.files[second], second: made.files[first]})
  for inputs in ([keys.IMAGE_HIGH, keys.CODE], [keys.CODE]):
    with pytest.raises((tf.errors.OpError, manifest.DataError)):
      next(iter(batching.make_dataset(
          data, splits=['d_pre'], inputs=inputs, batch_size=8, seed=0,
          targets=[swapped], memory_bytes=0)))


def test_mirrored_images_have_no_targets(
    data: manifest.Manifest, made: target_files.Targets) -> None:
  with pytest.raises(ValueError, match='not mirrored'):
    batching.make_dataset(
        data, splits=['d_pre'], inputs=[keys.CODE], batch_size=8, seed=0,
        targets=[made], mirror=True)
  with pytest.raises(ValueError, match="unknown input 'code'"):
    batching.make_dataset(
        data, splits=['d_pre'], inputs=[keys.CODE], batch_size=8, seed=0)


def test_what_differs_is_named(
    data: manifest.Manifest, made: target_files.Targets) -> None:
  folder = pathlib.Path(next(iter(made.files.values()))).parent
  shards = data.splits['d_pre']
  with pytest.raises(target_files.StaleError, match='another model.code_norm'):
    target_files.find(folder, shards, {**_IDENTITY, 'model.code_norm': 'none'})
  with pytest.raises(target_files.StaleError, match='another data, new'):
    target_files.find(folder, shards, {**_IDENTITY, 'data': 'x', 'new': 'y'})
  with pytest.raises(target_files.StaleError, match='no finished targets'):
    target_files.find(folder.parent / 'd_rest', shards, _IDENTITY)


@pytest.mark.parametrize('damage', ['cut', 'gone', 'format', 'no json'])
def test_what_is_not_whole_is_not_found(
    data: manifest.Manifest, made: target_files.Targets, damage: str) -> None:
  path = pathlib.Path(list(made.files.values())[1])
  if damage == 'cut':
    path.write_bytes(path.read_bytes()[:-1])
  elif damage == 'gone':
    path.unlink()
  else:
    file = path.parent / 'manifest.json'
    text = file.read_text()
    file.write_text(json.dumps({**json.loads(text), 'format': 99})
                    if damage == 'format' else text[:-9])
  shards = data.splits['d_pre']
  with pytest.raises(target_files.StaleError):
    target_files.find(path.parent, shards, _IDENTITY)
  left = target_files.begin(path.parent, shards, _IDENTITY)
  # Without a manifest a file that has its name is whole.
  assert [s.file for s in left] == (
      [shards[1].file] if damage in ('cut', 'gone') else [])
  assert not (path.parent / 'manifest.json').exists()


def test_an_interrupted_file_has_no_name_and_old_files_go(
    data: manifest.Manifest, made: target_files.Targets) -> None:
  folder = pathlib.Path(next(iter(made.files.values()))).parent
  old, shards = set(folder.iterdir()), data.splits['d_pre']
  other = {**_IDENTITY, 'data': 'new'}
  (folder / '.left.partial').touch()
  assert target_files.begin(folder, shards, other) == shards
  assert not list(folder.iterdir()) and len(old) == 3

  def rows():
    yield _codes(0, 2)
    raise KeyboardInterrupt

  path = target_files.path_of(folder, shards[0].file, other)
  with pytest.raises(KeyboardInterrupt):
    target_files.write_file(path, rows())
  assert not list(folder.iterdir())
  with pytest.raises(OSError, match='no such folder|No such file'):
    target_files.write_file(folder / 'none' / 'x', [_codes(0, 2)])
