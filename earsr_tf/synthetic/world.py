"""What a SyntheticVox tree holds, and how one person's share is written."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib

from earsr_tf.synthetic import clip as clip_lib
from earsr_tf.synthetic import encode
from earsr_tf.synthetic import people


class TreeError(ValueError):
  """The tree cannot be written there; the message names the remedy."""


@dataclasses.dataclass(frozen=True)
class World:
  """What a tree holds.

  Attributes:
    speakers: Number of people.
    seed: Everything follows from it.
    videos_per_speaker: Videos of each person.
    clips_per_video: Clips of each video.
    open_set_share: Share of speakers kept out of training.
  """
  speakers: int
  seed: int
  videos_per_speaker: int = 3
  clips_per_video: int = 1
  open_set_share: float = 0.2

  def population(self) -> list[people.Person]:
    """All people of the world."""
    return people.make_population(
        self.speakers, self.seed, self.open_set_share)


def check_world(world: World) -> None:
  """Raises TreeError if a number makes no sense."""
  for name in ('speakers', 'videos_per_speaker', 'clips_per_video'):
    value = getattr(world, name)
    if not 1 <= value <= 99999:
      raise TreeError(f'{name} is {value}; it must be from 1 to 99999')
  if not 0 <= world.open_set_share <= 1:
    raise TreeError(
        f'open_set_share is {world.open_set_share}; it must be from 0 to 1')


def video_names(person: people.Person, count: int) -> list[str]:
  """[count] names in YouTube's manner, 11 characters each."""
  letters = ('abcdefghijklmnopqrstuvwxyz'
             'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789')
  names = []
  for index in range(count):
    digest = hashlib.sha256(
        f'{person.seed}/{person.speaker}/{index}'.encode('utf-8')).digest()
    names.append(''.join(letters[byte % 62] for byte in digest[:11]))
  return names


def write_speaker(
    root: pathlib.Path, world: World, person: people.Person) -> int:
  """Writes all clips of one person; returns how many."""
  count = 0
  for video in video_names(person, world.videos_per_speaker):
    folders = [
        root / 'dev' / kind / person.speaker / video
        for kind in ('mp4', 'aac')]
    for folder in folders:
      folder.mkdir(parents=True, exist_ok=True)
    for index in range(world.clips_per_video):
      name = f'{index + 1:05d}'
      encode.write_clip(
          clip_lib.make_clip(person, video, name),
          folders[0] / f'{name}.mp4', folders[1] / f'{name}.m4a')
      count += 1
  return count
