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
(docs/api.md); with --video instead of --image it is that of `face_video`.
"""

from __future__ import annotations

import functools
import os
from typing import Any, Callable, Sequence
import warnings

from absl import flags
import numpy as np

from earsr_tf import cli
from earsr_tf import comparison
from earsr_tf import face_and_voice
from earsr_tf import face_finder
from earsr_tf import face_folder
from earsr_tf import face_matrix
from earsr_tf import face_output
from earsr_tf import face_video
from earsr_tf import flags as shared_flags
from earsr_tf import trained_model
from earsr_tf.ops import consistency_mode
from earsr_tf.serving import film_faces

_ENDINGS = {'png': '.png', 'jpeg': '.jpg'}  # of --output_format


def run(model: str, image: str, audio: str | None, output: str, *,
        offset: float | None = None, strength: float = 1.0,
        consistency: str = consistency_mode.OFF,
        loudness: str = face_and_voice.TRAINING, output_format: str = '',
        box: str = '', detect_faces: bool = False, each_face: bool = False,
        grid: bool = False,
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
    each_face: Whether every face of one picture is found, and gets a file:
      `output` with -1, -2, ... before its ending, from left to right.
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
  face = face_finder.framing(image, box, detect_faces or each_face)
  if each_face and (grid or os.path.isdir(image)):
    raise cli.InputError(
        '--faces=all: is for one picture, not for a folder, and without --grid',
        cli.USAGE)
  pairs = None
  if os.path.isdir(image):
    pairs = face_folder.list_pairs(
        image, audio, output, ending=_ENDINGS[output_format or 'png'])
  else:
    face_output.check_paths(image, audio, output, output_format)
  loaded = trained_model.load(model)
  strength = loaded.check_voice(audio, strength)
  loaded.check_options(strength=strength, consistency=consistency)
  make = (functools.partial(comparison.sheet_of, loaded) if grid
          else loaded.super_resolve)
  resolve = functools.partial(
      make, offset=offset, strength=strength,
      consistency=consistency, loudness=loudness, notice=notice)
  if each_face:
    return _each_face(image, output, functools.partial(resolve, audio=audio))
  if pairs is None:
    face_output.write(output, resolve(face(image), audio))
    return output
  if audio is None:
    notice(trained_model.NO_VOICE)
  return _run_folder(pairs, output, face_folder.Work(
      read=_reader(loaded, face, audio, offset, loudness, notice),
      write=face_output.write, notice=notice,
      compute=functools.partial(
          _sheets if grid else _faces, loaded, audio is not None,
          strength=strength, consistency=consistency),
      is_threadsafe=not detect_faces))


def _reader(
    loaded: trained_model.TrainedModel,
    face: Callable[[str], face_and_voice.Picture], audio: str | None,
    offset: float | None, loudness: str, notice: face_and_voice.Notice
) -> Callable[[face_folder.Pair, face_and_voice.Notice],
              tuple[np.ndarray, np.ndarray]]:
  """What reads a pair: [s, s, 3] uint8 and [64000] float32."""
  # One voice for all is read at once, and once.
  voice = _voice_for_all(audio, offset, loudness, notice)
  _ = loaded.signatures  # before there are threads, as it diverts stderr

  def read(pair: face_folder.Pair, tell: face_and_voice.Notice
           ) -> tuple[np.ndarray, np.ndarray]:
    """Both of a pair."""
    low = loaded.reduce(face(pair.image), tell, name=pair.image)
    return low, voice if voice is not None else face_and_voice.read_voice(
        pair.audio, offset, tell, loudness=loudness)
  return read


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


def _each_face(image: str, output: str,
               resolve: Callable[[list[np.ndarray]], np.ndarray]) -> str:
  """Super-resolves every face of a picture into a file of its own."""
  picture = face_and_voice.read_picture(image)
  faces = [face_finder.framed(picture, box, image)
           for box in face_finder.find(picture) or [
               face_finder.only_face(picture, image)]]
  stem, ending = os.path.splitext(output)
  names = [f'{stem}-{number}{ending}' for number in range(1, len(faces) + 1)]
  for name, face in zip(names, resolve(faces)):
    face_output.write(name, face)
  return ' '.join(names)


def _run_folder(pairs: list[face_folder.Pair], output: str,
                work: face_folder.Work) -> str:
  """Super-resolves pairs; InputError with a tally if any was refused."""
  done, refused = face_folder.run(pairs, work)
  if refused:
    raise cli.InputError(
        f'{output}: {done} of {len(pairs)} faces written, {refused} refused '
        'for the reasons above', cli.BAD_DATA)
  return f'{output}: {done} faces'


def mix(model: str, image: str, audio: str | None, output: str, *,
        detect_faces: bool, **options: Any) -> str:
  """Super-resolves every face with every voice; see `face_matrix`."""
  if not os.path.isdir(image) or audio is None:
    raise cli.InputError(
        f'--mix: needs two folders; --image={image} and --audio={audio} are '
        'not', cli.USAGE)
  return face_matrix.run(model, image, audio, output, face_matrix.Options(
      face=face_finder.framing(image, '', detect_faces), **options))


def main() -> None:
  """Super-resolves what the flags name."""
  values = flags.FLAGS
  warnings.filterwarnings('ignore', module='PIL')  # damaged files: we say why
  if (values.image is None) == (values.video is None):
    raise cli.InputError(
        'give --image, a face or a folder of them, or --video, a film of one',
        cli.USAGE)
  if values.video:
    print(cli.printable(face_video.run(
        values.model, values.video, values.output, face_video.Options(
            codes=values.codes, audio=values.audio, offset=values.offset,
            strength=values.strength, consistency=values.consistency,
            loudness=values.loudness, box=values.box or '',
            detect_faces=values.detect_faces))))
    return
  if values.mix:
    if values.grid or values.box or values.faces == 'all':
      raise cli.InputError(
          '--mix: is without --grid, --box and --faces=all', cli.USAGE)
    print(cli.printable(mix(
        values.model, values.image, values.audio, values.output,
        detect_faces=values.detect_faces, offset=values.offset,
        strength=values.strength, consistency=values.consistency,
        loudness=values.loudness,
        ending=_ENDINGS[values.output_format or 'png'])))
    return
  print(cli.printable(run(
      values.model, values.image, values.audio, values.output,
      offset=values.offset, strength=values.strength,
      consistency=values.consistency, loudness=values.loudness,
      output_format=values.output_format or '', box=values.box or '',
      detect_faces=values.detect_faces, each_face=values.faces == 'all',
      grid=values.grid)))


if __name__ == '__main__':
  flags.DEFINE_string(
      'model', None, 'An export folder (newest version) or one version in it.')
  flags.DEFINE_string(
      'image', None, 'A picture of a face, or a folder of them.')
  flags.DEFINE_string(
      'video', None, 'A film of a face, instead of a picture; becomes a film '
      'with the same sound, and its own voice is heard.')
  flags.DEFINE_enum(
      'codes', film_faces.SHOT, film_faces.CODES, 'What of a film has one '
      "code: shot, the mean of its frames' codes (a steady picture), or frame.")
  flags.DEFINE_bool(
      'detect_faces', False, 'Finds the face in a larger picture and frames it '
      'as in the training; needs mtcnn. Of several it asks which.')
  flags.DEFINE_enum(
      'faces', 'one', ['one', 'all'], 'all: every face of a picture is found '
      'and gets a file, OUTPUT-1.png and so on, from left to right.')
  flags.DEFINE_string(
      'box', None, 'x,y,w,h in pixels: where the face is, from brow to chin, '
      'in a larger picture.')
  flags.DEFINE_string(
      'audio', None, 'A sound or video file with the voice, a second or '
      'longer; for a folder of faces also a folder, paired by path. Without it '
      'the image alone makes the face.')
  flags.DEFINE_string(
      'output', None, 'A PNG or JPEG to write, by its ending; for a folder of '
      'faces a folder; for a film an mp4, mov or mkv.')
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
  flags.DEFINE_bool(
      'mix', False, 'Of two folders, every face with every voice: a file each, '
      'and one picture of all.')
  flags.DEFINE_float(
      'strength', 1.0, 'How much the voice counts, 0 (the image alone) to 1.5; '
      '1 is the paper.')
  shared_flags.define_consistency_flag('Fits the output to the 8x8 picture')
  flags.mark_flags_as_required(['model', 'output'])
  cli.run(main)
