"""Super-resolving a film: frame by frame, with its own voice and its sound.

Frames are read one by one, and what the model sees of each is kept; where the
face is found, they are read twice.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
from typing import Iterable, TypeVar

import numpy as np
import tqdm

from earsr_tf import cli
from earsr_tf import face_and_voice
from earsr_tf import face_finder
from earsr_tf import trained_model
from earsr_tf.media import face_path
from earsr_tf.media import film
from earsr_tf.media import film_writer
from earsr_tf.media import reader
from earsr_tf.media import talking_face
from earsr_tf.ops import consistency_mode
from earsr_tf.serving import film_faces

_T = TypeVar('_T')
_SCENE_SIDE = 960  # pixels of the longer side of what is not yet a face
_LOOKS_PER_S = 5.0
# Heard, and then given the weight 0.
_NO_VOICE = np.tile(
    np.float32([1e-3, -1e-3]), face_and_voice.SEGMENT_SAMPLES // 2)


@dataclasses.dataclass(frozen=True)
class Options:
  """How a film is made.

  Attributes:
    codes: 'shot' or 'frame': what has a code of its own.
    audio: File with the voice; None takes the film's own.
    offset: Where the 4 s of it begin, in seconds; None takes the loudest.
    strength: How much the voice counts, 0 to 1.5.
    consistency: Correction of the output, see `super_resolve`.
    loudness: See `super_resolve`.
    box: 'x,y,w,h' of the face in pixels of a frame, where it stays or, with
      `detect_faces`, where it is at first; '': the frame is the face, or there
      is one face to find.
    detect_faces: Whether the face is found, by mtcnn, and followed.
  """
  codes: str = film_faces.SHOT
  audio: str | None = None
  offset: float | None = None
  strength: float = 1.0
  consistency: str = consistency_mode.OFF
  loudness: str = face_and_voice.TRAINING
  box: str = ''
  detect_faces: bool = False


def run(model: str, video: str, output: str, options: Options,
        notice: face_and_voice.Notice = cli.notice) -> str:
  """Super-resolves a film.

  Args:
    model: Export folder (its newest version is used) or a version folder.
    video: The film: a square face track of at most 512 pixels, or a larger
      picture with `box` or `detect_faces`.
    output: An mp4, mov or mkv to write; its folder is created.
    options: How.
    notice: Told what was done to unusual inputs.

  Returns:
    What was written, for people.

  Raises:
    InputError: If a path, an option or the voice is unusable, or no face is
      found.
    MediaError: If the film is damaged, or none.
    ExportError: If the model is missing, damaged or too old.
    OSError: If the output cannot be written.
  """
  _check_paths(video, options.audio, output)
  facts = film.look_at(video)
  _check_picture(video, facts, options)
  voice = _voice(video, facts, options, notice)
  loaded = trained_model.load(model)
  options = dataclasses.replace(
      options, strength=loaded.check_voice(voice, options.strength))
  loaded.check_options(
      strength=options.strength, consistency=options.consistency)
  coder = loaded.coder()
  path = _find(video, facts, options, notice) if options.detect_faces else None
  seen = _look(loaded, video, facts, options, path)
  is_steady = options.codes == film_faces.SHOT and consistency_mode.OFF == (
      options.consistency) == loaded.facts.get(
          'consistency', consistency_mode.OFF)
  if is_steady:
    notice('each shot has one code and so one picture; --codes=frame makes one '
           'of each frame, --consistency=exact moves the one with its frames')
  faces = film_faces.make(
      coder, seen, _NO_VOICE if voice is None else voice, codes=options.codes,
      strength=options.strength, consistency=options.consistency,
      is_steady=is_steady)
  _write(output, faces, len(seen.low), facts, video, notice)
  return (f'{output}: {len(seen.low)} frames, {float(facts.rate):g} a second, '
          f'shots: {seen.shots[-1] + 1}')


def _look(model: trained_model.TrainedModel, video: str, facts: film.Facts,
          options: Options, path: face_path.Path | None) -> film_faces.Seen:
  """Reads a film: what the model sees of its frames, and its shots."""
  width, height, scale = _sizes(facts, options)
  box = face_finder.parse_box(options.box).scaled(scale) if (
      options.box and path is None) else None
  lows, smalls = [], []
  for number, frame in enumerate(_bar(
      film.frames(video, facts, width, height), 'frames read')):
    smalls.append(face_path.small(frame))
    if path is not None:
      box = face_finder.Box(*path.boxes[number])
    # What is said of the size of one would be said of each.
    lows.append(model.reduce(
        _face(frame, box, video), lambda _: None, name=video))
  if not lows:
    raise reader.MediaError(video, 'no frame could be decoded')
  low = np.stack(lows)
  if path is None:
    return film_faces.Seen(
        low, face_path.shots_of(smalls), np.ones(len(low), bool))
  return film_faces.Seen(low, path.shots, ~np.isnan(path.boxes[:, 0]))


def _face(frame: np.ndarray, box: face_finder.Box | None, name: str
          ) -> np.ndarray:
  """The square that is looked at of [H, W, 3]: [S, S, 3] uint8."""
  if box is None:
    return frame
  if np.isnan(box.left):  # no face
    return np.zeros([8, 8, 3], np.uint8)
  return face_finder.framed(frame, box, name)


def _find(video: str, facts: film.Facts, options: Options,
          notice: face_and_voice.Notice) -> face_path.Path:
  """Finds a face in some frames of each shot and follows it."""
  width, height, scale = _sizes(facts, options)
  every = max(1, round(float(facts.rate) / _LOOKS_PER_S))
  looks, smalls = {}, []
  for number, frame in enumerate(_bar(
      film.frames(video, facts, width, height), 'frames searched')):
    smalls.append(face_path.small(frame))
    if number % every == 0:
      looks[number] = np.array(
          [dataclasses.astuple(box) for box in face_finder.find(frame)]
      ).reshape(-1, 4)
  if not any(map(len, looks.values())):
    raise cli.InputError(
        f'{video}: no face was found; say where it is with --box=x,y,w,h and '
        'without --detect_faces', cli.BAD_DATA)
  first = np.array(dataclasses.astuple(face_finder.parse_box(
      options.box).scaled(scale))) if options.box else None
  try:
    path = face_path.follow(
        looks, face_path.shots_of(smalls), float(facts.rate), first)
  except face_path.SeveralFacesError as e:
    boxes = [face_finder.Box(*row).scaled(1 / scale) for row in e.boxes]
    raise cli.InputError(
        f'{video}: has {len(boxes)} faces at first; choose which is followed, '
        'from left to right: ' + ' '.join(f'--box={box}' for box in boxes),
        cli.BAD_DATA) from None
  if path.chosen:
    notice(f'{video}: of several faces the tallest is followed in the shots '
           f'from frame {", ".join(map(str, path.chosen))} on')
  absent = int(np.isnan(path.boxes[:, 0]).sum())
  if absent:
    notice(f'{video}: {absent} of {len(path.boxes)} frames are in shots '
           'without a face and become black')
  return path


def _voice(video: str, facts: film.Facts, options: Options,
           notice: face_and_voice.Notice) -> np.ndarray | None:
  """The 4 s that are heard, [64000] float32; None if there are none."""
  if options.audio is None and not facts.sound:
    notice(f'{video}: has no sound')
  else:
    try:
      return face_and_voice.read_voice(
          options.audio or video, options.offset, notice,
          loudness=options.loudness)
    except cli.InputError as e:
      if options.audio is not None or options.offset is not None:
        raise
      notice(str(e))
  notice(trained_model.NO_VOICE)
  return None


def _write(output: str, faces: Iterable[np.ndarray], count: int,
           facts: film.Facts, video: str, notice: face_and_voice.Notice
           ) -> None:
  """Writes faces as a film with the sound of another."""
  sound = (video, facts.sound) if facts.sound else None
  if sound and not film_writer.is_kept(output, facts.sound):
    notice(f'{video}: its sound, {facts.sound}, becomes AAC')
  faces = iter(_bar(faces, 'frames written', count))
  first = next(faces)
  with film_writer.writing(
      output, side=len(first), rate=facts.rate, sound=sound) as write:
    write(first)
    for face in faces:
      write(face)


def _sizes(facts: film.Facts, options: Options) -> tuple[int, int, float]:
  """Width and height at which frames are read, and these as a factor."""
  scale = 1.0
  if options.box or options.detect_faces:
    scale = min(1.0, _SCENE_SIDE / max(facts.width, facts.height))
  return (max(1, round(facts.width * scale)),
          max(1, round(facts.height * scale)), scale)


def _check_picture(video: str, facts: film.Facts, options: Options) -> None:
  """Refuses what shows more than a face, unless it is said where that is."""
  if options.box:
    face_finder.parse_box(options.box)
  elif not options.detect_faces and not (
      facts.width == facts.height <= talking_face.MAX_TRACK_SIDE):
    raise cli.InputError(
        f'{video}: has {facts.width} x {facts.height} pixels and so shows more '
        'than a face (a square of at most '
        f'{talking_face.MAX_TRACK_SIDE}); have it found with --detect_faces, '
        'or say where it is with --box=x,y,w,h', cli.BAD_DATA)


def _check_paths(video: str, audio: str | None, output: str) -> None:
  """Refuses bad paths at once."""
  for flag, path in (('video', video), ('audio', audio)):
    if path is not None and os.path.isdir(path):
      raise cli.InputError(
          f'--{flag}={path}: is a folder; name one file', cli.USAGE)
    if path is not None and not os.path.exists(path):
      raise cli.InputError(f'--{flag}={path}: no such file')
  if pathlib.Path(output).suffix.lower() not in film_writer.ENDINGS:
    raise cli.InputError(
        f'--output={output}: must end in {", ".join(film_writer.ENDINGS)}',
        cli.USAGE)
  if os.path.isdir(output) or (
      os.path.exists(output) and os.path.samefile(video, output)):
    raise cli.InputError(
        f'--output={output}: is a folder or the film itself; name another '
        'file', cli.USAGE)
  cli.check_can_create(output)


def _bar(items: Iterable[_T], what: str, total: int | None = None
         ) -> Iterable[_T]:
  """A progress bar over items, where somebody looks."""
  return tqdm.tqdm(items, what, total, leave=False, disable=None, unit='')
