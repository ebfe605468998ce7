"""A checkpoint in the authors' names becomes a run folder that works."""

from __future__ import annotations

import json
import pathlib
import re

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import export
from earsr_tf import presets
from earsr_tf import super_resolve
from earsr_tf.evaluation import rows
from earsr_tf.media import reader
from earsr_tf.models import super_resolver
from earsr_tf.ops import pixels
from earsr_tf.serving import saved_model as serving_export
from earsr_tf.stages import networks as networks_lib
from earsr_tf.training import checkpoints
from tests import official_fakes
from tests import official_reference as reference
from tests import testing
from tools.official import layout
from tools.official import run_folder
from tools.official import weights as weights_lib

CONFIG = official_fakes.small_config()
NAMES = official_fakes.shapes(CONFIG.model)
TENSORS = official_fakes.fill(NAMES, seed=1)
# What a checkpoint may hold besides: an optimizer's slots and its counters.
SLOTS = {
    'LOW_RES_ENCODER//Conv/weights/Adam': np.zeros((3, 3, 3, 4), np.float32),
    'beta1_power': np.float32(0.5), 'global_step': np.int64(7)}


@pytest.fixture(name='prefix', scope='module')
def fixture_prefix(tmp_path_factory: pytest.TempPathFactory) -> str:
  """A checkpoint with three generators."""
  return official_fakes.write(
      str(tmp_path_factory.mktemp('official') / 'model-0'),
      {**TENSORS, **SLOTS})


@pytest.fixture(name='run_root', scope='module')
def fixture_run_root(
    prefix: str, tmp_path_factory: pytest.TempPathFactory) -> str:
  """The run folder made of it."""
  folder = tmp_path_factory.mktemp('imported') / 'runs'
  run_folder.write(prefix, str(folder), config=CONFIG)
  return str(folder)


@pytest.fixture(name='model', scope='module')
def fixture_model(run_root: str) -> super_resolver.SuperResolver:
  """What `earsr_tf.export` would write."""
  return serving_export.load(run_root)[0]


@pytest.fixture(name='inputs', scope='module')
def fixture_inputs() -> tuple[np.ndarray, np.ndarray]:
  """Two small images and two noisy hums of different loudness."""
  random = np.random.default_rng(5)
  image = random.integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
  time = np.arange(64000) / 16000
  hum = np.sin(2 * np.pi * np.array([[140.0], [220.0]]) * time)
  loudness = np.array([[0.02], [0.6]])
  waveform = loudness * (hum + 0.2 * random.normal(size=hum.shape))
  # As a file of 16 bit holds it.
  levels = np.clip(np.round(waveform * 32768), -32768, 32767)
  return image, (levels / 32768).astype(np.float32)


@pytest.fixture(name='expected', scope='module')
def fixture_expected(
    inputs: tuple[np.ndarray, np.ndarray]) -> dict[str, np.ndarray]:
  """The authors' codes and images, by the reference."""
  image, waveform = inputs
  low = reference.low_res_encoder(TENSORS, image / 127.5 - 1.0)
  audio = reference.audio_encoder(TENSORS, reference.spectrogram(waveform))
  fused = reference.fusion(TENSORS, low, audio)
  made = {'low': low, 'audio': audio, 'fused': fused}
  made = {name: code.reshape(2, 12, -1) for name, code in made.items()}
  # Of three copies of G the one with the highest suffix is the tuned one.
  made['w_plus'] = reference.mapping(TENSORS, 'G_mapping_2/', made['fused'])
  made['image'] = reference.synthesis(
      TENSORS, 'G_synthesis_2/', made['w_plus']).transpose(0, 2, 3, 1)
  return made


def test_codes_are_the_authors(
    model: super_resolver.SuperResolver,
    inputs: tuple[np.ndarray, np.ndarray],
    expected: dict[str, np.ndarray]) -> None:
  image, waveform = inputs
  codes = model.codes(pixels.to_float(tf.constant(image)), waveform)
  for name, code in codes.items():
    assert np.std(expected[name]) > 0.1, name
    np.testing.assert_allclose(code, expected[name], atol=1e-4, err_msg=name)
  # Each input matters, or wrong weights could hide.
  assert np.abs(expected['low'][0] - expected['low'][1]).mean() > 0.1
  assert np.abs(expected['audio'][0] - expected['audio'][1]).mean() > 0.01


def test_mapping_and_synthesis_are_the_authors(
    model: super_resolver.SuperResolver,
    expected: dict[str, np.ndarray]) -> None:
  z_plus = tf.constant(expected['fused'], tf.float32)
  np.testing.assert_allclose(
      model.generator.styles(z_plus), expected['w_plus'], atol=1e-4)
  image = model.generator(z_plus).numpy()
  assert np.std(expected['image']) > 0.5
  np.testing.assert_allclose(image, expected['image'], atol=1e-4)


