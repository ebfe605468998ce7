"""python -m earsr_tf.super_resolve --model --image --audio --output: one face.

The image may have any size. A picture that is not square is cut at its centre,
brought to the model's output size (128) as training pictures are, and reduced
to 8x8 by the one degradation that training uses; an 8x8 picture is taken as it
is. Of the sound, the loudest 4 s are used, or those from --offset; a shorter
one is repeated, and --loudness says whether its level is corrected.
--strength says how much the voice counts; --consistency fits the output to the
8x8 picture. Without --audio the image alone makes the face. Folders are walked;
faces and voices of one path belong together (or one voice goes with all); a bad
file costs one line and the others are done. The work is that of `earsr_tf.load`
(docs/api.md).
"""

from __future__ import annotations

import functools
import io
import os
import pathlib
from typing import Any, Callable, Sequence
import warnings

from absl import flags
import numpy as np
from PIL import Image

from earsr_tf import cli
from earsr_tf import comparison
from earsr_tf import durable
from earsr_tf import face_and_voice
from earsr_tf import face_finder
from earsr_tf import face_folder
from earsr_tf import flags as shared_flags
from earsr_tf import trained_model
from earsr_tf.media import reader
from earsr_tf.ops import consistency_mode

_ENDINGS = {'png': '.png', 'jpeg': '.jpg'}  # of --output_format


def run(model: str, image: str, audio: str | None, output: str, *,
        offset: float | None = None, strength: float = 1.0,
        consistency: str = consistency_mode.OFF,
        loudness: str = face_and_voice.TRAINING, output_format: str = '',
        box: str = '', detect_faces: bool = False, grid: bool = False,
        notice: face_and_voice.Notice = cli.notice) -> str:
  """Super-resolves one face, or each face below a folder.

  Args:
    model: Export folder (its newest version is used) or a version folder.
    image: Picture of a face, or a folder of such pictures.
    audio: Sound or video file with the person's voice. For a folder of faces
      also a folder; voices then belong to the faces of the same path. None:
      no voice, the image alone makes the face.
    output: PNG or JPEG to write, by its ending; its folder is created. For a
      folder: a folder.
    offset: Where the 4 s begin, in seconds; None takes the loudest.
    strength: How much the voice counts, 0 to 1.5; 1 is the paper.
    consistency: Correction of the output: 'off', 'exact' or a number of
      back-projection steps.
    loudness: 'training' brings a voice into the training data's range of
      loudness, 'as_is' leaves it.
    output_format: 'png' or 'jpeg', what a folder of faces becomes ('' is
      'png').
    box: 'x,y,w,h' of the face in a larger picture, in pixels, which is then
      framed as VoxCeleb2's are; '' uses the whole picture. Not for a folder.
    detect_faces: Whether the face is found, by mtcnn, and framed.
    grid: Whether a sheet is written instead of a face: 8x8, bicubic, image
      only, voice only, both.
    notice: Told what was done to unusual inputs.

  Returns:
    What was written, for people.

  Raises:
    InputError: If a path or the voice is unusable, the model corrects its
      output already, or some faces of a folder were refused.
    MediaError: If a file is no usable picture or sound.
    ExportError: If the model is missing or damaged.
  """
  face = _framing(image, box, detect_faces)
  pairs = None
  if os.path.isdir(image):
    pairs = face_folder.list_pairs(
        image, audio, output, ending=_ENDINGS[output_format or 'png'])
  else:
    _check_paths(image, audio, output, output_format)
  loaded = trained_model.load(model)
  strength = loaded.check_voice(audio, strength)
  loaded.check_options(strength=strength, consistency=consistency)
  if pairs is None:
    make = loaded.super_resolve
    if grid:
      make = functools.partial(comparison.sheet_of, loaded)
    _write(output, make(
        face(image), audio, offset=offset, strength=strength,
        consistency=consistency, loudness=loudness, notice=notice))
    return output
  if audio is None:
    notice(trained_model.NO_VOICE)
  # One voice for all is read at once, and once.
  voice = _voice_for_all(audio, offset, loudness, notice)

  def read(pair: face_folder.Pair, tell: face_and_voice.Notice
           ) -> tuple[np.ndarray, np.ndarray]:
    """[s, s, 3] uint8 and [64000] float32 of a pair."""
    low = loaded.reduce(face(pair.image), tell, name=pair.image)
    return low, voice if voice is not None else face_and_voice.read_voice(
        pair.audio, offset, tell, loudness=loudness)

  _ = loaded.signatures  # before there are threads, as it diverts stderr
  return _run_folder(pairs, output, face_folder.Work(
      read=read, write=_write, notice=notice,
      compute=functools.partial(
          _sheets if grid else _faces, loaded, audio is not None,
          strength=strength, consistency=consistency),
      is_threadsafe=not detect_faces))


