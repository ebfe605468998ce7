"""Writes SyntheticVox as VoxCeleb2's tree (paper section 4.1).

    dev/mp4/<speaker>/<video>/<clip>.mp4     224x224, 25 fps, H.264 + AAC
    dev/aac/<speaker>/<video>/<clip>.m4a     16 kHz mono AAC
    vox2_meta.csv                            as VoxCeleb2's, tab separated
    attributes.csv                           what VoxCeleb2 does not tell

The tree grows in a sibling folder and takes its name last, so a run that is
killed leaves nothing that looks finished.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import tempfile
from typing import Callable

from earsr_tf.synthetic import encode
from earsr_tf.synthetic import people
from earsr_tf.synthetic import worker
from earsr_tf.synthetic import world as world_lib


def check_output(output: pathlib.Path) -> None:
  """Raises TreeError unless `output` is absent or an empty folder."""
  if not output.exists():
    return
  if not output.is_dir():
    raise world_lib.TreeError(f'{output} is a file; choose a folder')
  if any(output.iterdir()):
    raise world_lib.TreeError(
        f'{output} is not empty; choose another folder or delete it first')


def write_tree(
    output: pathlib.Path, world: world_lib.World, workers: int,
    on_progress: Callable[[int, int], None] | None = None) -> int:
  """Writes a whole tree.

  Args:
    output: Folder to create; must be absent or empty.
    world: What to write.
    workers: Processes; 1 works in this one.
    on_progress: Called with (clips done, clips in all) after each speaker.

  Returns:
    The number of clips.

  Raises:
    TreeError: If `output` is taken or `world` makes no sense.
    EncodeError: If ffmpeg fails.
  """
  world_lib.check_world(world)
  check_output(output)
  output.parent.mkdir(parents=True, exist_ok=True)
  population = world.population()
  partial = pathlib.Path(tempfile.mkdtemp(
      prefix=f'{output.name}.unfinished-', dir=output.parent))
  try:
    count = _write_speakers(partial, world, population, workers, on_progress)
    _write_tables(partial, population)
    partial.chmod(0o755)
    os.replace(partial, output)
  finally:
    if partial.exists():
      shutil.rmtree(partial, ignore_errors=True)
  return count


def _write_speakers(
    root: pathlib.Path, world: world_lib.World, population: list[people.Person],
    workers: int, on_progress: Callable[[int, int], None] | None) -> int:
  """Writes every person's clips, in `workers` processes."""
  total = len(population) * world.videos_per_speaker * world.clips_per_video
  done = 0
  counts = (
      worker.run(root, world, workers) if workers > 1 else
      (world_lib.write_speaker(root, world, person) for person in population))
  for count in counts:
    done += count
    if on_progress:
      on_progress(done, total)
  if done != total:
    raise encode.EncodeError(
        f'{root}: {done} of {total} clips were written; see the lines above')
  return done


def _write_tables(
    root: pathlib.Path, population: list[people.Person]) -> None:
  """Writes both csv files, each by rename."""
  meta = ['Name\tVoxCeleb2 ID\tVGGFace2 ID\tGender\tSet']
  attributes = ['id,gender,age,open_set,seed']
  for index, person in enumerate(population):
    letter = 'm' if person.gender == people.MALE else 'f'
    meta.append('\t'.join((
        f'Synthetic_{person.speaker}', person.speaker, f'n{index + 1:06d}',
        letter, 'dev')))
    attributes.append(
        f'{person.speaker},{letter},{person.age:.1f},'
        f'{int(person.open_set)},{person.seed}')
  for name, lines in (
      ('vox2_meta.csv', meta), ('attributes.csv', attributes)):
    part = root / f'{name}.part'
    part.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    os.replace(part, root / name)
