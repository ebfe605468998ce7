"""Writes SyntheticVox, the procedural talking-face world, to a folder.

    python -m tools.make_synthetic --output=DIR --speakers=150 --seed=1

The result has VoxCeleb2's tree (paper section 4.1) and goes through
tools.prepare_voxceleb2 like the real one. See docs/synthetic.md.
"""

from __future__ import annotations

import os
import pathlib
import sys
import time

from absl import flags

from earsr_tf import cli
from earsr_tf.synthetic import tree
from earsr_tf.synthetic import world as world_lib

_OUTPUT = flags.DEFINE_string(
    'output', None, 'A folder to create; must be absent or empty.',
    required=True)
_SPEAKERS = flags.DEFINE_integer(
    'speakers', 150, 'Number of people.', lower_bound=1)
_SEED = flags.DEFINE_integer(
    'seed', 1, 'The same seed gives the same frames and samples.')
_VIDEOS = flags.DEFINE_integer(
    'videos_per_speaker', 3, 'Videos of each person.', lower_bound=1)
_CLIPS = flags.DEFINE_integer(
    'clips_per_video', 1, 'Clips of each video.', lower_bound=1)
_WORKERS = flags.DEFINE_integer(
    'workers', os.cpu_count() or 1, 'Processes.', lower_bound=1)
_OPEN_SET_SHARE = flags.DEFINE_float(
    'open_set_share', 0.2, 'Share of speakers kept out of training.',
    lower_bound=0.0, upper_bound=1.0)
_DRY_RUN = flags.DEFINE_bool(
    'dry_run', False, 'Check the flags, say what would be written, stop.')


def _show_progress(done: int, total: int) -> None:
  """A counter on a terminal, a line per tenth otherwise."""
  if sys.stderr.isatty():
    end = '\n' if done == total else ''
    print(f'\r{done} of {total} clips', end=end, file=sys.stderr, flush=True)
  elif done == total or done * 10 // total != (done - 1) * 10 // total:
    print(f'{done} of {total} clips', file=sys.stderr, flush=True)


def main() -> None:
  """Writes the tree and says what it took."""
  world = world_lib.World(
      speakers=_SPEAKERS.value, seed=_SEED.value,
      videos_per_speaker=_VIDEOS.value, clips_per_video=_CLIPS.value,
      open_set_share=_OPEN_SET_SHARE.value)
  output = pathlib.Path(_OUTPUT.value)
  start = time.monotonic()
  world_lib.check_world(world)
  tree.check_output(output)
  if _DRY_RUN.value:
    clips = world.speakers * world.videos_per_speaker * world.clips_per_video
    print(f'would write {clips} clips to {output}: {world}')
    return
  count = tree.write_tree(output, world, _WORKERS.value, _show_progress)
  seconds = time.monotonic() - start
  print(f'{output}: {count} clips of {world.speakers} people, '
        f'{seconds:.0f} s, {seconds / count:.2f} s a clip')


if __name__ == '__main__':
  cli.run(main)
