"""python -m earsr_tf.super_resolve --model --image --audio --output: one face.

The image may have any size. A picture that is not square is cut at its centre,
brought to the model's output size (128) as training pictures are, and reduced
to 8x8 by the one degradation that training uses; an 8x8 picture is taken as it
is. Of the sound, 4 s from --offset are used; a shorter one is repeated.
--consistency fits the output to the 8x8 picture. With folders, faces and
voices of one name belong together (or one voice goes with all); a bad file
costs one line and the others are done.
"""

from __future__ import annotations

import functools
import io
import os
import pathlib
from typing import Any, Callable, Mapping
import warnings

from absl import flags
import numpy as np
from PIL import Image

from earsr_tf import cli
from earsr_tf import durable
from earsr_tf import face_folder
from earsr_tf import flags as shared_flags
from earsr_tf.media import reader
from earsr_tf.ops import consistency_mode
from earsr_tf.serving import export_manifest

_SEGMENT_SAMPLES = 64_000
_LONGEST_OFFSET_S = 600.0
# (picture file, [64000] voice, PNG to write) -> None
_Resolve = Callable[[str, np.ndarray, str], None]


def run(model: str, image: str, audio: str, output: str, *,
        offset: float = 0.0, consistency: str = consistency_mode.OFF,
        notice: Callable[[str], None] = cli.notice) -> str:
  """Super-resolves one face, or each face of a folder, and writes PNGs.

  Args:
    model: Export folder (its newest version is used) or a version folder.
    image: Picture of a face, or a folder of such pictures.
    audio: Sound or video file with the person's voice. For a folder of faces
      also a folder; voices then belong to the faces of the same name.
    output: PNG to write; its folder is created. For a folder: a folder.
    offset: Where the 4 s begin, in seconds.
    consistency: Correction of the output: 'off', 'exact' or a number of
      back-projection steps.
    notice: Told what was done to unusual inputs.

  Returns:
    What was written, for people.

  Raises:
    InputError: If a path or the voice is unusable, the model corrects its
      output already, or some faces of a folder were refused.
    MediaError: If a file is no usable picture or sound.
    ExportError: If the model is missing or damaged.
  """
  if os.path.isdir(image):
    return _run_folder(
        face_folder.list_pairs(image, audio, output),
        _open(model, consistency, notice), output,
        read=_voice_reader(audio, offset, notice))
  _check_paths(image, audio, output)
  resolve = _open(model, consistency, notice)
  reader.read_image(image)  # refuses a bad picture before TensorFlow loads
  resolve(image, read_voice(audio, offset, notice), output)
  return output


def _run_folder(
    pairs: list[face_folder.Pair], resolve: _Resolve, output: str, *,
    read: Callable[[str], np.ndarray]) -> str:
  """Super-resolves pairs; InputError with a tally if any was refused."""

  def one(pair: face_folder.Pair) -> None:
    """Super-resolves a pair; a bad picture is refused first."""
    reader.read_image(pair.image)
    resolve(pair.image, read(pair.audio), pair.output)

  done, refused = face_folder.run(pairs, one)
  if refused:
    raise cli.InputError(
        f'{output}: {done} of {len(pairs)} faces written, {refused} refused '
        'for the reasons above', cli.BAD_DATA)
  return f'{output}: {done} faces'


def _voice_reader(
    audio: str, offset: float, notice: Callable[[str], None]
) -> Callable[[str], np.ndarray]:
  """Path -> waveform; one voice for all is read at once, and once."""
  if os.path.isdir(audio):
    return lambda path: read_voice(path, offset, notice)
  waveform = read_voice(audio, offset, notice)
  return lambda path: waveform


def _open(model: str, consistency: str,
          notice: Callable[[str], None]) -> _Resolve:
  """Verifies a model; it and TensorFlow are loaded when they are needed."""
  version = export_manifest.newest(model)
  facts = export_manifest.verify(version)
  _check_consistency(facts, version, consistency)

  @functools.cache
  def load() -> Any:
    """The signature; only the first call loads TensorFlow."""
    # pylint: disable=import-outside-toplevel
    from earsr_tf import environment
    environment.load_tensorflow()
    from earsr_tf.serving import signatures
    return signatures.load(str(version))

  def resolve(image: str, waveform: np.ndarray, output: str) -> None:
    """Writes the face of a picture and a voice to `output`."""
    function = load()
    # pylint: disable=import-outside-toplevel
    import tensorflow as tf

    from earsr_tf.ops import consistency as consistency_lib
    from earsr_tf.serving import signatures
    low_size, high_size = signatures.sides(function)
    image_low = reduce_image(
        image, low_size, high_size, notice,
        stretch=facts.get('low_res_stretch', False))
    image_low = tf.constant(image_low[np.newaxis])
    image_high = function(
        image_low=image_low,
        waveform=tf.constant(waveform[np.newaxis]))['image_high']
    image_high = consistency_lib.correct_uint8(
        image_high, image_low, consistency)[0].numpy()
    stream = io.BytesIO()
    Image.fromarray(image_high).save(stream, format='PNG')
    durable.write(output, stream.getvalue())

  return resolve


