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
ANY_VOICE = np.tile([1e-3, -1e-3], face_and_voice.SEGMENT_SAMPLES // 2)
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
      several = face_and_voice.is_several(image, 3)
      audio = [ANY_VOICE] if several else ANY_VOICE
      loudness, offset = face_and_voice.AS_IS, 0.0
    faces = face_and_voice.listed(image, 3, 'image')
    voices = face_and_voice.listed(audio, 1, 'audio')
    is_one = not (face_and_voice.is_several(image, 3)
                  or face_and_voice.is_several(audio, 1))
    count = face_and_voice.common_length(len(faces), len(voices))
    # A bad input is refused before TensorFlow loads, which takes seconds.
    face_and_voice.read_picture(faces[0][1], faces[0][0])
    waveforms = np.stack([
        face_and_voice.read_voice(
            voice, offset, notice, sample_rate_hz=sample_rate_hz, name=name,
            loudness=loudness)
        for name, voice in voices])
    low = np.stack([
        self.reduce(face, notice, name=name) for name, face in faces])
    made = self.compute(
        np.broadcast_to(low, (count, *low.shape[1:])),
        np.broadcast_to(waveforms, (count, waveforms.shape[1])),
        strength=strength, consistency=consistency)
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
    functions = self.signatures
    from earsr_tf.serving import codes
    return codes.Coder(functions=functions)

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
  def signatures(self) -> dict[str, Any]:
    """All signatures; the first use loads TensorFlow and the weights."""
    environment.load_tensorflow()
    from earsr_tf.serving import signatures
    return signatures.load_all(str(self.version))

  def reduce(self, image: Picture, notice: face_and_voice.Notice, *,
             name: str = 'image') -> np.ndarray:
    """Makes the model's small picture of one, as `super_resolve` does.

    Threads may call it at a time once `signatures` are loaded.

    Args:
      image: Picture file, or [H, W, 3] uint8 RGB.
      notice: Told what was done to it.
      name: Of it, in notices and errors.

    Returns:
      [s, s, 3] uint8.

    Raises:
      InputError: If an array is not one of a picture.
      MediaError: If a file is no usable picture.
    """
    function = self.signatures[export_manifest.SUPER_RESOLVE]
    from earsr_tf.serving import signatures
    low_size, high_size = signatures.sides(function)
    return face_and_voice.reduce_picture(
        face_and_voice.read_picture(image, name), low_size, high_size, notice,
        name=name, stretch=self.facts.get('low_res_stretch', False))

  def compute(self, image_low: np.ndarray, waveform: np.ndarray, *,
              strength: float = 1.0,
              consistency: str | int = consistency_mode.OFF) -> np.ndarray:
    """Makes faces of what `reduce` and `face_and_voice.read_voice` gave.

    Args:
      image_low: [N, s, s, 3] uint8.
      waveform: [N, 64000] float32 in [-1, 1].
      strength: As of `super_resolve`, as is `consistency`.
      consistency: See there.

    Returns:
      [N, S, S, 3] uint8.
    """
    import tensorflow as tf

    from earsr_tf.ops import consistency as consistency_lib
    name, made = export_manifest.SUPER_RESOLVE, []
    if strength != 1.0:
      name = export_manifest.SUPER_RESOLVE_STRENGTH
    for first in range(0, len(image_low), _BATCH):
      low = tf.constant(image_low[first:first + _BATCH])
      inputs = {'image_low': low,
                'waveform': tf.constant(waveform[first:first + _BATCH])}
      if strength != 1.0:
        inputs['voice_strength'] = tf.fill(
            [len(low)], tf.constant(strength, tf.float32))
      high = self.signatures[name](**inputs)['image_high']
      made.append(consistency_lib.correct_uint8(
          high, low, str(consistency)).numpy())
    return np.concatenate(made)
