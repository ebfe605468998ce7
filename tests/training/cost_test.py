"""Tests of earsr_tf.training.cost: counts by hand and of the paper's nets."""

from __future__ import annotations

import dataclasses

import pytest
import tensorflow as tf

from earsr_tf import presets
from earsr_tf.data import keys
from earsr_tf.stages import audio
from earsr_tf.stages import networks
from earsr_tf.stages import stage as stage_lib
from earsr_tf.training import cost

# Multiplications and additions of one image, in 1e9.
_FORWARD = {
    'image_encoder': (networks.image_encoder, [[128, 128, 3]], 14.26),
    'low_res_encoder': (networks.low_res_encoder, [[8, 8, 3]], 0.44),
    'audio_encoder': (networks.audio_encoder, [[257, 257, 1]], 23.32),
    'fusion': (networks.fusion, [[12, 512], [12, 512]], 0.30)}


def _forward(build, shapes: list[list[int]]) -> float:
  with tf.Graph().as_default():
    network = build(presets.get('paper').model)
    output = network(*[tf.compat.v1.placeholder(tf.float32, [1, *shape])
                       for shape in shapes])
    return cost.count_flop(cost.needed([output])) / 1e9


@pytest.mark.parametrize('name', list(_FORWARD))
def test_forward_pass_at_paper_size(name: str) -> None:
  build, shapes, expected = _FORWARD[name]
  assert _forward(build, shapes) == pytest.approx(expected, abs=0.005)


def test_generator_is_counted_with_fused_resampling() -> None:
  # 27.58 in convolutions; blurs and spread kernels add about 1 %.
  assert 27.58 < _forward(networks.generator, [[12, 512]]) < 28.0


class _Linear(tf.keras.Model):
  """[B, 4, 4, 3] -> [B, 5], trained or not."""

  def __init__(self) -> None:
    super().__init__()
    self.kernel = self.add_weight(name='kernel', shape=[48, 5])
    self.built = True

  def call(self, x: tf.Tensor) -> tf.Tensor:
    return tf.matmul(tf.reshape(x, [-1, 48]), self.kernel)


def _terms(model_networks, batch, clock):
  del clock
  hidden = model_networks['a'](batch[keys.IMAGE_HIGH])
  return {'x': tf.reduce_sum(tf.square(hidden), axis=1)}


def _stage(**changes: object) -> stage_lib.Stage:
  made = stage_lib.Stage(
      name='test', equation='', inputs=(keys.IMAGE_HIGH,), splits=(),
      build=lambda: {'a': _Linear(), 'b': _Linear()}, restores={},
      updates=(stage_lib.Update('u', ('a',), _terms, {'x': 1.0}),),
      phases=(stage_lib.Phase(4, 2, 8, 0, 1.0),
              stage_lib.Phase(4, 8, 8, 0, 1.0)),
      adam={'main': stage_lib.AdamConfig()})
  return dataclasses.replace(made, **changes)


def test_a_matrix_product_by_hand() -> None:
  made = cost.estimate(_stage(), 4)
  assert made.phase.batch_size == 8  # the costlier phase
  assert made.parameters == {'a': 240, 'b': 240}
  assert made.trained == 240
  # Forward and the kernel's gradient; nobody asks for that of the image.
  assert made.flop == {'u': 2 * (2 * 8 * 48 * 5)}
  # Kept: the flattened images [8, 48] and the product [8, 5].
  kept = made.memory.pop('activations')
  assert 4 * 8 * (48 + 5) <= kept <= 4 * 8 * (48 + 5 + 5) + 64
  assert made.memory == {
      'weights': 4 * 480, 'gradients': 4 * 240, 'optimizer': 8 * 240}


def test_micro_batches_keep_less_and_add_up_gradients() -> None:
  whole, sliced = cost.estimate(_stage(), 4), cost.estimate(
      _stage(), 4, micro_batch=3)  # 8 images in slices of 2
  assert sliced.memory['activations'] == whole.memory['activations'] // 4
  assert sliced.memory['gradients'] == 2 * whole.memory['gradients']
  assert sliced.flop == whole.flop


def test_lazy_updates_and_averages_count_their_share() -> None:
  update = _stage().updates[0]
  made = cost.estimate(_stage(
      updates=(dataclasses.replace(update, interval=4),),
      averages=('a',)), 4, batch_size=2)
  assert made.flop == {'u': 2 * (2 * 2 * 48 * 5) / 4}
  assert made.parameters['a_ema'] == 240
  assert made.memory['weights'] == 4 * 720
  assert made.to_json()['gflop_per_step'].keys() == {'u', 'total'}


def test_eq_4_at_paper_size_is_three_passes_of_e_a_and_two_of_e_h() -> None:
  config = presets.get('paper')
  made = cost.estimate(audio.stage(config), 128, batch_size=2)
  first = 2 * 129 * 129 * 64 * 16 / 1e9  # no gradient of the spectrogram
  expected = 2 * (3 * 23.3207 - first + 2 * 14.2606)
  assert made.flop['audio'] / 1e9 == pytest.approx(expected, rel=1e-3)
  assert made.trained == 402_613_120
  assert made.memory['optimizer'] == 8 * 402_613_120
  assert made.memory['gradients'] == 4 * 402_613_120
