"""Where a super-resolved face goes: paths that are checked, whole files."""

from __future__ import annotations

import io
import os
import pathlib

import numpy as np
from PIL import Image

from earsr_tf import cli
from earsr_tf import durable
from earsr_tf import face_folder
from earsr_tf.media import reader


def write(output: str, face: np.ndarray) -> None:
  """Writes [S, S, 3] uint8 as its name's ending says, whole or not at all."""
  if output.lower().endswith('.png'):
    durable.write(output, reader.encode_png(face))
    return
  stream = io.BytesIO()
  Image.fromarray(face).save(stream, format='JPEG', quality=95, subsampling=0)
  durable.write(output, stream.getvalue())


def check_paths(
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
  cli.check_can_create(output)
