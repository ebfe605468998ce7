"""A StyleGAN pickle is read as data; a hostile one is refused by name."""

from __future__ import annotations

import builtins
import io
import os
import pathlib
import pickle
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.stages import networks as networks_lib
from earsr_tf.training import checkpoints
from tests import official_fakes
from tests import official_reference as reference
from tests import stylegan_pickles
from tools.official import run_folder
from tools.official import snapshot
from tools.official import weights as weights_lib

CONFIG = official_fakes.small_config()
MODEL = CONFIG.model


@pytest.fixture(name='dnnlib', autouse=True)
def fixture_dnnlib(monkeypatch: pytest.MonkeyPatch) -> None:
  """Lets the pickles of `stylegan_pickles` be written."""
  stylegan_pickles.install(monkeypatch)


def _generator(seed: int, **static_kwargs: Any) -> stylegan_pickles.Network:
  return stylegan_pickles.generator(MODEL, seed, **static_kwargs)


def _discriminator() -> stylegan_pickles.Network:
  return stylegan_pickles.discriminator(MODEL)


_pickle = stylegan_pickles.dump


def _read(tmp_path: pathlib.Path, data: bytes) -> snapshot.Snapshot:
  path = tmp_path / 'snapshot.pkl'
  path.write_bytes(data)
  return snapshot.read(str(path))


@pytest.mark.parametrize('protocol', [2, 4, 5])
def test_names_and_values_come_through(
    protocol: int, tmp_path: pathlib.Path) -> None:
  networks = (_generator(1), _discriminator(), _generator(3))
  if protocol == 2:  # NumPy needs codecs there, which are not let in
    with pytest.raises(weights_lib.WeightsError, match='_codecs.encode'):
      _read(tmp_path, _pickle(networks, protocol))
    return
  read = _read(tmp_path, _pickle(networks, protocol))
  for mine, theirs in (
      (read.discriminator, networks[1].state['variables']),
      (read.generator_ema, networks[2].state['variables'])):
    for name, value in theirs:
      np.testing.assert_array_equal(mine.read(name), value, err_msg=name)
      assert mine.shapes[name] == np.shape(value)
  synthesis = dict(
      networks[2].state['components']['synthesis'].state['variables'])
  np.testing.assert_array_equal(
      read.generator_ema.read('synthesis/8x8/Conv1/weight'),
      synthesis['8x8/Conv1/weight'])
  assert len(read.generator.shapes) == len(synthesis) + 16 + 2


def test_stage_generator_computes_what_the_authors_networks_do(
    tmp_path: pathlib.Path) -> None:
  networks = (_generator(1), _discriminator(), _generator(3))
  (tmp_path / 'snapshot.pkl').write_bytes(_pickle(networks))
  prefix = official_fakes.write(
      str(tmp_path / 'model-0'),
      official_fakes.fill(official_fakes.shapes(MODEL), seed=1))
  run_root = str(tmp_path / 'runs')
  run_folder.write(prefix, run_root, str(tmp_path / 'snapshot.pkl'), CONFIG)
  generator = networks_lib.generator(MODEL)
  discriminator = networks_lib.discriminator(MODEL)
  checkpoints.restore_networks(
      {'g': generator, 'd': discriminator},
      {'g': 'generator/generator_ema', 'd': 'generator/discriminator'},
      run_root)
  z_plus = np.random.default_rng(0).normal(size=(2, 12, 8))
  parts = networks[2].state['components']
  w_plus = reference.mapping(
      dict(parts['mapping'].state['variables']), '', z_plus)
  image = reference.synthesis(
      dict(parts['synthesis'].state['variables']), '', w_plus)
  np.testing.assert_allclose(
      generator(tf.constant(z_plus, tf.float32)),
      image.transpose(0, 2, 3, 1), atol=1e-3)
  np.testing.assert_array_equal(generator.w_avg, np.full(8, 3.0))
  score = reference.discriminator(
      dict(networks[1].state['variables']), image)
  assert np.abs(score[0] - score[1]) > 0.01
  np.testing.assert_allclose(
      discriminator(tf.constant(image.transpose(0, 2, 3, 1), tf.float32)),
      score, atol=1e-3)


class _Call:
  """Pickles as a call."""

  def __init__(self, function: Any, *arguments: Any) -> None:
    self._call = (function, arguments)

  def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
    return self._call