def _faces(
    model: trained_model.TrainedModel, has_voice: bool,
    inputs: Sequence[tuple[np.ndarray, np.ndarray]], **options: Any
) -> np.ndarray:
  """[n, S, S, 3] uint8 of n small pictures and voices."""
  del has_voice  # the strength says so
  return model.compute(*map(np.stack, zip(*inputs)), **options)


def _sheets(
    model: trained_model.TrainedModel, has_voice: bool,
    inputs: Sequence[tuple[np.ndarray, np.ndarray]], **options: Any
) -> np.ndarray:
  """[n, H, W, 3] uint8: a sheet for each of n small pictures and voices."""
  return np.stack([
      np.asarray(comparison.sheet(comparison.compare(
          model, low, voice if has_voice else None, **options)))
      for low, voice in inputs])


def _voice_for_all(
    audio: str | None, offset: float | None, loudness: str,
    notice: face_and_voice.Notice) -> np.ndarray | None:
  """[64000] float32 that all faces of a folder get; None if each has its own.

  Without a voice it is any: it is heard, and then given the weight 0.
  """
  if audio is None:
    return face_and_voice.read_voice(
        trained_model.ANY_VOICE, 0.0, notice, loudness=face_and_voice.AS_IS)
  if os.path.isdir(audio):
    return None
  return face_and_voice.read_voice(audio, offset, notice, loudness=loudness)


def _framing(image: str, box: str, detect_faces: bool
             ) -> Callable[[str], face_and_voice.Picture]:
  """What makes the model's picture of a file; the file itself if nothing."""
  if not (box or detect_faces):
    return lambda path: path
  if box and (detect_faces or os.path.isdir(image)):
    raise cli.InputError(
        f'--box={box}: is for one picture, and without --detect_faces',
        cli.USAGE)
  chosen = face_finder.parse_box(box) if box else None

  def frame(path: str) -> np.ndarray:
    """Path -> [S, S, 3] uint8."""
    picture = face_and_voice.read_picture(path)
    scale = face_and_voice.reduction(path, picture)
    if chosen:
      return face_finder.framed(picture, chosen.scaled(1 / scale), path)
    return face_finder.framed(
        picture, face_finder.only_face(picture, path, scale), path)
  return frame


def _run_folder(pairs: list[face_folder.Pair], output: str,
                work: face_folder.Work) -> str:
  """Super-resolves pairs; InputError with a tally if any was refused."""
  done, refused = face_folder.run(pairs, work)
  if refused:
    raise cli.InputError(
        f'{output}: {done} of {len(pairs)} faces written, {refused} refused '
        'for the reasons above', cli.BAD_DATA)
  return f'{output}: {done} faces'


def _write(output: str, face: np.ndarray) -> None:
  """Writes [S, S, 3] uint8 as its name's ending says, whole or not at all."""
  if output.lower().endswith('.png'):
    durable.write(output, reader.encode_png(face))
    return
  stream = io.BytesIO()
  Image.fromarray(face).save(stream, format='JPEG', quality=95, subsampling=0)
  durable.write(output, stream.getvalue())


