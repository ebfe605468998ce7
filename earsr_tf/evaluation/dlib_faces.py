"""How far an output is from its original for dlib's face descriptor.

A judge that this project had no part in: King's ResNet, trained on 3 million
real faces, 99.38 % on LFW; two pictures whose descriptors are nearer than .6
count as one person. The face is found on the original, and its five landmarks
place it on all outputs: an output needs not look like a face to be judged. For
real faces only. The packages `dlib-bin` and `face-recognition-models` (extra
`judges`) hold program and weights.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib.util
import pathlib
from typing import Any

import numpy as np

from earsr_tf import config as config_lib

SAME = 0.6
PROTOCOL = (
    "dlib: distance of an output's face descriptor to its original's, the face "
    'placed by the landmarks of the original; "as one person": nearer than .6. '
    'Originals in which no face is found do not count.')
# An octave more, in which faces from 40 pixels on are found.
_ENLARGED = 1
_LANDMARKS = 5
_CODE = 128
_MODELS = ('shape_predictor_5_face_landmarks.dat',
           'dlib_face_recognition_resnet_model_v1.dat')


@dataclasses.dataclass(frozen=True)
class Originals:
  """Faces of N originals.

  Attributes:
    place: [N, 6, 2] int64: x and y of the five landmarks, then 1, 1; all 0
      where no face was found.
    code: [N, 128] float64; NaN where no face was found.
  """
  place: np.ndarray
  code: np.ndarray


def check_installed() -> None:
  """Raises ConfigError if a package is missing; loads nothing."""
  for name, package in (('dlib', 'dlib-bin'), (
      'face_recognition_models', 'face-recognition-models==0.3.0')):
    if importlib.util.find_spec(name) is None:
      raise config_lib.ConfigError(
          f'--descriptor=dlib: needs the package {package}; pip install '
          'dlib-bin face-recognition-models==0.3.0')


def find(image: np.ndarray) -> Originals:
  """Finds and describes the largest face of each original.

  Args:
    image: [B, S, S, 3] uint8.

  Returns:
    Their faces.

  Raises:
    ConfigError: If a package is missing.
  """
  place = np.zeros([len(image), _LANDMARKS + 1, 2], np.int64)
  detector, predictor, _ = _networks()
  for i, picture in enumerate(np.ascontiguousarray(image)):
    boxes = detector(picture, _ENLARGED)
    if boxes:
      shape = predictor(picture, max(boxes, key=lambda box: box.area()))
      place[i, :-1] = [[part.x, part.y] for part in shape.parts()]
      place[i, -1] = 1
  return Originals(place, _codes(image, place))


def score(image: np.ndarray, originals: Originals) -> dict[str, np.ndarray]:
  """Compares outputs with their originals.

  Args:
    image: [B, S, S, 3] uint8.
    originals: Faces of the B originals.

  Returns:
    `descriptor_distance` [B], 0 or more, and `descriptor_same`, whether it is
    below .6, as 0 or 1; NaN where the original shows no face.

  Raises:
    ConfigError: If a package is missing.
  """
  distance = np.linalg.norm(
      _codes(image, originals.place) - originals.code, axis=1)
  return {'descriptor_distance': distance,
          'descriptor_same': np.where(
              np.isnan(distance), np.nan, distance < SAME)}


def _codes(image: np.ndarray, place: np.ndarray) -> np.ndarray:
  """[B, 128] descriptors, NaN where there is no face."""
  import dlib
  codes = np.full([len(image), _CODE], np.nan)
  for i, picture in enumerate(np.ascontiguousarray(image)):
    if place[i].any():
      points = [dlib.point(int(x), int(y)) for x, y in place[i, :-1]]
      (left, top), (right, bottom) = (
          place[i, :-1].min(axis=0), place[i, :-1].max(axis=0))
      shape = dlib.full_object_detection(
          dlib.rectangle(int(left), int(top), int(right), int(bottom)), points)
      codes[i] = _networks()[2].compute_face_descriptor(picture, shape)
  return codes


@functools.cache
def _networks() -> tuple[Any, Any, Any]:
  """dlib's detector, landmarks and descriptor, made once."""
  check_installed()
  import dlib
  # Not imported: the package asks for pkg_resources, and warns.
  package = importlib.util.find_spec('face_recognition_models')
  folder = pathlib.Path(package.submodule_search_locations[0]) / 'models'
  landmarks, descriptor = (str(folder / name) for name in _MODELS)
  return (dlib.get_frontal_face_detector(), dlib.shape_predictor(landmarks),
          dlib.face_recognition_model_v1(descriptor))
