"""One face by every road, and faces with each other's voices, as pictures.

What `python -m earsr_tf.super_resolve --grid` writes and what `python -m
earsr_tf.page` shows.
"""

from __future__ import annotations

import dataclasses
from typing import Sequence, Sized

import numpy as np
from PIL import Image

from earsr_tf import cli
from earsr_tf import face_and_voice
from earsr_tf import trained_model
from earsr_tf.ops import consistency_mode
from earsr_tf.serving import export_manifest

CAPTION = ('A plausible face, not the real one. It must not be used to '
           'identify anybody.')
MOST = 12  # faces or voices of a matrix: 144 faces, 2 s of one core
_LETTERS = 14  # of a name, on each of two lines
# Of a voice that was read.
_AS_IS = {'offset': 0.0, 'loudness': face_and_voice.AS_IS}


@dataclasses.dataclass(frozen=True)
class Comparison:
  """A face by every road; pictures are uint8 RGB.

  Attributes:
    low: [s, s, 3], all that is known of the face.
    bicubic: [S, S, 3], the same enlarged without knowledge of faces.
    image_alone: [S, S, 3], E_l and G.
    voice_alone: [S, S, 3], E_a and G; None without a voice.
    fused: [S, S, 3], both; None without a voice.
  """
  low: np.ndarray
  bicubic: np.ndarray
  image_alone: np.ndarray
  voice_alone: np.ndarray | None
  fused: np.ndarray | None

  @property
  def result(self) -> np.ndarray:
    """The face of all that was given: [S, S, 3] uint8."""
    return self.image_alone if self.fused is None else self.fused

  @property
  def tiles(self) -> dict[str, np.ndarray]:
    """Header, of two lines at most, -> picture; without those not made."""
    named = {'input\n8x8 pixels': self.low, 'bicubic': self.bicubic,
             'image only': self.image_alone, 'voice only': self.voice_alone,
             'image and\nvoice': self.fused}
    return {name: tile for name, tile in named.items() if tile is not None}


def compare(model: trained_model.TrainedModel, low: np.ndarray,
            voice: np.ndarray | None, *, strength: float = 1.0,
            consistency: str | int = consistency_mode.OFF) -> Comparison:
  """Makes a face of an image, of a voice, and of both.

  Args:
    model: The model.
    low: [s, s, 3] uint8, as `model.reduce` gives.
    voice: [64000] float32, as `face_and_voice.read_voice` gives; None: none.
    strength: How much the voice counts in `fused`.
    consistency: Fits `image_alone` and `fused` to `low`.

  Returns:
    The comparison.

  Raises:
    InputError: If an option is none.
    ExportError: If an older model lacks a signature.
  """
  alone = model.super_resolve(
      low, None, consistency=consistency, notice=_ignore)
  fused = None
  if voice is not None:
    fused = model.super_resolve(
        low, voice, strength=strength, consistency=consistency,
        notice=_ignore, **_AS_IS)
  return Comparison(
      low=low, bicubic=_bicubic(low, alone.shape[0]), image_alone=alone,
      voice_alone=None if voice is None else voice_alone(model, voice),
      fused=fused)


def voice_alone(
    model: trained_model.TrainedModel, voice: np.ndarray) -> np.ndarray:
  """Makes the face of a voice without a picture, G of E_a's code.

  Args:
    model: The model.
    voice: [64000] float32, as `face_and_voice.read_voice` gives.

  Returns:
    [S, S, 3] uint8 RGB.

  Raises:
    ExportError: If the model has no signature for it.
  """
  name = export_manifest.AUDIO_ONLY
  if not export_manifest.offers(model.facts, name):
    raise export_manifest.ExportError(
        f'{model.version} was exported by an earlier earsr_tf and makes no '
        'face of a voice alone; export again')
  function = model.signatures[name]  # loads TensorFlow, without its banners
  import tensorflow as tf
  made = function(waveform=tf.constant(voice[np.newaxis]))
  return np.asarray(made['image_high'])[0]


def sheet_of(model: trained_model.TrainedModel, image: face_and_voice.Picture,
             audio: face_and_voice.Sound | None, *,
             offset: float | None = None, strength: float = 1.0,
             consistency: str | int = consistency_mode.OFF,
             loudness: str = face_and_voice.TRAINING,
             notice: face_and_voice.Notice = cli.notice) -> np.ndarray:
  """One face by every road as a sheet; arguments as `super_resolve` has them.

  Returns:
    [H, W, 3] uint8.

  Raises:
    What `TrainedModel.super_resolve` does.
  """
  voice = None
  if audio is None:
    notice(trained_model.NO_VOICE)
  else:
    voice = face_and_voice.read_voice(audio, offset, notice, loudness=loudness)
  return np.asarray(sheet(compare(
      model, model.reduce(image, notice), voice, strength=strength,
      consistency=consistency)))


