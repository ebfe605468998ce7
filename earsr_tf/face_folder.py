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

ENDINGS = ('.png', '.jpg', '.jpeg')  # of pictures that are written


@dataclasses.dataclass(frozen=True)
class Pair:
  """A face, its voice and where the result goes.

  Attributes:
    image: Picture file.
    audio: Sound or video file; '' if there is none.
    output: Picture to write.
    problem: Why nothing can be made of it; '' if nothing is known.
  """
  image: str
  audio: str
  output: str
  problem: str = ''


def list_pairs(image: str, audio: str | None, output: str, *,
               ending: str = '.png') -> list[Pair]:
  """Pairs the files below two folders by their paths without endings.

  Folders in folders are walked, links to folders are not; what is hidden is
  left out, and so is the folder of results. In one folder for both, what begins
  like a sound or a video is a voice and the rest is a face. A result lies and
  is called like the face without its ending, or with it where that alone tells
  faces apart.

  Args:
    image: Folder of faces.
    audio: Folder of voices, one voice for all, or None for no voice.
    output: Folder of results.
    ending: Of the results' names.

  Returns:
    A pair per face, in order of path.

  Raises:
    InputError: If a folder is missing, empty or cannot be used.
  """
  _check_output(image, output)
  faces, voices = _walk(image, 'image', output), None
  if audio is not None and os.path.isdir(audio):
    voices = _walk(audio, 'audio', output)
    if os.path.samefile(image, audio):
      voices = [p for p in faces if _is_voice(p)]
      faces = [p for p in faces if p not in set(voices)]
  elif audio is not None and not os.path.exists(audio):
    raise cli.InputError(f'--audio={audio}: no such file')
  if not faces:
    raise cli.InputError(f'--image={image}: holds no pictures')
  by_name = collections.defaultdict(list)
  for path in voices or ():
    by_name[path.relative_to(audio).with_suffix('')].append(path)
  names = [path.relative_to(image) for path in faces]
  counts = collections.Counter(name.with_suffix('') for name in names)
  pairs, taken = [], set()
  for path, name in zip(faces, names):
    stem = name.with_suffix('')
    found = by_name[stem] if voices is not None else [audio or '']
    problem = _problem(found, audio or '')
    target = f'{stem if counts[stem] == 1 else name}{ending}'
    if target in taken:
      problem = f'another face is written as {target}; rename one'
    taken.add(target)
    pairs.append(Pair(
        str(path), str(found[0]) if found else '',
        os.path.join(output, target), problem))
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


def _walk(folder: str, flag: str, output: str) -> list[pathlib.Path]:
  """All that lies below a folder and is no folder, in order of path."""
  def fail(error: OSError) -> None:
    """Ends the walk, which would pass an unreadable folder over."""
    raise error
  found, results = [], os.path.realpath(output)
  try:
    for root, folders, files in os.walk(folder, onerror=fail):
      folders[:] = [name for name in folders if name[0] != '.' and (
          os.path.realpath(os.path.join(root, name)) != results)]
      found += [pathlib.Path(root, name) for name in files if name[0] != '.']
  except FileNotFoundError:
    raise cli.InputError(f'--{flag}={folder}: no such folder') from None
  except OSError as e:
    raise cli.InputError(
        f'--{flag}={folder}: cannot be listed ({e.strerror})') from None
  return sorted(found)


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
      os.path.exists(output) or output.lower().endswith(ENDINGS)):
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
