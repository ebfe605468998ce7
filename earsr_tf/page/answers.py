"""What the page answers: pictures, and sentences where there are none.

Knows nothing of gradio: files come in as paths, arrays and text go out.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import re
import tempfile
import time
import traceback
from typing import Callable, Sequence, TypeVar

import numpy as np

from earsr_tf import cli
from earsr_tf import comparison
from earsr_tf import face_and_voice
from earsr_tf import trained_model
from earsr_tf.evaluation import figures
from earsr_tf.media import encoding
from earsr_tf.page import framing

MOST = 6  # faces or voices of a matrix
_BUG = 'The page met an error of its own, {}; please report it.'
# Advice that is for a command line: '(--offset chooses others)'.
_FLAG_ADVICE = re.compile(r' \((?=[^)]*--)[^)]*\)')

_T = TypeVar('_T')


@dataclasses.dataclass(frozen=True)
class Answer:
  """What is shown of one face.

  Attributes:
    made: The pictures; None if there are none.
    text: Time and notices, or why there is nothing.
    files: Paths for downloads: the face, and all pictures on one sheet.
  """
  made: comparison.Comparison | None
  text: str
  files: tuple[str, str] | None = None


@dataclasses.dataclass(frozen=True)
class Matrix:
  """Faces with voices.

  Attributes:
    sheet: [H, W, 3] uint8; None if there is none.
    text: Time and what was refused, or why there is nothing.
    file: Path for a download; None if there is none.
  """
  sheet: np.ndarray | None
  text: str
  file: str | None = None


class Answers:
  """Answers with one model."""

  def __init__(self, *, model: trained_model.TrainedModel,
               folder: pathlib.Path) -> None:
    """Takes the model, and a folder for what can be downloaded."""
    self._model = model
    self._folder = folder

  def face(self, path: str | None) -> tuple[framing.Framed | None, str]:
    """Reads a photograph.

    Args:
      path: Picture file, or None for none.

    Returns:
      The face in it, None if it cannot be used; and what there is to say.
    """
    if path is None:
      return None, ''
    framed, problem = _tried(path, lambda: framing.read(path))
    if framed is None:
      return None, problem
    return framed, _on_faces(framed)

  def voice(self, path: str | None) -> tuple[np.ndarray | None, str]:
    """Reads a voice.

    Args:
      path: Sound or video file, or None for none.

    Returns:
      [64000] float32, None if it cannot be used; and what there is to say.
    """
    if path is None:
      return None, ''
    notices: list[str] = []
    voice, problem = _tried(
        path, lambda: face_and_voice.read_voice(path, None, notices.append))
    return voice, problem or ' '.join(_sentence(n, path) for n in notices)

  def one(self, framed: framing.Framed | None, voice: np.ndarray | None,
          strength: float) -> Answer:
    """Makes a face.

    Args:
      framed: The face; None if there is none yet.
      voice: [64000] float32; None if there is none.
      strength: How much the voice counts, 0 to 1.5.

    Returns:
      The pictures, or why there are none.
    """
    if framed is None:
      return Answer(None, '')
    begun = time.perf_counter()

    def make() -> comparison.Comparison:
      """Reduces the face and makes all pictures of it."""
      low = self._model.reduce(framed.face, lambda _: None)
      return comparison.compare(self._model, low, voice, strength=strength)
    made, problem = _tried(framed.name, make)
    if made is None:
      return Answer(None, problem)
    seconds = time.perf_counter() - begun
    text = f'{len(made.tiles) - 2} faces in {seconds:.2f} s.'
    if voice is None:
      text = (f'1 face in {seconds:.2f} s. There is no voice yet: the image '
              'alone makes the face.')
    return Answer(made, text, (
        self._kept('face.png', encoding.encode_png(made.result)),
        self._kept('all.png', figures.to_png(comparison.sheet(made)))))

  def matrix(self, faces: Sequence[str] | None, voices: Sequence[str] | None,
             strength: float) -> Matrix:
    """Makes every face with every voice.

    Args:
      faces: Picture files.
      voices: Sound or video files.
      strength: How much a voice counts, 0 to 1.5.

    Returns:
      One picture of all, or why there is none. A bad file costs a sentence
      and the others are used.
    """
    if not faces or not voices:
      return Matrix(None, 'Give at least one face and one voice.')
    for what, paths in (('faces', faces), ('voices', voices)):
      if len(paths) > MOST:
        return Matrix(
            None, f'{len(paths)} {what} are too many; give {MOST} at most.')
    begun = time.perf_counter()
    lows, face_names, texts = self._each(faces, self._low)
    heard, voice_names, more = self._each(voices, self.voice)
    texts += more
    if not lows or not heard:
      return Matrix(None, ' '.join(texts))
    sheet, problem = _tried('matrix', lambda: comparison.matrix_sheet(
        lows, heard, comparison.mix(
            self._model, lows, heard, strength=strength),
        face_names, voice_names))
    if sheet is None:
      return Matrix(None, problem)
    texts.insert(0, f'{len(lows) * len(heard)} faces in '
                 f'{time.perf_counter() - begun:.2f} s.')
    return Matrix(np.asarray(sheet), ' '.join(texts),
                  self._kept('matrix.png', figures.to_png(sheet)))

  def _low(self, path: str) -> tuple[np.ndarray | None, str]:
    """What the model sees of a photograph."""
    framed, text = self.face(path)
    if framed is None:
      return None, text
    return self._model.reduce(framed.face, lambda _: None), (
        text if framed.boxes[1:] else '')

  def _each(self, paths: Sequence[str],
            read: Callable[[str], tuple[np.ndarray | None, str]]
            ) -> tuple[list[np.ndarray], list[str], list[str]]:
    """What can be read, its names, and what there is to say."""
    items, names, texts = [], [], []
    for path in paths:
      item, text = read(path)
      if item is not None:
        items.append(item)
        names.append(pathlib.Path(path).stem)
      if text:
        texts.append(text)
    return items, names, texts

  def _kept(self, name: str, content: bytes) -> str:
    """Writes a file that can be downloaded under this name."""
    path = pathlib.Path(tempfile.mkdtemp(dir=self._folder), name)
    path.write_bytes(content)
    return str(path)


def _tried(path: str, work: Callable[[], _T]) -> tuple[_T | None, str]:
  """The result, or None and a sentence."""
  try:
    return work(), ''
  except Exception as error:  # noqa: BLE001
    if cli.exit_code(error):
      return None, _sentence(str(error), path)
    traceback.print_exc()  # in the terminal; the page names it as a bug
    return None, _BUG.format(type(error).__name__)


def _sentence(text: str, path: str) -> str:
  """A message without the machine's folders and without flags."""
  text = cli.printable(text.replace(path, os.path.basename(path)))
  return _FLAG_ADVICE.sub('', text).rstrip('.') + '.'


def _on_faces(framed: framing.Framed) -> str:
  """Says what was framed."""
  if framed.boxes[1:]:
    return (f'{framed.name}: {len(framed.boxes)} faces were found; the largest '
            'is framed. Click on another to take that one.')
  if framed.boxes:
    return ''
  if framing.can_find():
    return (f'{framed.name}: no face was found; the square in the centre is '
            'framed. Click on the face, and set the size of the frame.')
  return ('The square in the centre is framed. Click on the face, and set the '
          'size of the frame. (pip install mtcnn==1.0.0 finds faces.)')
