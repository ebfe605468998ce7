"""earsr_tf.load: the command's faces, from files or arrays, one or many."""

from __future__ import annotations

import json
import pathlib
import shutil

import numpy as np
from PIL import Image
import pytest
import tensorflow as tf

import earsr_tf
from earsr_tf import cli
from earsr_tf import config as config_lib
from earsr_tf import super_resolve
from earsr_tf import trained_model
from earsr_tf.evaluation import metrics
from earsr_tf.media import reader
from earsr_tf.models import super_resolver
from earsr_tf.serving import export_manifest
from earsr_tf.serving import saved_model
from earsr_tf.serving import signatures


def _picture(seed: int, size: int = 160) -> np.ndarray:
  """Smooth colours, [size, size, 3] uint8."""
  few = np.random.default_rng(seed).integers(40, 200, [5, 5, 3], np.uint8)
  return np.asarray(Image.fromarray(few).resize((size, size)))


def _sound(hertz: float) -> np.ndarray:
  """4 s of a hum, [64000] int16."""
  time = np.arange(64_000) / reader.SAMPLE_RATE_HZ
  return (9000 * np.sin(2.0 * np.pi * hertz * time)).astype(np.int16)


def _difference(one: np.ndarray, other: np.ndarray) -> int:
  """The largest difference in levels."""
  assert one.shape == other.shape
  return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.fixture(scope='module', name='networks')
def _networks(run_root: str) -> super_resolver.SuperResolver:
  """Random networks in which the voice counts; F begins as the identity."""
  networks, _ = saved_model.load(run_root)
  head = networks.audio_encoder.head
  head.kernel.assign(100.0 * head.kernel)
  kernel = networks.fusion.dense_layers[-1].kernel
  kernel.assign(np.random.default_rng(0).normal(size=kernel.shape))
  return networks


@pytest.fixture(scope='module', name='loaded')
def _loaded(
    networks: super_resolver.SuperResolver,
    tmp_path_factory: pytest.TempPathFactory) -> trained_model.TrainedModel:
  """These networks exported and opened."""
  folder = tmp_path_factory.mktemp('lively')
  saved_model.save(networks, 8, str(folder), {})
  return earsr_tf.load(folder)


def test_it_is_what_the_command_writes(
    loaded: trained_model.TrainedModel, tmp_path: pathlib.Path) -> None:
  (tmp_path / 'face.png').write_bytes(reader.encode_png(_picture(0)))
  (tmp_path / 'voice.wav').write_bytes(reader.encode_wav(_sound(150)))
  super_resolve.run(
      str(loaded.version), str(tmp_path / 'face.png'),
      str(tmp_path / 'voice.wav'), str(tmp_path / 'out.png'), strength=0.5,
      consistency='1')
  written = np.asarray(Image.open(tmp_path / 'out.png'))
  options = {'strength': 0.5, 'consistency': 1}
  of_files = loaded.super_resolve(
      tmp_path / 'face.png', str(tmp_path / 'voice.wav'), **options)
  assert (of_files.shape, of_files.dtype) == ((128, 128, 3), np.uint8)
  np.testing.assert_array_equal(of_files, written)
  of_arrays = loaded.super_resolve(_picture(0), _sound(150), **options)
  np.testing.assert_array_equal(of_arrays, written)


