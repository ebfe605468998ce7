"""python -m earsr_tf.evaluate --run_root=DIR --data_dir=DIR: tables, figures.

Writes evaluation.json, tables.md, fig4.png, fig6.png, fig7_<set>.png,
fig8.png, fig10_<set>.png, fig_floors.png and samples_<set>.csv to --output and
prints the short table. --consistency adds rows after a correction,
--floors=false leaves out those of linear methods. With --images=DIR it scores
pictures instead: strips of tiles, or outputs whose originals are in
--truth=DIR.
"""

from __future__ import annotations

import os
import pathlib
from typing import Any, Iterator, Mapping

from absl import flags

from earsr_tf import cli
from earsr_tf import durable
from earsr_tf import export
from earsr_tf import flags as shared_flags
from earsr_tf.evaluation import judge_choice
from earsr_tf.ops import consistency_mode

PICTURE_OUTPUT = 'picture_scores'
TITLE = 'Face super-resolution by eye and ear'


def run(
    run_root: str,
    data_dir: str,
    output: str = '',
    *,
    frames_per_clip: int = 2,
    batch_size: int = 16,
    seed: int = 0,
    people: int = 5,
    note: str = '',
    consistency: str = consistency_mode.OFF,
    floors: bool = True,
    choice: judge_choice.JudgeChoice = judge_choice.JudgeChoice(),
) -> Mapping[str, Any]:
  """Evaluates a run folder on the closed and the open test set.

  Args:
    run_root: Folder of the stages' folders.
    data_dir: Folder of prepared shards.
    output: Result folder; default <run_root>/evaluation.
    frames_per_clip: Frames per clip, each with its own voice segment.
    batch_size: Images at a time.
    seed: Chooses frames, segments, other voices, and the bootstrap.
    people: People per set in the figures.
    note: Small print of the figures, such as the training time.
    consistency: 'off', or the correction ('exact' or a number of
      back-projection steps) that adds rows beside the faithful ones.
    floors: Adds rows of linear methods that see what the networks see.
    choice: Judges of others that take the place of the compact ones.

  Returns:
    What evaluation.json holds.

  Raises:
    ConfigError: If a judge's file is unusable.
    InputError: If a path is unusable.
    CheckpointError: If nothing is trained, or a checkpoint does not fit.
    DataError: If the data folder is incomplete.
  """
  export.check_run_root(run_root)
  from earsr_tf.data import manifest
  manifest.read_manifest(data_dir)  # refuses bad data before TensorFlow loads
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf.evaluation import evaluator
  from earsr_tf.evaluation import report
  from earsr_tf.evaluation import tables
  from earsr_tf.training import memory
  with memory.explained(
      f'evaluation of {run_root}',
      f'use --batch_size={max(1, batch_size // 2)} instead of {batch_size}'
      if batch_size > 1 else 'use a machine with more memory'):
    evaluation = evaluator.evaluate(
        run_root, data_dir, frames_per_clip=frames_per_clip,
        batch_size=batch_size, seed=seed, consistency=consistency,
        floors=floors, choice=choice)
  folder = pathlib.Path(output or os.path.join(run_root, 'evaluation'))
  for name, picture in _pictures(evaluation, people, note).items():
    durable.write(folder / name, picture)
  for name, part in evaluation.sets.items():
    durable.write(
        folder / f'samples_{name}.csv',
        tables.samples_csv(part.scores, part.clips).encode('utf-8'))
  durable.write(
      folder / 'tables.md',
      tables.markdown(evaluation.results).encode('utf-8'))
  durable.write(  # last: its presence says that all is there
      folder / 'evaluation.json', report.to_json(evaluation.results))
  return evaluation.results


def score_pictures(
    images: str,
    truth: str = '',
    output: str = '',
    *,
    consistency: str = consistency_mode.OFF,
    descriptor: str = '',
) -> Mapping[str, Any]:
  """Scores pictures that exist already.

  Args:
    images: Folder of strips (original, input, E_l, F) or, with `truth`, of
      outputs.
    truth: Folder of originals with the same names.
    output: Result folder for pictures.json and pictures.csv; default
      `PICTURE_OUTPUT`.
    consistency: Adds rows after this correction unless 'off'.
    descriptor: 'dlib' adds distances of faces; see `dlib_faces`.

  Returns:
    What pictures.json holds.

  Raises:
    InputError: If `output` is unusable.
    ConfigError: If dlib is asked for and missing.
    MediaError: If a folder or a picture is unusable.
  """
  from earsr_tf.evaluation import picture_folder
  folder = pathlib.Path(output or PICTURE_OUTPUT)
  _check_output(folder, images, truth)

  def read() -> Iterator[picture_folder.Picture]:
    """A pass over the pictures."""
    if truth:
      return picture_folder.read_pairs(images, truth)
    return picture_folder.read_strips(images)
  for _ in read():  # refuses bad pictures before TensorFlow loads
    pass
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf.evaluation import pictures
  from earsr_tf.evaluation import report
  from earsr_tf.evaluation import tables
  names, scores = pictures.score(read(), consistency, descriptor)
  results = pictures.results(
      names, scores, consistency, images=images, truth=truth)
  durable.write(
      folder / 'pictures.csv',
      tables.samples_csv(scores, names).encode('utf-8'))
  durable.write(folder / 'pictures.json', report.to_json(results))
  return results