def test_export_and_super_resolve_use_the_weights(
    run_root: str, inputs: tuple[np.ndarray, np.ndarray],
    expected: dict[str, np.ndarray], tmp_path: pathlib.Path) -> None:
  image, waveform = inputs
  (tmp_path / 'face.png').write_bytes(reader.encode_png(image[1]))
  samples = (waveform[1] * 32768).astype(np.int16)
  (tmp_path / 'voice.wav').write_bytes(reader.encode_wav(samples))
  export.run(run_root, str(tmp_path / 'models'))
  super_resolve.run(
      str(tmp_path / 'models'), str(tmp_path / 'face.png'),
      str(tmp_path / 'voice.wav'), str(tmp_path / 'out.png'), loudness='as_is')
  made = reader.read_image(str(tmp_path / 'out.png')).astype(int)
  levels = np.clip((expected['image'][1] / 2 + 0.5) * 255, 0, 255)
  assert made.shape == (128, 128, 3)
  assert np.abs(made - levels).max() <= 1.0


def test_every_name_is_used_once_or_listed_as_ignored(run_root: str) -> None:
  record = json.loads(
      (pathlib.Path(run_root) / run_folder.RECORD).read_text())
  scopes = ('G_mapping_2/', 'G_synthesis_2/', 'LOW_RES_ENCODER/',
            'AUDIO_SPECTROGRAM_ENCODER/', 'AUDIO_VISUAL_FUSER/')
  stored = {name.replace('//', '/') for name in [*TENSORS, *SLOTS]}
  idle = re.compile('/lod$|/noise[0-9]+$|/Adam$')
  used = {name for name in stored
          if name.startswith(scopes) and not idle.search(name)}
  assert set(record['used']) == used
  assert record['ignored'] == sorted(stored - used)
  assert record['absent'] == []
  assert record['copy'] == 'G_mapping_2, G_synthesis_2'


def test_evaluation_takes_the_rows_that_are_published(run_root: str) -> None:
  reconstructor = rows.load(run_root, 1)
  assert {'c', 'f0', 'x', 'h'} <= reconstructor.keys
  assert reconstructor.skipped == {
      'a': 'stage invert is not finished',
      'b': 'stage finetune holds no image_encoder',
      'd': 'stage audio is not finished'}


def test_paper_names_and_shapes_pair_up() -> None:
  model = presets.get('paper').model
  names = {name.replace('//', '/'): shape
           for name, shape in official_fakes.shapes(model).items()}
  weights = weights_lib.Weights(
      'paper', names, lambda name: np.zeros([]), 'look again')
  makers = (
      (networks_lib.generator, lambda g: layout.generator(
          g, 'G_mapping_2', 'G_synthesis_2'),
       ('G_mapping_2/', 'G_synthesis_2/'), 25843858),
      (networks_lib.low_res_encoder, layout.low_res_encoder,
       ('LOW_RES_ENCODER/',), 88744192),
      (networks_lib.audio_encoder, layout.audio_encoder,
       ('AUDIO_SPECTROGRAM_ENCODER/',), 402613120),
      (networks_lib.fusion, layout.fusion, ('AUDIO_VISUAL_FUSER/',),
       151013376))
  for build, slots_of, scopes, count in makers:
    with tf.Graph().as_default():  # allocates nothing
      network = build(model)
      slots = slots_of(network)
    assert weights_lib.check(slots, weights, 'it', scopes) == []
    variables = {slot.variable.ref() for slot in slots.values()}
    assert len(variables) == len(slots)
    assert variables == {v.ref() for v in network.trainable_variables}
    assert sum(int(np.prod(slot.shape)) for slot in slots.values()) == count


def test_fake_names_are_those_of_the_authors_graph() -> None:
  path = testing.shared_dir() / 'official_checkpoint_variables.txt'
  real = {}
  for line in path.read_text(encoding='utf-8').splitlines():
    if not line.startswith('#'):
      name, shape = re.fullmatch(r'(\S+) \[(.*)\] [T-]', line).groups()
      real[name] = tuple(int(s) for s in shape.split(',') if s)
  assert official_fakes.shapes(presets.get('paper').model) == real


def test_single_slashes_and_no_lod_or_noise_will_do(
    tmp_path: pathlib.Path) -> None:
  tensors = {
      name.replace('//', '/'): value for name, value in TENSORS.items()
      if not re.search('lod$|noise|dlatent|Noise', name)}
  prefix = official_fakes.write(str(tmp_path / 'model-0'), tensors)
  record = run_folder.write(
      prefix + '.index', str(tmp_path / 'runs'), config=CONFIG)
  assert len(record['absent']) == 12  # the strengths of the noise
  generator = networks_lib.generator(CONFIG.model)
  checkpoints.restore_networks(
      {'g': generator}, {'g': 'finetune/generator'}, str(tmp_path / 'runs'))
  np.testing.assert_array_equal(
      generator.mapping.dense_layers[3].kernel,
      TENSORS['G_mapping_2/Dense3/weight'])


def test_the_highest_suffix_is_a_number(tmp_path: pathlib.Path) -> None:
  tensors = dict(TENSORS)
  for name, value in TENSORS.items():
    if name.startswith(('G_mapping/', 'G_synthesis/')):
      tensors[re.sub('/', '_10/', name, count=1)] = value
  prefix = official_fakes.write(str(tmp_path / 'model-0'), tensors)
  record = run_folder.write(prefix, str(tmp_path / 'runs'), config=CONFIG)
  assert record['copy'] == 'G_mapping_10, G_synthesis_10'