def read_voice(path: str, offset: float,
               notice: Callable[[str], None]) -> np.ndarray:
  """Reads the 4 s of voice that the model hears.

  Args:
    path: Sound or video file.
    offset: Where the 4 s begin, in seconds.
    notice: Told when the voice is repeated or cut.

  Returns:
    [64000] float32 in [-1, 1), 16 kHz mono.

  Raises:
    MediaError: If the file is no usable sound.
    InputError: If less than one second is left, or it is silent.
  """
  if not 0.0 <= offset <= _LONGEST_OFFSET_S:
    raise cli.InputError(
        f'--offset={offset}: must lie between 0 and {_LONGEST_OFFSET_S:.0f} '
        'seconds', cli.USAGE)
  first = round(offset * reader.SAMPLE_RATE_HZ)
  seconds = offset + _SEGMENT_SAMPLES / reader.SAMPLE_RATE_HZ
  # One second more than used tells whether something is left out.
  samples = reader.read_audio(path, max_seconds=seconds + 1.0)[first:]
  if len(samples) < reader.SAMPLE_RATE_HZ:
    seconds = len(samples) / reader.SAMPLE_RATE_HZ
    raise cli.InputError(
        f'{path}: has {seconds:.2f} s of sound from {offset:g} s on; at least '
        'one second is needed', cli.BAD_DATA)
  if len(samples) > _SEGMENT_SAMPLES:
    notice(f'{path}: is longer than 4 s; the 4 s from {offset:g} s on are '
           'used (--offset chooses others)')
  samples = samples[:_SEGMENT_SAMPLES]
  levels = samples.astype(np.float32)
  if np.abs(levels - levels.mean()).max() < reader.SILENCE_PEAK:
    raise cli.InputError(
        f'{path}: is silent from {offset:g} s on; give a recording of the '
        'person\'s voice, or another --offset', cli.BAD_DATA)
  if len(samples) < _SEGMENT_SAMPLES:
    notice(f'{path}: has {len(samples) / reader.SAMPLE_RATE_HZ:.2f} s of '
           'sound, repeated to fill 4 s')
  return np.resize(levels / 32768.0, _SEGMENT_SAMPLES)


def reduce_image(path: str, low_size: int, high_size: int,
                 notice: Callable[[str], None], *,
                 stretch: bool = False) -> np.ndarray:
  """Makes the model's small input from a picture of any size.

  Args:
    path: Picture file.
    low_size: Side of the model's input.
    high_size: Side of the model's output.
    notice: Told when the picture is cut or very small.
    stretch: Whether the model was trained on stretched contrast.

  Returns:
    [low_size, low_size, 3] uint8.

  Raises:
    MediaError: If the file is no usable picture.
  """
  picture = reader.read_image(path)
  height, width = picture.shape[:2]
  if (height, width) == (low_size, low_size):
    return picture
  side = min(height, width)
  if height != width:
    notice(f'{path}: has {width}x{height} pixels; the square in its centre, '
           f'{side}x{side}, is used')
  if side < low_size:
    notice(f'{path}: has fewer than {low_size}x{low_size} pixels and is '
           'enlarged')
  # The road of a training picture: centre square, output size, degradation.
  picture = reader.read_image(path, high_size)
  from earsr_tf.evaluation import metrics  # pylint: disable=C0415
  return metrics.degrade_uint8(
      picture[np.newaxis], low_size, stretch=stretch)[0]


def _check_paths(image: str, audio: str, output: str) -> None:
  """Refuses bad paths at once, before anything is loaded."""
  for flag, path in (('image', image), ('audio', audio)):
    if not os.path.exists(path):
      raise cli.InputError(f'--{flag}={path}: no such file')
    if os.path.isdir(path):
      raise cli.InputError(
          f'--{flag}={path}: is a folder; name one file', cli.USAGE)
  if pathlib.Path(output).suffix.lower() != '.png':
    raise cli.InputError(
        f'--output={output}: must end in .png, the only format written',
        cli.USAGE)
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


def _check_consistency(facts: Mapping[str, Any], version: pathlib.Path,
                       consistency: str) -> None:
  """Refuses a correction that the model makes already, or that misleads."""
  consistency_mode.check_stretch(
      consistency, facts.get('low_res_stretch', False))
  built_in = facts.get('consistency', consistency_mode.OFF)
  if consistency_mode.OFF not in (built_in, consistency):
    raise cli.InputError(
        f'--consistency={consistency}: {version} was exported with '
        f'--consistency={built_in} and corrects its output itself; leave the '
        'flag out, or export the model with --consistency=off', cli.USAGE)


def main() -> None:
  """Super-resolves what the flags name."""
  values = flags.FLAGS
  warnings.filterwarnings('ignore', module='PIL')  # damaged files: we say why
  print(cli.printable(run(
      values.model, values.image, values.audio, values.output,
      offset=values.offset, consistency=values.consistency)))


if __name__ == '__main__':
  flags.DEFINE_string(
      'model', None, 'An export folder (newest version) or one version in it.')
  flags.DEFINE_string(
      'image', None, 'A picture of a face, or a folder of them.')
  flags.DEFINE_string(
      'audio', None, 'A sound or video file with the voice, a second or '
      'longer; for a folder of faces also a folder, paired by name.')
  flags.DEFINE_string(
      'output', None, 'A PNG to write; for a folder of faces a folder.')
  flags.DEFINE_float('offset', 0.0, 'Where the 4 s begin, in seconds.')
  shared_flags.define_consistency_flag('Fits the output to the 8x8 picture')
  flags.mark_flags_as_required(['model', 'image', 'audio', 'output'])
  cli.run(main)