def _persistent() -> bytes:
  class Pickler(pickle.Pickler):
    """Refers to floats by a name outside of the file."""

    def persistent_id(self, obj: Any) -> str | None:
      return 'the outside' if isinstance(obj, float) else None

  stream = io.BytesIO()
  Pickler(stream, protocol=4).dump((1.5,))
  return stream.getvalue()


def _nested(mark: str) -> bytes:
  return _pickle((
      _generator(1), _discriminator(),
      _generator(3, kwargs=[{'a': (_Call(os.system, f'touch {mark}'),)}])))


_HOSTILE = {
    'system': (lambda m: _pickle(_Call(os.system, f'touch {m}')),
               'posix.system'),
    'eval': (lambda m: _pickle(_Call(builtins.eval, f'open({m!r}, "w")')),
             'builtins.eval'),
    'nested': (_nested, 'posix.system'),
    'getattr': (lambda m: _pickle(_Call(
        getattr, _Call(__import__, 'os'), 'system')), 'builtins.getattr'),
    'dotted': (lambda m: b'\x80\x04\x8c\x0bcollections\x8c\x15OrderedDict'
               b'.__class__\x93.', 'collections.OrderedDict.__class__'),
    'old opcode': (lambda m: b'(S"touch %s"\nios\nsystem\n.' % m.encode(),
                   'os.system'),
    'a path in NumPy': (lambda m: b'cnumpy.core.multiarray\nos.system\n.',
                        'numpy.core.multiarray.os.system'),
    'persistent': (lambda m: _persistent(), "persistent object 'the outside'"),
    'odd name': (lambda m: b'\x80\x04\x8c\x03a\nb\x8c\x04\xc3\xa9\n.\x93.',
                 r'a\\nb.\\xe9\\n\.'),
}


@pytest.mark.parametrize('kind', _HOSTILE)
def test_hostile_pickles_are_refused_by_name(
    kind: str, tmp_path: pathlib.Path) -> None:
  make, name = _HOSTILE[kind]
  mark = tmp_path / 'mark'
  with pytest.raises(weights_lib.WeightsError, match=name) as error:
    _read(tmp_path, make(str(mark)))
  assert 'snapshot.pkl: refused' in str(error.value)
  assert '\n' not in str(error.value)
  assert not mark.exists()


_NETWORK = b'\x80\x02cdnnlib.tflib.network\nNetwork\n'
_SLOT_STATE = b'N}X\x05\x00\x00\x00stateK\x01s\x86b.'
_USELESS = {
    'not a pickle': b'PK\x03\x04 and so on',
    'empty': b'',
    'cut': None,
    'another object': pickle.dumps([1, 2, 3]),
    'three numbers': pickle.dumps((1, 2, 3)),
    'changes a class': _NETWORK + _SLOT_STATE,
    'changes a known class': b'\x80\x02cnumpy\nndarray\n' + _SLOT_STATE,
    'changes dict': b'\x80\x02ccollections\nOrderedDict\n' + _SLOT_STATE,
    'reserves 34 GB': b'\x80\x02Nr\xff\xff\xff\x7f.',
    'extension': b'\x80\x02\x82\x01.',
}


@pytest.mark.parametrize('kind', _USELESS)
def test_other_files_are_no_snapshots(
    kind: str, tmp_path: pathlib.Path) -> None:
  data = _USELESS[kind]
  if data is None:
    data = _pickle((_generator(1), _discriminator(), _generator(3)))[:9000]
  with pytest.raises(weights_lib.WeightsError, match='no StyleGAN snapshot'):
    _read(tmp_path, data)
  assert not hasattr(dict, 'state')


def test_arrays_of_objects_are_refused(tmp_path: pathlib.Path) -> None:
  for value in (np.array([{}], object), np.arange(3), 'text'):
    bad = stylegan_pickles.Network('D', {'lod': value}, {})
    with pytest.raises(weights_lib.WeightsError, match='a variable is'):
      _read(tmp_path, _pickle((bad, bad, bad)))


def test_a_network_inside_itself_is_refused(tmp_path: pathlib.Path) -> None:
  bad = stylegan_pickles.Network('G', {}, {})
  bad.state['components']['mapping'] = bad
  with pytest.raises(weights_lib.WeightsError, match='nested too deeply'):
    _read(tmp_path, _pickle((bad, bad, bad)))


def test_a_missing_file_says_so(tmp_path: pathlib.Path) -> None:
  with pytest.raises(weights_lib.WeightsError, match='no such file') as error:
    snapshot.read(str(tmp_path / 'none.pkl'))
  assert error.value.exit_code == 66
