"""Tests of models/features.py."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf.models import discriminator
from earsr_tf.models import face_descriptor
from earsr_tf.models import features


def test_vgg16_reads_bgr_pixels_without_their_mean():
  tf.keras.utils.set_random_seed(0)
  network = features.VGG16Features(weights=None)
  image = tf.random.stateless_uniform([2, 32, 32, 3], [1, 2], -1.0, 1.0)
  maps = network(image)
  assert [m.shape.as_list() for m in maps] == [
      [2, 32, 32, 64], [2, 16, 16, 128], [2, 8, 8, 256], [2, 4, 4, 512]]
  pixels = tf.keras.applications.vgg16.preprocess_input(
      (image.numpy() + 1.0) * 127.5)
  expected = network.vgg(pixels)
  for ours, theirs in zip(maps, expected):
    np.testing.assert_allclose(ours * 127.5, theirs, rtol=1e-3, atol=1e-3)
  assert not network.trainable_variables


def test_vgg16_without_weights_names_the_flag(monkeypatch):
  with pytest.raises(ValueError, match='--set=invert.vgg16_weights=FILE'):
    features.VGG16Features(weights='/nowhere/vgg16.h5')

  def fail(**_):
    raise OSError('no route to host')

  monkeypatch.setattr(tf.keras.applications, 'VGG16', fail)
  with pytest.raises(ValueError, match=r'\(no route to host\).*Download'):
    features.VGG16Features()


def test_vgg16_loads_a_weights_file(tmp_path):
  source = tf.keras.applications.VGG16(include_top=False, weights=None)
  path = str(tmp_path / 'vgg16.h5')
  source.save_weights(path)
  network = features.VGG16Features(
      weights=path, layer_names=['block1_conv1'])
  np.testing.assert_array_equal(
      network.vgg.get_weights()[0], source.get_weights()[0])
  assert len(network(tf.zeros([1, 32, 32, 3]))) == 1


def test_discriminator_features_are_its_activations_and_frozen():
  trained = discriminator.Discriminator(
      image_size=64, fmap_base=64, fmap_max=4)
  network = features.DiscriminatorFeatures(
      discriminator=trained, resolution=32)
  image = tf.random.stateless_uniform([2, 64, 64, 3], [1, 2])
  small = tf.nn.avg_pool2d(image, 2, 2, 'VALID')
  for ours, theirs in zip(
      network(image), trained.activations(small, 32), strict=True):
    np.testing.assert_array_equal(ours, theirs)
  assert not network.trainable_variables
  with pytest.raises(ValueError, match='a multiple of 32'):
    network(tf.zeros([1, 16, 16, 3]))


def test_features_pass_gradients_to_the_image():
  trained = discriminator.Discriminator(
      image_size=16, fmap_base=64, fmap_max=4)
  network = features.DiscriminatorFeatures(discriminator=trained)
  image = tf.random.stateless_uniform([1, 16, 16, 3], [1, 2])
  with tf.GradientTape() as tape:
    tape.watch(image)
    loss = tf.add_n([tf.reduce_sum(m) for m in network(image)])
  assert np.abs(tape.gradient(loss, image)).max() > 0


def test_descriptor_features_are_maps_and_a_scaled_code():
  descriptor = face_descriptor.load(face_descriptor.FEATURES)
  network = features.DescriptorFeatures(descriptor=descriptor)
  image = tf.random.stateless_uniform([2, 128, 128, 3], [1, 2], -1.0, 1.0)
  found = network(image)
  assert [m.shape[1:] for m in found] == [
      [16, 16, 48], [8, 8, 96], [4, 4, 144], [1, 1, 256]]
  activations = descriptor.activations(image)
  for ours, index in zip(found, (2, 4, 6)):
    np.testing.assert_array_equal(ours, activations[index])
  code = activations[-1].numpy()
  np.testing.assert_allclose(
      found[-1][:, 0, 0], 16 * code / np.linalg.norm(code, axis=1)[:, None],
      rtol=1e-4)
  assert network(image[:, :32, :32])[-1].shape == [2, 1, 1, 256]
  assert not network.variables


def test_losses_and_judges_read_different_descriptors():
  image = tf.random.stateless_uniform([4, 64, 64, 3], [3, 4], -1.0, 1.0)
  codes = [face_descriptor.load(name)(image).numpy() for name in (
      face_descriptor.JUDGE, face_descriptor.FEATURES)]
  assert np.abs(codes[0] - codes[1]).mean() > 0.1
