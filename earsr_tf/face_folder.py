"""Super-resolving a folder: who belongs to whom, and a line per bad file.

Faces are computed in batches. While one is computed, threads read the files of
the next and write those of the last; no more is held in memory.
"""

from __future__ import annotations

import collections
from concurrent import futures
import dataclasses
import os
import pathlib
import sys
from typing import Any, Callable, Iterator, Sequence

import numpy as np

from earsr_tf import cli
from earsr_tf.media import picture
from earsr_tf.media import reader
from earsr_tf.media import sniffing

ENDINGS = ('.png', '.jpg', '.jpeg')  # of pictures that are written
_BATCH = 16  # faces computed at a time, which bounds the memory
_MOST_READERS = 4  # of large photographs each needs up to 1 GB


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
  faces, voices = list_files(image, audio, output)
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


def list_files(image: str, audio: str | None, output: str
               ) -> tuple[list[pathlib.Path], list[pathlib.Path] | None]:
  """Lists the files below two folders, as `list_pairs` says.

  Args:
    image: Folder of faces.
    audio: Folder of voices, one voice, or None.
    output: Folder of results, which is made.

  Returns:
    Faces, and voices if `audio` is a folder, in order of path; InputError
    if a folder is missing, empty or cannot be used.
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
  return faces, voices


@dataclasses.dataclass(frozen=True, kw_only=True)
class Work:
  """How faces are made of pairs; errors carry sentences for people.

  Attributes:
    read: What the model takes of a pair, telling notices to its second
      argument; called in threads.
    compute: [n, S, S, 3] uint8 of n things that `read` returned.
    write: Writes [S, S, 3] uint8 to a file; called in one thread.
    notice: Told, in order of the pairs, what was done to unusual inputs.
    is_threadsafe: Whether several pairs may be read at a time.
  """
  read: Callable[[Pair, Callable[[str], None]], Any]
  compute: Callable[[Sequence[Any]], np.ndarray]
  write: Callable[[str, np.ndarray], None]
  notice: Callable[[str], None] = cli.notice
  is_threadsafe: bool = True


@dataclasses.dataclass
class _Face:
  """What became of a pair: `made` of `inputs`, or an error."""
  pair: Pair
  notices: list[str] = dataclasses.field(default_factory=list)
  inputs: Any = None
  made: np.ndarray | None = None
  error: Exception | None = None


def run(pairs: Sequence[Pair], work: Work) -> tuple[int, int]:
  """Makes what can be made; prints a line on stderr for each that cannot.

  Args:
    pairs: What `list_pairs` found.
    work: How one is made.

  Returns:
    Faces written and faces refused.
  """
  threads = min(_MOST_READERS, os.cpu_count() or 1)
  readers = futures.ThreadPoolExecutor(threads if work.is_threadsafe else 1)
  done, last = 0, []
  # One thread writes: a process has one umask, which `durable` asks for.
  with futures.ThreadPoolExecutor(1) as writer:
    try:
      for batch in _read_ahead(pairs, work, readers):
        _compute(batch, work)
        written = [writer.submit(_write, face, work) for face in batch]
        done += _tell(last, work)
        last = written
      done += _tell(last, work)
    finally:
      readers.shutdown(cancel_futures=True)  # an interrupt waits for no more
  return done, len(pairs) - done


def _read_ahead(pairs: Sequence[Pair], work: Work, readers: futures.Executor
                ) -> Iterator[list[_Face]]:
  """Batches of pairs that were read; the next one is read meanwhile."""
  waiting: list[futures.Future] = []
  for first in range(0, len(pairs), _BATCH):
    ahead = [readers.submit(_read, pair, work)
             for pair in pairs[first:first + _BATCH]]
    if waiting:
      yield [future.result() for future in waiting]
    waiting = ahead
  yield [future.result() for future in waiting]


def _read(pair: Pair, work: Work) -> _Face:
  """Reads one pair."""
  face = _Face(pair)
  try:
    if pair.problem:
      raise cli.InputError(f'{pair.image}: {pair.problem}')
    face.inputs = work.read(pair, face.notices.append)
  except Exception as error:  # noqa: BLE001
    face.error = error  # one face must not cost the others
  return face


def _compute(faces: Sequence[_Face], work: Work) -> None:
  """Makes all faces at once, or one by one where that fails."""
  faces = [face for face in faces if face.error is None]
  if not faces:
    return
  try:
    made = work.compute([face.inputs for face in faces])
  except Exception as error:  # noqa: BLE001
    if not faces[1:]:
      faces[0].error = error
    else:
      for face in faces:
        _compute([face], work)
  else:
    for face, image in zip(faces, made):
      face.made = image


def _write(face: _Face, work: Work) -> _Face:
  """Writes one face, unless there is none."""
  if face.error is None:
    try:
      work.write(face.pair.output, face.made)
    except Exception as error:  # noqa: BLE001
      face.error = error
  return face


def _tell(written: Sequence[futures.Future], work: Work) -> int:
  """Tells what became of faces; returns how many were written."""
  faces = [future.result() for future in written]
  with picture.stderr_lock:
    for face in faces:
      for text in face.notices:
        work.notice(text)
      if face.error is not None:
        print(f'error: {cli.printable(_sentence(face))}', file=sys.stderr,
              flush=True)
  return sum(face.error is None for face in faces)


def _sentence(face: _Face) -> str:
  """What is wrong with a face; a bug is named as one."""
  text = str(face.error)
  if cli.exit_code(face.error):
    return text
  return (f'{face.pair.image}: unexpected {type(face.error).__name__} '
          f'({text[:200]}); please report it')


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