def _check_output(folder: pathlib.Path, images: str, truth: str) -> None:
  """Refuses a result folder that is a file or holds the pictures."""
  if folder.is_file():
    raise cli.InputError(
        f'--output={folder}: is a file; name a folder', cli.USAGE)
  for flag, pictures in (('images', images), ('truth', truth)):
    if pictures and folder.resolve() == pathlib.Path(pictures).resolve():
      raise cli.InputError(
          f'--output={folder}: is the folder of --{flag}; name another',
          cli.USAGE)


def _pictures(evaluation: Any, people: int, note: str) -> dict[str, bytes]:
  """File name -> PNG of every figure that the run's networks can make."""
  from earsr_tf.evaluation import evaluator
  from earsr_tf.evaluation import figures
  groups = {name: part.people for name, part in evaluation.sets.items()}
  made = {'fig6.png': figures.comparison_strips(groups, people, TITLE, note)}
  keys = evaluation.reconstructor.keys
  if (evaluation.results['floors'] or {}).get('values'):
    made['fig_floors.png'] = figures.floor_strips(groups, people)
  if {'a', 'b'} <= keys:
    made['fig4.png'] = figures.inversion_strips(groups, people)
  if evaluation.optional_keys & {'lapsrn', 'wavelet_srnet'}:
    made['fig8.png'] = figures.comparator_strips(groups, people)
  for name, group in groups.items():
    chosen = figures.choose(group, people)
    if 'd' in keys:
      made[f'fig7_{name}.png'] = figures.voice_row(
          chosen, f'A face from a voice alone, {name} set (Fig. 7)')
    if 'h' in keys and len(chosen) > 1:
      made[f'fig10_{name}.png'] = figures.mixing_matrix(
          chosen, evaluator.mix_matrix(evaluation.reconstructor, chosen),
          f'Editing by mixing voices, {name} set (Fig. 10)')
  return {name: figures.to_png(picture) for name, picture in made.items()}


def main() -> None:
  """Evaluates what the flags name."""
  values = flags.FLAGS
  if values.images or values.truth:
    _score_named_pictures()
    return
  results = run(
      values.run_root, values.data_dir, values.output,
      frames_per_clip=values.frames_per_clip, batch_size=values.batch_size,
      seed=values.seed, people=values.people, note=values.note,
      consistency=values.consistency, floors=values.floors,
      choice=judge_choice.JudgeChoice(
          values.vgg_face, values.gender_weights, values.age_weights,
          values.descriptor, values.fid))
  from earsr_tf.evaluation import report
  from earsr_tf.evaluation import trust
  print(report.summary(results))
  if said := trust.sentence(results):
    print(said)
  print(values.output or os.path.join(values.run_root, 'evaluation'))


def _score_named_pictures() -> None:
  """Scores the folders of --images and --truth."""
  values = flags.FLAGS
  if not values.images:
    raise cli.InputError(
        f'--truth={values.truth}: name the outputs with --images', cli.USAGE)
  for name in ('run_root', 'data_dir'):
    if values[name].present:
      raise cli.InputError(
          f'--images scores pictures without a model; leave out --{name}',
          cli.USAGE)
  results = score_pictures(
      values.images, values.truth, values.output,
      consistency=values.consistency, descriptor=values.descriptor)
  from earsr_tf.evaluation import pictures
  print(pictures.summary(results))
  print(values.output or PICTURE_OUTPUT)


if __name__ == '__main__':
  flags.DEFINE_string('run_root', 'runs', 'Folder of all stages of a run.')
  flags.DEFINE_string('data_dir', 'data', 'Folder of the prepared shards.')
  flags.DEFINE_string(
      'output', '', 'Result folder; default <run_root>/evaluation, with '
      f'--images {PICTURE_OUTPUT}.')
  flags.DEFINE_string(
      'images', '', 'Folder of pictures to score: strips of four tiles '
      '(original, input, E_l, F), or outputs with --truth.')
  flags.DEFINE_string(
      'truth', '', 'Folder of the originals of --images, same names.')
  shared_flags.define_consistency_flag('Adds rows after a correction')
  flags.DEFINE_integer(
      'frames_per_clip', 2, 'Frames per clip.', lower_bound=1)
  flags.DEFINE_integer('batch_size', 16, 'Images at a time.', lower_bound=1)
  flags.DEFINE_integer('seed', 0, 'Frames, segments, voices and bootstrap.')
  flags.DEFINE_integer(
      'people', 5, 'People per set in the figures.', lower_bound=1)
  flags.DEFINE_bool(
      'floors', True, 'Adds rows of linear methods, which the networks should '
      'beat: about a minute for 5,000 training frames on two cores.')
  flags.DEFINE_string('note', '', 'Small print of the figures.')
  flags.DEFINE_enum(
      'descriptor', '', ('', 'dlib'), 'Adds distances of faces by dlib, which '
      'needs the packages dlib-bin and face-recognition-models.')
  flags.DEFINE_string(
      'fid', '', 'Adds FID and KID by features of: judge, or the folder of a '
      'SavedModel, images [B, S, S, 3] in [-1, 1] -> [B, D].')
  flags.DEFINE_string(
      'vgg_face', '', 'VGG-Face in Keras .h5 (keras-vggface or deepface), for '
      'C_i; default: the compact judge.')
  flags.DEFINE_string(
      'gender_weights', '', "deepface's gender_model_weights.h5, for C_g.")
  flags.DEFINE_string(
      'age_weights', '', "deepface's age_model_weights.h5, for C_a.")
  cli.run(main)