def _check_paths(
    image: str, audio: str | None, output: str, output_format: str) -> None:
  """Refuses bad paths at once, before anything is loaded."""
  for flag, path in (('image', image), ('audio', audio)):
    if path is None:
      continue
    if not os.path.exists(path):
      raise cli.InputError(f'--{flag}={path}: no such file')
    if os.path.isdir(path):
      raise cli.InputError(
          f'--{flag}={path}: is a folder; name one file', cli.USAGE)
  ending = pathlib.Path(output).suffix.lower()
  if ending not in face_folder.ENDINGS:
    raise cli.InputError(
        f'--output={output}: must end in .png, .jpg or .jpeg', cli.USAGE)
  if output_format and (output_format == 'png') != (ending == '.png'):
    raise cli.InputError(
        f'--output_format={output_format}: --output={output} ends otherwise; '
        'leave one of them out', cli.USAGE)
  if os.path.isdir(output):
    raise cli.InputError(
        f'--output={output}: is a folder; name a file', cli.USAGE)
  folder = pathlib.Path(os.path.abspath(output)).parent
  while not os.path.lexists(folder):
    folder = folder.parent
  if not (folder.is_dir() and os.access(folder, os.W_OK)):
    raise cli.InputError(
        f'--output={output}: {folder} is no folder that can be written; name '
        'another', cli.CANNOT_CREATE)


def main() -> None:
  """Super-resolves what the flags name."""
  values = flags.FLAGS
  warnings.filterwarnings('ignore', module='PIL')  # damaged files: we say why
  print(cli.printable(run(
      values.model, values.image, values.audio, values.output,
      offset=values.offset, strength=values.strength,
      consistency=values.consistency, loudness=values.loudness,
      output_format=values.output_format or '', box=values.box or '',
      detect_faces=values.detect_faces, grid=values.grid)))


if __name__ == '__main__':
  flags.DEFINE_string(
      'model', None, 'An export folder (newest version) or one version in it.')
  flags.DEFINE_string(
      'image', None, 'A picture of a face, or a folder of them.')
  flags.DEFINE_bool(
      'detect_faces', False, 'Finds the face in a larger picture and frames it '
      'as in the training; needs mtcnn. Of several it asks which.')
  flags.DEFINE_string(
      'box', None, 'x,y,w,h in pixels: where the face is, from brow to chin, '
      'in a larger picture.')
  flags.DEFINE_string(
      'audio', None, 'A sound or video file with the voice, a second or '
      'longer; for a folder of faces also a folder, paired by path. Without it '
      'the image alone makes the face.')
  flags.DEFINE_string(
      'output', None, 'A PNG or JPEG to write, by its ending; for a folder of '
      'faces a folder.')
  flags.DEFINE_enum(
      'output_format', None, list(_ENDINGS),
      'What a folder of faces becomes; png unless given.')
  flags.DEFINE_float(
      'offset', None, 'Where the 4 s begin, in seconds; without it the loudest '
      '4 s are used.')
  flags.DEFINE_enum(
      'loudness', face_and_voice.TRAINING, face_and_voice.LOUDNESS,
      "training: a voice outside the training data's range of loudness is "
      'brought to its nearest end; as_is: no voice is, as in the paper.')
  flags.DEFINE_bool(
      'grid', False, 'Writes a sheet instead of a face: the 8x8 image, '
      'bicubic, image only, voice only and both, beside each other.')
  flags.DEFINE_float(
      'strength', 1.0, 'How much the voice counts, 0 (the image alone) to 1.5; '
      '1 is the paper.')
  shared_flags.define_consistency_flag('Fits the output to the 8x8 picture')
  flags.mark_flags_as_required(['model', 'image', 'output'])
  cli.run(main)