def sheet(comparison: Comparison, name: str = '') -> Image.Image:
  """Draws a comparison as one row of labelled tiles.

  Args:
    comparison: What `compare` made.
    name: Stands at the left of it.

  Returns:
    An RGB picture.
  """
  from earsr_tf.evaluation import figures
  tiles = comparison.tiles
  line = figures.Line(_two_lines(name), list(tiles.values()))
  return figures.draw(
      'A face by every road', list(tiles), [figures.Section('', [line])],
      CAPTION)


def mix(model: trained_model.TrainedModel, lows: Sequence[np.ndarray],
        voices: Sequence[np.ndarray], *, strength: float = 1.0,
        consistency: str | int = consistency_mode.OFF) -> np.ndarray:
  """Makes every face with every voice.

  Args:
    model: The model.
    lows: n pictures, each [s, s, 3] uint8 as `model.reduce` gives.
    voices: m voices, each [64000] float32 as `read_voice` gives.
    strength: How much a voice counts.
    consistency: Fits each result to its picture.

  Returns:
    [n, m, S, S, 3] uint8.

  Raises:
    InputError: If there are none or too many, or an option is none.
    ExportError: If the model lacks what `strength` needs.
  """
  check_count(lows, voices)
  made = model.super_resolve(
      [low for low in lows for _ in voices], [*voices] * len(lows),
      strength=strength, consistency=consistency, notice=_ignore, **_AS_IS)
  return made.reshape(len(lows), len(voices), *made.shape[1:])


def check_count(faces: Sized, voices: Sized) -> None:
  """Raises InputError if a matrix has none, or too many, of either."""
  for what, items in (('faces', faces), ('voices', voices)):
    if not 1 <= len(items) <= MOST:
      raise cli.InputError(
          f'a matrix has 1 to {MOST} {what}, not {len(items)}', cli.USAGE)


def matrix_sheet(
    lows: Sequence[np.ndarray], voices: Sequence[np.ndarray],
    made: np.ndarray, face_names: Sequence[str], voice_names: Sequence[str]
) -> Image.Image:
  """Draws what `mix` made: a row per face, a column per voice.

  Args:
    lows: As for `mix`.
    voices: As for `mix`; their spectrograms stand above the columns.
    made: [n, m, S, S, 3] uint8.
    face_names: n names.
    voice_names: m names.

  Returns:
    An RGB picture.
  """
  from earsr_tf.evaluation import figures
  heard = figures.Line('voices', [None, *map(spectrogram_tile, voices)])
  faces = [
      figures.Line(_two_lines(name), [low, *row])
      for name, low, row in zip(face_names, lows, made)]
  return figures.draw(
      'Faces and voices', ['input\n8x8 pixels', *map(_two_lines, voice_names)],
      [figures.Section('', [heard, *faces])],
      'Each row keeps one 8x8 image, each column one voice.\n' + CAPTION,
      tile=144)


def spectrogram_tile(voice: np.ndarray) -> np.ndarray:
  """What the model hears: time to the right, low frequencies below.

  Args:
    voice: [64000] float32.

  Returns:
    [257, 257, 3] uint8.
  """
  import tensorflow as tf

  from earsr_tf.evaluation import figures
  from earsr_tf.ops import spectrogram
  heard = spectrogram.log_spectrogram(tf.constant(voice[np.newaxis]))
  return figures.spectrogram_tile(heard[0, ..., 0].numpy())


def _bicubic(low: np.ndarray, side: int) -> np.ndarray:
  """[s, s, 3] -> [side, side, 3] uint8."""
  return np.asarray(Image.fromarray(low).resize(
      (side, side), Image.Resampling.BICUBIC))


def _two_lines(name: str) -> str:
  """A name as it fits above or beside a tile."""
  name = cli.printable(name)
  if len(name) > 2 * _LETTERS:
    name = name[:2 * _LETTERS - 1] + '~'
  return '\n'.join(filter(None, [name[:_LETTERS], name[_LETTERS:]]))


def _ignore(text: str) -> None:
  """A notice about what was made of files already."""
