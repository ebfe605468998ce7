"""An exported model to call from Python: a face and a voice make a face.

    import earsr_tf
    model = earsr_tf.load('serving_models')
    face = model.super_resolve('face.jpg', 'voice.m4a')

`python -m earsr_tf.super_resolve` is this behind flags. See docs/api.md.
"""

from __future__ import annotations

import functools
import os
import pathlib
from typing import Any, Mapping, Sequence
import warnings

import numpy as np

from earsr_tf import cli
from earsr_tf import environment
from earsr_tf import face_and_voice
from earsr_tf.media import reader
from earsr_tf.ops import consistency_mode
from earsr_tf.serving import export_manifest

Picture = face_and_voice.Picture
Sound = face_and_voice.Sound
NO_VOICE = ('there is no voice: the image alone makes the face (E_l and G, as '
            'with --strength=0)')
# Heard, and then given the weight 0.
_ANY_VOICE = np.tile([1e-3, -1e-3], face_and_voice.SEGMENT_SAMPLES // 2)
_BATCH = 16  # faces computed at a time, which bounds the memory


def load(folder: str | os.PathLike[str]) -> TrainedModel:
  """Opens an exported model after comparing its files with their sha256.

  TensorFlow and the weights are loaded when the first face is made.

  Args:
    folder: What `python -m earsr_tf.export` wrote: its newest version is
      used; or one version in it.

  Returns:
    The model.

  Raises:
    ExportError: If there is no model, or a file of it is damaged.
  """
  version = export_manifest.newest(folder)
  return TrainedModel(
      version=version, facts=export_manifest.verify(version))


class TrainedModel:
  """An exported model.

  Attributes:
    version: Folder of the version in use.
    facts: Its manifest: where the model comes from.
  """

  def __init__(
      self, *, version: pathlib.Path, facts: Mapping[str, Any]) -> None:
    """Takes a version folder and its verified manifest; see `load`."""
    self.version = version
    self.facts = facts

  def super_resolve(
      self, image: Picture | Sequence[Picture],
      audio: Sound | Sequence[Sound] | None = None, *,
      sample_rate_hz: int = reader.SAMPLE_RATE_HZ,
      offset: float | None = None, strength: float = 1.0,
      consistency: str | int = consistency_mode.OFF,
      loudness: str = face_and_voice.TRAINING,
      notice: face_and_voice.Notice = warnings.warn) -> np.ndarray:
    """Makes a face of a small one and a voice, or many of many.

    Args:
      image: Picture file, or [H, W, 3] uint8 RGB of any size: its centre
        square is reduced to the model's 8x8; 8x8 is taken as it is. For
        several: a list of these or [N, H, W, 3].
      audio: Sound or video file, or [n] int16, or [n] floating point in
        [-1, 1], one channel. For several: a list of these or [N, n]. One
        face or one voice beside several goes with all. None: no voice, the
        image alone makes the face, as with a `strength` of 0.
      sample_rate_hz: Of sounds in memory, in Hz; files know their own.
      offset: Where the 4 s that are used begin, in seconds; None takes the
        loudest. A shorter voice is repeated.
      strength: How much the voice counts, 0 to 1.5: 0 is the image alone
        (E_l's code), 1 the paper's F, more exaggerates.
      consistency: Fits the result to the 8x8 image: 'off', a number of
        back-projection steps, or 'exact'.
      loudness: 'training' brings a voice into the training data's range of
        loudness, 'as_is' leaves it.
      notice: Told, in a sentence, what was done to unusual inputs.

    Returns:
      [S, S, 3] uint8 RGB (S is 128), or [N, S, S, 3] for several.

    Raises:
      InputError: If an option, an array or a voice is unusable.
      MediaError: If a file is no usable picture or sound.
      ExportError: If the model lacks what `strength` needs.
      All are ValueErrors whose text is a sentence for people.
    """
    strength = self.check_voice(audio, strength)
    self.check_options(strength=strength, consistency=consistency)
    if audio is None:
      notice(NO_VOICE)
      audio = [_ANY_VOICE] if _is_several(image, 3) else _ANY_VOICE
      loudness, offset = face_and_voice.AS_IS, 0.0
    faces, voices = _listed(image, 3, 'image'), _listed(audio, 1, 'audio')
    is_one = not (_is_several(image, 3) or _is_several(audio, 1))
    count = _common_length(len(faces), len(voices))
    # A bad input is refused before TensorFlow loads, which takes seconds.
    face_and_voice.read_picture(faces[0][1], faces[0][0])
    waveforms = np.stack([
        face_and_voice.read_voice(
            voice, offset, notice, sample_rate_hz=sample_rate_hz, name=name,
            loudness=loudness)
        for name, voice in voices])
    made = self._compute(
        self._reduce(faces, notice), waveforms, count, strength,
        str(consistency))
    return made[0] if is_one else made

  def coder(self) -> Any:
    """The model in two steps, a `serving.codes.Coder`; loads TensorFlow.

    Raises:
      ExportError: If the model was exported by an earlier earsr_tf.
    """
    if not export_manifest.offers(self.facts, export_manifest.RENDER):
      raise export_manifest.ExportError(
          f'{self.version} was exported by an earlier earsr_tf, which made no '
          'films; export again')
    functions = self._signatures
    from earsr_tf.serving import codes
    return codes.Coder(functions=functions)

  def reduce(self, frames: Sequence[np.ndarray]) -> np.ndarray:
    """Square frames, [S, S, 3] uint8 of any size -> [n, s, s, 3] uint8."""
    return self._reduce([('frame', frame) for frame in frames], lambda _: None)

  def check_voice(self, audio: Any, strength: float) -> float:
    """Returns the strength that is used; without a voice it is 0.

    Raises:
      InputError: If there is no voice for a strength.
      ExportError: If the model has no signature for the image alone.
    """
    if audio is not None:
      return strength
    if strength not in (0.0, 1.0):
      raise cli.InputError(
          f'--strength={strength:g}: says how much the voice counts, but there '
          'is none; give --audio', cli.USAGE)
    if not export_manifest.offers(
        self.facts, export_manifest.SUPER_RESOLVE_STRENGTH):
      raise export_manifest.ExportError(
          f'{self.version} was exported by an earlier earsr_tf and needs a '
          'voice; give --audio, or export again')
    return 0.0

  def check_options(self, *, strength: float = 1.0,
                    consistency: str | int = consistency_mode.OFF) -> None:
    """Refuses options that do not fit this model; loads nothing.

    Raises:
      InputError: If a value is none, or the model corrects its output itself.
      ConfigError: If the model reads stretched pictures.
      ExportError: If the model has no signature for another strength.
    """
    mode = str(consistency)
    if not 0.0 <= strength <= export_manifest.MAX_STRENGTH:
      raise cli.InputError(
          f'--strength={strength:g}: must lie between 0 (the image alone) and '
          f'{export_manifest.MAX_STRENGTH}; 1 is the paper', cli.USAGE)
    try:
      consistency_mode.check(mode)
    except ValueError as error:
      raise cli.InputError(
          f'--consistency={mode}: {error}', cli.USAGE) from None
    consistency_mode.check_stretch(
        mode, self.facts.get('low_res_stretch', False))
    built_in = self.facts.get('consistency', consistency_mode.OFF)
    if consistency_mode.OFF not in (built_in, mode):
      raise cli.InputError(
          f'--consistency={mode}: {self.version} was exported with '
          f'--consistency={built_in} and corrects its output itself; leave '
          'it out, or export the model with --consistency=off', cli.USAGE)
    if strength != 1.0 and not export_manifest.offers(
        self.facts, export_manifest.SUPER_RESOLVE_STRENGTH):
      raise export_manifest.ExportError(
          f'--strength={strength:g}: {self.version} was exported by an earlier '
          'earsr_tf and knows the strength 1 only; export again')

  @functools.cached_property
  def _signatures(self) -> dict[str, Any]:
    """All signatures; loads TensorFlow and the weights."""
    environment.load_tensorflow()
    from earsr_tf.serving import signatures
    return signatures.load_all(str(self.version))

  def _reduce(self, faces: Sequence[tuple[str, Picture]],
              notice: face_and_voice.Notice) -> np.ndarray:
    """Named pictures -> [n, s, s, 3] uint8; one is in memory at a time."""
    function = self._signatures[export_manifest.SUPER_RESOLVE]
    from earsr_tf.serving import signatures
    low_size, high_size = signatures.sides(function)
    stretch = self.facts.get('low_res_stretch', False)
    return np.stack([
        face_and_voice.reduce_picture(
            face_and_voice.read_picture(face, name), low_size, high_size,
            notice, name=name, stretch=stretch)
        for name, face in faces])

  def _compute(self, image_low: np.ndarray, waveform: np.ndarray, count: int,
               strength: float, consistency: str) -> np.ndarray:
    """[N or 1, s, s, 3] and [N or 1, 64000] -> [N, S, S, 3] uint8."""
    import tensorflow as tf

    from earsr_tf.ops import consistency as consistency_lib
    image_low = np.broadcast_to(image_low, (count, *image_low.shape[1:]))
    waveform = np.broadcast_to(waveform, (count, waveform.shape[1]))
    name, made = export_manifest.SUPER_RESOLVE, []
    if strength != 1.0:
      name = export_manifest.SUPER_RESOLVE_STRENGTH
    for first in range(0, count, _BATCH):
      low = tf.constant(image_low[first:first + _BATCH])
      inputs = {'image_low': low,
                'waveform': tf.constant(waveform[first:first + _BATCH])}
      if strength != 1.0:
        inputs['voice_strength'] = tf.fill(
            [len(low)], tf.constant(strength, tf.float32))
      high = self._signatures[name](**inputs)['image_high']
      made.append(
          consistency_lib.correct_uint8(high, low, consistency).numpy())
    return np.concatenate(made)


def _is_several(value: Any, ndim: int) -> bool:
  """Whether a value is a list of items, or an array of arrays of `ndim`."""
  if isinstance(value, np.ndarray):
    return value.ndim == ndim + 1
  return not isinstance(value, (str, os.PathLike))


def _listed(value: Any, ndim: int, name: str) -> list[tuple[str, Any]]:
  """(name, item) of one or several; a file is called by its path."""
  items, several = [value], _is_several(value, ndim)
  if several:
    try:
      items = list(value)
    except TypeError:
      raise cli.InputError(
          f'{name}: is of type {type(value).__name__}; give a file, an array, '
          'or a list of these', cli.USAGE) from None
  named = []
  for number, item in enumerate(items):
    if isinstance(item, (str, os.PathLike)):
      named.append((os.fspath(item), item))
    elif isinstance(item, np.ndarray):
      named.append((f'{name}[{number}]' if several else name, item))
    else:
      raise cli.InputError(
          f'{name}[{number}]: is of type {type(item).__name__}; give a file or '
          'a NumPy array', cli.USAGE)
  return named


def _common_length(faces: int, voices: int) -> int:
  """How many results there are; one beside several goes with all."""
  if not faces or not voices:
    raise cli.InputError(
        f'there are {faces} faces and {voices} voices; give at least one of '
        'each', cli.USAGE)
  if faces != voices and 1 not in (faces, voices):
    raise cli.InputError(
        f'there are {faces} faces and {voices} voices; give as many of '
        'each, or a single one', cli.USAGE)
  return max(faces, voices)
