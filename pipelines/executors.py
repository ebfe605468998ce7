"""The work of the components: each calls what the commands call.

Nothing heavy is imported before it is needed, so that a plan can be printed
and a mistake reported at once.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
import pathlib
import shutil
from typing import Iterator, Sequence

from absl import logging

from earsr_tf import config as config_lib
from earsr_tf import config_json
from earsr_tf import durable
from earsr_tf.data import manifest as manifest_lib
from pipelines import artifacts
from pipelines import fingerprint

RUNS = 'runs'  # below the root: one run folder, shared by all stages
KEYS = 'keys'  # below the root: what each stage was trained for
CONFIG = 'config.json'  # below the root: the configuration of all stages
PICTURE = 'result.png'
_POINTER = 'run.json'


@contextlib.contextmanager
def step(name: str, doing: str) -> Iterator[None]:
  """Announces a step; an error that leaves it carries the step's name."""
  logging.info('%s: %s', name, doing)
  try:
    yield
  except Exception as error:
    error.add_note(f'component: {name}')
    raise


def make_synthetic(
    tree: artifacts.Tree, *, speakers: int, videos: int, clips: int,
    open_share: float, seed: int) -> None:
  """Films a SyntheticVox into the artifact's folder."""
  from earsr_tf.data.datasets import synthetic
  doing = f'filming {speakers} people, {videos} videos of each'
  with step('MakeSynthetic', doing):
    path = os.path.join(tree.uri, 'tree')
    synthetic.make_tree(
        path, speakers=speakers, seed=seed, videos_per_speaker=videos,
        clips_per_video=clips, open_set_share=open_share,
        workers=os.cpu_count() or 1,
        on_progress=_log_tenths)
    tree.path = path


def _log_tenths(done: int, total: int) -> None:
  """Logs progress ten times."""
  if done * 10 // total != (done - 1) * 10 // total:
    logging.info('MakeSynthetic: %d of %d clips', done, total)


def use_tree(tree: artifacts.Tree, *, path: str) -> None:
  """Points at a tree that exists; nothing is copied."""
  with step('UseTree', path):
    durable.write_json(pathlib.Path(tree.uri) / 'tree.json', {'path': path})
    tree.path = path


def prepare(
    tree: artifacts.Tree, shards: artifacts.Shards, *, dataset: str) -> None:
  """Turns a tree into shards in the artifact's folder."""
  from pipelines.ingest import prepare
  with step('Prepare', f'decoding and splitting {tree.path}'):
    prepare.run(tree.path, shards.uri, dataset)
    _describe_shards(shards, shards.uri, dataset)


def use_shards(shards: artifacts.Shards, *, path: str, dataset: str) -> None:
  """Points at shards that exist; nothing is copied."""
  with step('UseShards', path):
    durable.write_json(pathlib.Path(shards.uri) / 'shards.json', {'path': path})
    _describe_shards(shards, path, dataset)


def _describe_shards(
    shards: artifacts.Shards, path: str, dataset: str) -> None:
  """Fills the artifact of finished shards."""
  manifest = manifest_lib.read_manifest(path)
  shards.path = path
  shards.dataset = dataset
  shards.records = sum(
      shard.records for split in manifest.splits.values() for shard in split)
  shards.sha256 = manifest.sha256


def _trained_for(
    stage: str, root: pathlib.Path, wanted: str) -> bool:
  """Returns whether the run folder's stage was begun for this very purpose.

  Notes the purpose for the next time otherwise.
  """
  path = root / KEYS / f'{stage}.json'
  begun = None
  if path.is_file():
    begun = json.loads(path.read_text(encoding='utf-8'))['key']
  if begun == wanted:
    return True
  # The old run goes first: killed in between, nothing stale looks right.
  shutil.rmtree(root / RUNS / stage, ignore_errors=True)
  durable.write_json(path, {'stage': stage, 'key': wanted})
  return False


