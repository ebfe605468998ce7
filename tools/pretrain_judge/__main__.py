"""python -m tools.pretrain_judge OUTPUT.npz: a face descriptor.

Draws people of a world that no data set is made of and trains
`models/face_descriptor.py` on them. See docs/evaluation.md.
"""

from __future__ import annotations

import io
import os
import pathlib

from absl import flags
import numpy as np

from earsr_tf import cli
from earsr_tf import durable
from earsr_tf.models import face_descriptor
from tools.pretrain_judge import stills as stills_lib
from tools.pretrain_judge import training

# Of the worlds; no data set of the docs or the tests has one of them.
_SEEDS = {face_descriptor.JUDGE: 777_001, face_descriptor.FEATURES: 777_002}


def _show(seen: training.Seen) -> None:
  """Prints held-out figures."""
  print(f'{seen.images} images, loss {seen.loss:.3f}; unseen people: '
        f'{100 * seen.person:.1f} % named, gender {100 * seen.gender:.1f} %',
        flush=True)


def main(output: str) -> None:
  """Draws, trains and writes.

  Raises:
    InputError: If the output cannot be written.
  """
  options = flags.FLAGS
  path = pathlib.Path(output)
  if path.suffix != '.npz' or not path.parent.is_dir():
    raise cli.InputError(
        f'{output}: name a file that ends with .npz in a folder that exists',
        cli.CANNOT_CREATE)
  stills = stills_lib.draw(
      speakers=options.speakers, videos=options.videos,
      seed=_SEEDS[options.purpose],
      workers=os.cpu_count() or 1)
  print(f'{stills.pictures.shape[0]} people, {stills.pictures.shape[1]} '
        'pictures of each', flush=True)
  weights = training.train(
      stills, held_out=options.held_out, images=options.images,
      seed=options.seed, report_every=options.images // 30, report=_show)
  file = io.BytesIO()
  np.savez(file, **weights)
  durable.write(path, file.getvalue())


if __name__ == '__main__':
  flags.DEFINE_enum(
      'purpose', face_descriptor.JUDGE, sorted(_SEEDS),
      'Who reads it: judges, or the losses of training. Says which people.')
  flags.DEFINE_integer('speakers', 1_600, 'People.', lower_bound=4)
  flags.DEFINE_integer('videos', 12, 'Pictures of each.', lower_bound=3)
  flags.DEFINE_integer(
      'held_out', 100, 'People who are not trained on.', lower_bound=2)
  flags.DEFINE_integer(
      'images', 560_000, 'Pictures to show in training.', lower_bound=6_400)
  flags.DEFINE_integer('seed', 1, 'Of weights and order.')
  cli.run(main, argument='file to write (.npz)')
