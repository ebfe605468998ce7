"""Every face with every voice: one labelled picture, and a file for each pair.

What `super_resolve --mix` does; the picture is that of the page.
"""

from __future__ import annotations

import collections
import dataclasses
import os
import pathlib
import sys
from typing import Callable

import numpy as np

from earsr_tf import cli
from earsr_tf import comparison
from earsr_tf import face_and_voice
from earsr_tf import face_folder
from earsr_tf import face_output
from earsr_tf import trained_model
from earsr_tf.ops import consistency_mode

MATRIX = 'matrix.png'


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
  """How faces are made; see `super_resolve.run`.

  Attributes:
    offset: Where the 4 s of each voice begin, in seconds; None: the loudest.
    strength: How much a voice counts, 0 to 1.5.
    consistency: Correction of the output.
    loudness: Whether a voice's level is corrected.
    ending: Of the single files, '.png' or '.jpg'.
    face: Makes the model's picture of a file; the file itself if nothing.
    notice: Told what was done to unusual inputs.
  """
  offset: float | None = None
  strength: float = 1.0
  consistency: str = consistency_mode.OFF
  loudness: str = face_and_voice.TRAINING
  ending: str = '.png'
  face: Callable[[str], face_and_voice.Picture] = str
  notice: face_and_voice.Notice = cli.notice


def run(model: str, image: str, audio: str, output: str,
        options: Options = Options()) -> str:
  """Super-resolves every face with every voice.

  A file that cannot be used costs one line; the others are used.

  Args:
    model: Export folder or a version folder.
    image: Folder of faces.
    audio: Folder of voices, or one.
    output: Folder of `matrix.png`, whose rows are faces and whose columns are
      voices, and of `<face>/<voice>.png`.
    options: How faces are made.

  Returns:
    What was written, for people.

  Raises:
    InputError: If a path is unusable, there are more faces or voices than
      `comparison.MOST`, or some files were refused (the rest is written).
    ExportError: If the model is missing or damaged.
  """
  paths, heard_at = face_folder.list_files(image, audio, output)
  faces = _named(paths, image)
  voices = _named(heard_at or [pathlib.Path(audio)], audio)
  comparison.check_count(faces, voices)
  loaded = trained_model.load(model)
  loaded.check_options(
      strength=options.strength, consistency=options.consistency)
  lows = _readable(faces, lambda path: loaded.reduce(
      options.face(path), options.notice, name=path))
  heard = _readable(voices, lambda path: face_and_voice.read_voice(
      path, options.offset, options.notice, loudness=options.loudness))
  refused = len(faces) + len(voices) - len(lows) - len(heard)
  if lows and heard:
    _write(loaded, lows, heard, output, options)
  done = (f'{output}: {MATRIX} and {len(lows) * len(heard)} faces of '
          f'{len(lows)} pictures and {len(heard)} voices')
  if refused:
    raise cli.InputError(
        f'{done if lows and heard else output + ": nothing written"}; '
        f'{refused} files refused for the reasons above', cli.BAD_DATA)
  return done


def _write(model: trained_model.TrainedModel, lows: dict[str, np.ndarray],
           heard: dict[str, np.ndarray], output: str, options: Options) -> None:
  """Makes and writes all pairs, and the picture of them."""
  made = comparison.mix(
      model, [*lows.values()], [*heard.values()], strength=options.strength,
      consistency=options.consistency)
  for face, row in zip(lows, made):
    for voice, picture in zip(heard, row):
      face_output.write(
          os.path.join(output, face, voice + options.ending), picture)
  sheet = comparison.matrix_sheet(
      [*lows.values()], [*heard.values()], made, [*lows], [*heard])
  face_output.write(os.path.join(output, MATRIX), np.asarray(sheet))


def _readable(files: dict[str, pathlib.Path],
              read: Callable[[str], np.ndarray]) -> dict[str, np.ndarray]:
  """Name -> what was read; a line on stderr for each that cannot be."""
  found = {}
  for name, path in files.items():
    try:
      found[name] = read(str(path))
    except Exception as error:
      if not cli.exit_code(error):
        raise
      print(f'error: {cli.printable(str(error))}', file=sys.stderr, flush=True)
  return found


def _named(paths: list[pathlib.Path], base: str) -> dict[str, pathlib.Path]:
  """Files by their paths below a folder, without endings where that is clear.

  A file that is `base` itself has its own name.
  """
  if paths == [pathlib.Path(base)]:
    base = os.path.dirname(base)
  names = [pathlib.Path(os.path.relpath(path, base or '.')) for path in paths]
  counts = collections.Counter(name.with_suffix('') for name in names)
  return {
      str(name if counts[name.with_suffix('')] > 1 else name.with_suffix('')):
          path for name, path in zip(names, paths)}