def test_batches_are_what_single_ones_are(
    loaded: trained_model.TrainedModel,
    monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.setattr(trained_model, '_BATCH', 2)
  faces = [_picture(n, size) for n, size in enumerate((160, 128, 8))]
  voices = [_sound(hertz) for hertz in (120, 180, 240)]
  single = np.stack([
      loaded.super_resolve(*pair) for pair in zip(faces, voices)])
  assert _difference(loaded.super_resolve(faces, voices), single) <= 1
  low = np.concatenate([metrics.degrade_uint8(
      reader.centre_square(face, 128)[np.newaxis], 8)
                        for face in faces[:2]] + [faces[2][np.newaxis]])
  waveforms = np.stack(voices).astype(np.float32) / 32768
  assert _difference(loaded.super_resolve(low, waveforms), single) <= 1


def test_one_beside_several_goes_with_all(
    loaded: trained_model.TrainedModel) -> None:
  faces = [_picture(n) for n in (1, 2)]
  made = loaded.super_resolve(faces, _sound(150))
  for face, one in zip(faces, made, strict=True):
    assert _difference(loaded.super_resolve(face, _sound(150)), one) <= 1
  assert loaded.super_resolve(
      [faces[0]], [_sound(150)]).shape == (1, 128, 128, 3)
  assert loaded.super_resolve(
      faces[0], [_sound(150), _sound(200), _sound(250)]).shape[0] == 3


def test_strength_blends_the_codes(
    loaded: trained_model.TrainedModel,
    networks: super_resolver.SuperResolver) -> None:
  low = _picture(3, 8)[np.newaxis]
  waveform = _sound(150)[np.newaxis].astype(np.float32) / 32768
  codes = networks.codes(
      tf.cast(low, tf.float32) / 127.5 - 1.0, tf.constant(waveform))
  made = []
  for strength in (0.0, 0.4, 1.0, 1.5):
    code = networks.normalize_code(
        codes['low'] + strength * (codes['fused'] - codes['low']))
    expected = tf.cast(tf.clip_by_value(tf.round(
        (networks.generator(code) + 1.0) * 127.5), 0, 255), tf.uint8).numpy()
    made.append(loaded.super_resolve(
        low, waveform, strength=strength, loudness='as_is'))
    assert _difference(made[-1], expected) <= 1, strength
  # Else the above shows nothing.
  assert min(_difference(made[0], other) for other in made[1:]) > 5


def test_the_image_alone_knows_no_voice(
    loaded: trained_model.TrainedModel) -> None:
  face = _picture(4)
  of_one, of_other = (loaded.super_resolve(
      face, _sound(hertz), strength=0) for hertz in (100, 1000))
  np.testing.assert_array_equal(of_one, of_other)
  plain = loaded.super_resolve(face, _sound(100))
  assert _difference(of_one, plain) > 2  # else the test shows nothing


def test_without_a_voice_the_image_is_alone(
    loaded: trained_model.TrainedModel) -> None:
  faces, notices = np.stack([_picture(4), _picture(5)]), []
  alone = loaded.super_resolve(faces, notice=notices.append)
  np.testing.assert_array_equal(
      alone, loaded.super_resolve(faces, _sound(100), strength=0))
  assert notices == [trained_model.NO_VOICE]
  one = loaded.super_resolve(faces[0], notice=notices.append)
  assert one.ndim == 3 and _difference(one, alone[0]) <= 1


@pytest.fixture(scope='module', name='functions')
def _functions(loaded: trained_model.TrainedModel) -> dict:
  """The signatures of the export."""
  return signatures.load_all(str(loaded.version))


@pytest.mark.parametrize('strength', [-0.1, 1.6, float('nan')])
def test_the_graph_refuses_a_strength(
    functions: dict, strength: float) -> None:
  with pytest.raises(tf.errors.InvalidArgumentError, match='between 0 and 1.5'):
    functions['super_resolve_strength'](
        image_low=tf.zeros([2, 8, 8, 3], tf.uint8),
        waveform=tf.zeros([2, 64_000]),
        voice_strength=tf.constant([1.0, strength]))


def test_consistency_fits_the_small_picture(
    loaded: trained_model.TrainedModel) -> None:
  low = _picture(5, 8)
  errors = [metrics.lr_consistency(
      loaded.super_resolve(low, _sound(150), consistency=mode)[np.newaxis],
      low[np.newaxis])[0] for mode in ('off', 2, 'exact')]
  assert errors[0] > errors[1] > errors[2] and errors[2] < 0.1


@pytest.mark.parametrize('options, words', [
    ({'strength': 2}, '--strength=2: must lie between 0'),
    ({'strength': float('nan')}, '--strength=nan: must lie between 0'),
    ({'consistency': 0}, "--consistency=0: '0' is not off, exact, or a num"),
    ({'consistency': 'sharp'}, "--consistency=sharp: 'sharp' is not off"),
    ({'offset': -1}, '--offset=-1: must lie between 0 and 600 seconds'),
    ({'image': []}, 'there are 0 faces and 1 voices; give at least one'),
    ({'image': ['a'] * 2, 'audio': ['b'] * 3}, 'give as many of each, or a'),
    ({'image': 3}, 'image: is of type int; give a file, an array, or a list'),
    ({'image': [[1]]}, r'image\[0\]: is of type list; give a file or a NumPy'),
    ({'image': 'absent.png'}, 'absent.png: no such file'),
    ({'image': [_picture(0), _picture(0).astype(float)]},
     r'image\[1\]: is \[160, 160, 3\] float64'),
    ({'audio': 'absent.wav'}, 'absent.wav: no such file'),
    ({'audio': np.zeros([2, 64000], np.int16)}, r'audio\[0\]: is silent'),
])
def test_what_is_unusable_is_a_sentence(
    loaded: trained_model.TrainedModel, options: dict, words: str) -> None:
  arguments = {'image': _picture(0), 'audio': _sound(150), **options}
  with pytest.raises(ValueError, match=words) as error:
    loaded.super_resolve(**arguments)
  assert cli.exit_code(error.value) in (1, 65, 66)


def test_unusual_inputs_are_told(loaded: trained_model.TrainedModel) -> None:
  notices = []
  loaded.super_resolve(
      _picture(0)[:, :100], [_sound(150)[:40_000]], notice=notices.append)
  assert [n.split(';')[0] for n in notices] == [
      'audio[0]: has 2.50 s of sound, repeated to fill 4 s',
      'image: has 100x160 pixels']
  with pytest.warns(UserWarning, match='repeated to fill 4 s'):
    loaded.super_resolve(_picture(0), _sound(150)[:40_000])


def test_damaged_and_missing_models_are_refused(
    model: str, tmp_path: pathlib.Path) -> None:
  with pytest.raises(export_manifest.ExportError, match='earsr_tf.export'):
    earsr_tf.load(tmp_path / 'absent')
  copy = tmp_path / 'model'
  shutil.copytree(model, copy)
  (copy / '1' / 'saved_model.pb').write_bytes(b'x')
  with pytest.raises(export_manifest.ExportError, match=r'saved_model\.pb: di'):
    earsr_tf.load(copy)


def test_models_that_lack_or_forbid_an_option(
    model: str, tmp_path: pathlib.Path) -> None:
  copy = tmp_path / 'model'
  shutil.copytree(export_manifest.newest(model), copy)
  path = copy / 'manifest.json'
  facts = json.loads(path.read_text())
  assert facts.pop('signatures') == sorted(export_manifest.SIGNATURES)
  path.write_text(json.dumps(facts))
  old = earsr_tf.load(copy)
  old.check_options(strength=1)
  with pytest.raises(export_manifest.ExportError, match='knows the strength 1'):
    old.check_options(strength=0.5)
  path.write_text(json.dumps(facts | {'low_res_stretch': True}))
  with pytest.raises(config_lib.ConfigError, match='changed contrast'):
    earsr_tf.load(copy).check_options(consistency='exact')