def train(
    stage: str, shards: artifacts.Shards, run: artifacts.TrainedStage,
    needs: Sequence[artifacts.TrainedStage], *, root: str,
    key: tuple[str, str]) -> None:
  """Trains a stage in <root>/runs; the artifact points there.

  All runs of a pipeline share that folder, so that an interrupted stage goes
  on where it stopped. A stage that was begun with other settings, code, data
  or inputs starts anew.

  Args:
    stage: Name of the stage.
    shards: Data.
    run: The result.
    needs: Finished stages that this one restores.
    root: Folder of the pipeline.
    key: What the result depends on besides: settings and code.
  """
  from earsr_tf import train as train_lib
  with step(stage, 'training'):
    home = pathlib.Path(root)
    config = config_json.from_json(
        json.loads((home / CONFIG).read_text(encoding='utf-8')))
    parts = [*key, shards.sha256, *(need.sha256 for need in needs)]
    _trained_for(
        stage, home, hashlib.sha256('\0'.join(parts).encode()).hexdigest())
    run_root = str(home / RUNS)
    train_lib.run(
        config, stage, dataset=shards.dataset, data_dir=shards.path,
        run_root=run_root, replicas=1)
    _describe_run(stage, run, run_root)
  _forget_graphs()


def _describe_run(
    stage: str, run: artifacts.TrainedStage, run_root: str) -> None:
  """Fills the artifact of a finished stage."""
  folder = pathlib.Path(run_root) / stage
  finished = json.loads(
      (folder / 'finished.json').read_text(encoding='utf-8'))
  weights = sorted((folder / 'checkpoints').glob(f'{finished["checkpoint"]}.*'))
  run.stage = stage
  run.run_root = run_root
  run.images = finished['images']
  run.sha256 = fingerprint.files(weights)
  durable.write_json(pathlib.Path(run.uri) / _POINTER, {
      'run': str(folder), 'sha256': run.sha256, **finished})


def _forget_graphs() -> None:
  """Frees what a stage traced: all stages live in one process."""
  import tensorflow as tf
  tf.keras.backend.clear_session()
  gc.collect()


def _training_seconds(run_root: str) -> float:
  """Returns the seconds that the stages of a run took to train."""
  paths = pathlib.Path(run_root).glob('*/finished.json')
  return sum(
      json.loads(path.read_text(encoding='utf-8')).get('seconds', 0.0)
      for path in paths if path.parent.name in config_lib.STAGES)


def evaluate(
    shards: artifacts.Shards, fusion: artifacts.TrainedStage,
    report: artifacts.Report) -> None:
  """Writes tables and figures into the artifact's folder."""
  from earsr_tf import evaluate as evaluate_lib
  with step('Evaluate', 'closed and open test sets'):
    seconds = _training_seconds(fusion.run_root)
    evaluate_lib.run(
        fusion.run_root, shards.path, report.uri,
        note=f'Training of all stages took {seconds / 60:.1f} minutes on '
        f'{os.cpu_count()} CPU cores.')
  _forget_graphs()


def export(fusion: artifacts.TrainedStage, model: artifacts.Model) -> None:
  """Exports a SavedModel into the artifact's folder."""
  from earsr_tf import export as export_lib
  with step('Export', 'SavedModel'):
    folder = export_lib.run(fusion.run_root, model.uri)
    model.version = os.path.basename(folder)
  _forget_graphs()


def super_resolve(
    shards: artifacts.Shards, report: artifacts.Report,
    model: artifacts.Model, samples: artifacts.Samples, *, root: str,
    people: int) -> None:
  """Puts held-out people through the exported model, as a user would.

  Writes <set>-<number>-{input.png, voice.wav, output.png, truth.png} and
  copies the evaluation's strips to <root>/result.png.

  Args:
    shards: Data.
    report: The evaluation.
    model: The exported model.
    samples: The result.
    root: Folder of the pipeline.
    people: How many, over both test sets.
  """
  from pipelines import samples as samples_lib
  with step('SuperResolve', f'{people} held-out people'):
    samples_lib.write(shards.path, model.uri, samples.uri, people)
    picture = pathlib.Path(root) / PICTURE
    partial = picture.with_name(f'.{picture.name}.{os.getpid()}')
    shutil.copyfile(os.path.join(report.uri, 'fig6.png'), partial)
    os.replace(partial, picture)
