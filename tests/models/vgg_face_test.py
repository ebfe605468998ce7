"""VGG-Face read from files as others write them computes what Keras does."""

from __future__ import annotations

import pathlib

import h5py
import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.models import vgg_face
from tests import vgg_face_files

IMAGE = np.random.default_rng(0).uniform(
    -1.0, 1.0, size=(18, 32, 32, 3)).astype(np.float32)  # more than go at once


def _network(path: pathlib.Path, *, subtracts_mean: bool,
             outputs: int | None = None) -> vgg_face.VGGFace:
  return vgg_face.VGGFace(
      layers=vgg_face.read(str(path), '--x', outputs),
      subtracts_mean=subtracts_mean)


@pytest.mark.parametrize('has_top', [True, False])
def test_keras_vggface(has_top: bool, tmp_path: pathlib.Path) -> None:
  path = tmp_path / 'vggface.h5'
  keras = vgg_face_files.keras_vggface(path, has_top)
  found = _network(path, subtracts_mean=True)(tf.constant(IMAGE))
  wanted = keras(vgg_face_files.bgr(IMAGE, subtracts_mean=True)).numpy()
  if not has_top:
    wanted = wanted.mean(axis=(1, 2))
  assert np.std(wanted, axis=0).max() > 1e-3
  np.testing.assert_allclose(
      found['features'], wanted, rtol=1e-3, atol=1e-3 * wanted.max())
  assert ('probabilities' in found) == has_top


def test_deepface(tmp_path: pathlib.Path) -> None:
  path = tmp_path / 'age_model_weights.h5'
  keras = vgg_face_files.deepface(path, 101)
  found = _network(path, subtracts_mean=False, outputs=101)(
      tf.constant(IMAGE))['probabilities'].numpy()
  wanted = keras(vgg_face_files.bgr(IMAGE, subtracts_mean=False)).numpy()
  assert np.abs(wanted[0] - wanted[1]).max() > 1e-5
  np.testing.assert_allclose(found, wanted, rtol=1e-3)
  np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-5)


def _edited(path: pathlib.Path, edit: str) -> None:
  with h5py.File(path, 'r+') as file:
    names = list(file['conv3_2'].attrs['weight_names'])
    if edit == 'shape':
      del file['conv3_2'][names[0]]
      file['conv3_2'][names[0]] = np.zeros((3, 3, 4, 9), np.float32)
    elif edit == 'huge':
      del file['conv3_2'][names[0]]
      file['conv3_2'].create_dataset(
          names[0], (3, 3, 2 ** 20, 2 ** 20), np.float32, chunks=(1, 1, 9, 9))
    elif edit == 'text':
      del file['conv3_2'][names[1]]
      file['conv3_2'][names[1]] = 'text'
    elif edit == 'missing':
      file.attrs['layer_names'] = [
          name for name in file.attrs['layer_names'] if name != 'conv3_2']
    elif edit == 'nan':
      file['conv3_2'][names[1]][...] = np.nan
    else:
      del file.attrs['layer_names']


@pytest.mark.parametrize('edit, message', [
    ('shape', r'layer 6 is \[3, 3, 4, 9\] and not \[3, 3, 4, 4\]'),
    ('huge', 'layer conv3_2 is not a kernel and a bias'),
    ('text', 'layer conv3_2 is not a kernel and a bias'),
    ('missing', 'it has 15 layers and not 16'),
    ('nan', 'not finite'), ('names', 'it has no layer_names')])
def test_other_files_are_refused(
    edit: str, message: str, tmp_path: pathlib.Path) -> None:
  path = tmp_path / 'vggface.h5'
  vgg_face_files.keras_vggface(path)
  _edited(path, edit)
  with pytest.raises(config_lib.ConfigError, match=message) as error:
    vgg_face.read(str(path), '--vgg_face')
  assert str(error.value).startswith(f'--vgg_face={path}: ')


def test_a_head_of_another_width_no_top_and_no_file_are_refused(
    tmp_path: pathlib.Path) -> None:
  path = tmp_path / 'vggface.h5'
  vgg_face_files.keras_vggface(path)
  with pytest.raises(config_lib.ConfigError, match='5 outputs and not 101'):
    vgg_face.read(str(path), '--age_weights', 101)
  vgg_face_files.keras_vggface(path, has_top=False)
  with pytest.raises(config_lib.ConfigError, match='13 layers and not 16'):
    vgg_face.read(str(path), '--age_weights', 101)
  path.write_bytes(b'no file of HDF5')
  with pytest.raises(config_lib.ConfigError, match='no usable VGG-Face'):
    vgg_face.read(str(path), '--age_weights', 101)
  with pytest.raises(config_lib.ConfigError, match='no such file'):
    vgg_face.read(str(tmp_path / 'none.h5'), '--age_weights', 101)
