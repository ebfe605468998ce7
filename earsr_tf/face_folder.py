"""Super-resolving a folder: who belongs to whom, and a line per bad file."""

from __future__ import annotations

import collections
import dataclasses
import os
import pathlib
import sys
from typing import Callable, Iterable

from earsr_tf import cli
from earsr_tf.media import reader
from earsr_tf.media import sniffing


@dataclasses.dataclass(frozen=True)
class Pair:
  """A face, its voice and where the result goes.

  Attributes:
    image: Picture file.
    audio: Sound or video file; '' if there is none.
    output: PNG to write.
    problem: Why nothing can be made of it; '' if nothing is known.
  """
  image: str
  audio: str
  output: str
  problem: str = ''


def list_pairs(image: str, audio: str, output: str) -> list[Pair]:
  """Pairs the files of two folders by their names without endings.

  Hidden files are left out. In one folder for both, what begins like a sound
  or a video is a voice and the rest is a face. A result is called like the
  face without its ending, or with it where that alone tells faces apart.

  Args:
    image: Folder of faces.
    audio: Folder of voices, or one voice for all.
    output: Folder of results.

  Returns:
    A pair per face, in order of name.

  Raises:
    InputError: If a folder is missing, empty or cannot be used.
  """
  _check_output(image, output)
  faces, voices = _list(image, 'image'), None
  if os.path.isdir(audio):
    voices = _list(audio, 'audio')
    if os.path.samefile(image, audio):
      voices = [p for p in faces if _is_voice(p)]
      faces = [p for p in faces if p not in voices]
  elif not os.path.exists(audio):
    raise cli.InputError(f'--audio={audio}: no such file')
  if not faces:
    raise cli.InputError(f'--image={image}: holds no pictures')
  by_stem = collections.defaultdict(list)
  for path in voices or ():
    by_stem[path.stem].append(path)
  stems = collections.Counter(path.stem for path in faces)
  pairs, taken = [], set()
  for path in faces:
    name = path.stem if stems[path.stem] == 1 else path.name
    found = by_stem[path.stem] if voices is not None else [audio]
    problem = _problem(found, audio)
    if name in taken:
      problem = f'another face is written as {name}.png; rename one'
    taken.add(name)
    pairs.append(Pair(
        str(path), str(found[0]) if found else '',
        os.path.join(output, f'{name}.png'), problem))
  return pairs


def run(pairs: Iterable[Pair], one: Callable[[Pair], None]) -> tuple[int, int]:
  """Makes what can be made; prints a line on stderr for each that cannot.

  Args:
    pairs: What `list_pairs` found.
    one: Makes one; its errors carry sentences for people.

  Returns:
    Faces written and faces refused.
  """
  done = refused = 0
  for pair in pairs:
    try:
      if pair.problem:
        raise cli.InputError(f'{pair.image}: {pair.problem}')
      one(pair)
    except Exception as error:  # noqa: BLE001
      # One face must not cost the others; a bug is named as one.
      text = str(error)
      if not cli.exit_code(error):
        text = (f'{pair.image}: unexpected {type(error).__name__} '
                f'({text[:200]}); please report it')
      print(f'error: {cli.printable(text)}', file=sys.stderr, flush=True)
      refused += 1
    else:
      done += 1
  return done, refused


def _list(folder: str, flag: str) -> list[pathlib.Path]:
  """What lies in a folder, in order of name."""
  try:
    return sorted(
        p for p in pathlib.Path(folder).iterdir() if p.name[0] != '.')
  except FileNotFoundError:
    raise cli.InputError(f'--{flag}={folder}: no such folder') from None
  except OSError as e:
    raise cli.InputError(
        f'--{flag}={folder}: cannot be listed ({e.strerror})') from None


def _is_voice(path: pathlib.Path) -> bool:
  """Whether a file begins like a sound or a video."""
  try:
    return reader.sniff(path) in sniffing.SOUNDS + sniffing.VIDEOS
  except reader.MediaError:
    return False


def _problem(found: list[pathlib.Path | str], audio: str) -> str:
  """Why a face has not exactly one voice; '' if it has."""
  if not found:
    return f'there is no voice of the same name in {audio}'
  if found[1:]:
    names = ', '.join(os.path.basename(p) for p in found)
    return f'there are several voices of the same name ({names}); keep one'
  return ''


def _check_output(image: str, output: str) -> None:
  """Makes the folder of results; it must not be that of the faces."""
  if not os.path.isdir(output) and (
      os.path.exists(output) or output.endswith('.png')):
    raise cli.InputError(
        f'--output={output}: is a file, but --image={image} is a folder; name '
        'a folder for the results', cli.USAGE)
  try:
    os.makedirs(output, exist_ok=True)
  except OSError as e:
    raise cli.InputError(
        f'--output={output}: cannot be made ({e.strerror})',
        cli.CANNOT_CREATE) from None
  if os.path.samefile(image, output):
    raise cli.InputError(
        f'--output={output}: is the folder of the faces, which would be '
        'overwritten; name another', cli.USAGE)
