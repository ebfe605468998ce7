"""Pictures and notes out of TensorBoard's event files, without TensorFlow.

An event file is a row of records: length (8 bytes), its checksum (4), an
Event message, its checksum (4). A file can be long: only places are kept, and
pictures are read when they are wanted.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import os
import pathlib
from typing import Iterator

from google.protobuf import message
from PIL import Image
from tensorboard.compat.proto import event_pb2

from earsr_tf.media import structure

_PNG_BYTES = 200_000  # a longer PNG goes into the page as JPEG
_QUALITY = 90
_TILES = 8  # pictures of one tag and moment


@dataclasses.dataclass(frozen=True)
class Picture:
  """A picture of a page.

  Attributes:
    images: When it was made: images shown.
    src: A data: address.
  """
  images: int
  src: str


@dataclasses.dataclass(frozen=True)
class Note:
  """An event in words.

  Attributes:
    images: When: images shown.
    tag: What it is about, such as 'weight/finetune/weight_distance'.
    text: The words.
  """
  images: int
  tag: str
  text: str


@dataclasses.dataclass
class Events:
  """What is in the event files of a stage.

  Attributes:
    notes: In order.
    places: Tag -> images -> (file, first byte, bytes) of the newest record.
    problems: Sentences about what could not be read.
  """
  notes: list[Note] = dataclasses.field(default_factory=list)
  places: dict[str, dict[int, tuple[pathlib.Path, int, int]]] = (
      dataclasses.field(default_factory=dict))
  problems: list[str] = dataclasses.field(default_factory=list)

  def pictures(self, tag: str) -> list[Picture]:
    """The first, the middle and the last pictures of a tag."""
    moments = sorted(self.places[tag])
    chosen = sorted({moments[0], moments[len(moments) // 2], moments[-1]})
    found = []
    for images in chosen:
      path, at, length = self.places[tag][images]
      with open(path, 'rb') as file:
        file.seek(at)
        event = event_pb2.Event.FromString(file.read(length))
      for value in event.summary.value:
        if value.tag == tag:
          for png in value.tensor.string_val[2:2 + _TILES]:  # [0:2] is the size
            self._add(found, images, png, tag)
    return found

  def _add(self, found: list[Picture], images: int, data: bytes, tag: str
           ) -> None:
    try:
      found.append(Picture(images, inline(data)))
    except ValueError as error:
      self.problems.append(f'{tag} at {images} images: {error}')


def inline(data: bytes) -> str:
  """A picture as a data: address; one that is long as JPEG.

  Args:
    data: A PNG.

  Raises:
    ValueError: If it cannot be decoded; says why.
  """
  reason = structure.problem('PNG', data)
  if reason:
    raise ValueError(f'a picture that {reason}')
  try:
    picture = Image.open(io.BytesIO(data), formats=('PNG',))
    picture.load()
  except (OSError, SyntaxError, ValueError, Image.DecompressionBombError
          ) as error:
    raise ValueError(f'a picture that cannot be decoded ({error})') from error
  kind = 'png'
  if len(data) > _PNG_BYTES:
    stream, kind = io.BytesIO(), 'jpeg'
    picture.convert('RGB').save(
        stream, 'JPEG', quality=_QUALITY, subsampling=0)  # sharp colours
    data = stream.getvalue()
  return f'data:image/{kind};base64,' + base64.b64encode(data).decode()


def read(folder: pathlib.Path) -> Events:
  """Reads the event files of a stage.

  Args:
    folder: `<stage>/train`; it need not be there.

  Returns:
    Notes and pictures; of those written twice, as after a kill, the newer.
  """
  events, notes, kinds = Events(), {}, {}
  for path in sorted(folder.glob('events.out.tfevents.*')):
    try:
      for at, data in _records(path):
        event = event_pb2.Event.FromString(data)
        for value in event.summary.value:
          # Later events of a tag may leave the kind out.
          kind = (value.metadata.plugin_data.plugin_name
                  or kinds.get(value.tag, ''))
          kinds[value.tag] = kind
          if kind == 'images':
            events.places.setdefault(value.tag, {})[event.step] = (
                path, at, len(data))
          elif kind == 'text' and value.tensor.string_val:
            notes[(event.step, value.tag)] = value.tensor.string_val[0].decode(
                'utf-8', 'replace')
    except (OSError, ValueError, message.DecodeError) as error:
      events.problems.append(f'{folder.name}/{path.name}: {error}')
  events.notes = [Note(*key, text) for key, text in sorted(notes.items())]
  return events


def _records(path: pathlib.Path) -> Iterator[tuple[int, bytes]]:
  """Yields the first byte and the content of each record.

  Raises:
    ValueError: At a record that is not whole.
  """
  with open(path, 'rb') as file:
    size = os.fstat(file.fileno()).st_size
    while head := file.read(12):
      at = file.tell()
      length = int.from_bytes(head[:8], 'little')
      if at + length + 4 > size:
        raise ValueError(
            f'the record at byte {at - len(head)} is not whole; what follows '
            'is left out')
      data = file.read(length)
      file.read(4)
      yield at, data
