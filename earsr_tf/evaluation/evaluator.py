"""Scores every row of Table 1 on the closed and on the open set."""

from __future__ import annotations

import dataclasses
from typing import Any, Mapping, Sequence

import numpy as np
import tensorflow as tf

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.evaluation import ablations
from earsr_tf.evaluation import attributes
from earsr_tf.evaluation import blur_curve
from earsr_tf.evaluation import comparators as comparators_lib
from earsr_tf.evaluation import comparisons
from earsr_tf.evaluation import corrections
from earsr_tf.evaluation import dlib_faces
from earsr_tf.evaluation import feature_distances
from earsr_tf.evaluation import floor_fitting
from earsr_tf.evaluation import floor_marks
from earsr_tf.evaluation import judge_choice
from earsr_tf.evaluation import judges as judges_lib
from earsr_tf.evaluation import linear_floors
from earsr_tf.evaluation import metrics
from earsr_tf.evaluation import report as report_lib
from earsr_tf.evaluation import rows as rows_lib
from earsr_tf.evaluation import sweep as sweep_lib
from earsr_tf.evaluation import trust
from earsr_tf.ops import consistency_mode

SETS = {'closed': 'closed_test', 'open': 'open_test'}
_INPUTS = (keys.IMAGE_HIGH, keys.WAVEFORM, keys.SPEAKER, keys.GENDER,
           keys.AGE, keys.CLIP)


@dataclasses.dataclass(frozen=True)
class SetResult:
  """Everything measured on one test set.

  Attributes:
    report: JSON-ready: split, counts, `rows`, `mixing`, `comparisons`.
    scores: Row key -> score -> [N] float64, NaN where not applicable.
    clips: [N] clip names.
    speakers: [N] speaker indices.
    people: One image per person, for the figures.
  """
  report: Mapping[str, Any]
  scores: Mapping[str, Mapping[str, np.ndarray]]
  clips: list[str]
  speakers: np.ndarray
  people: list[sweep_lib.Person]


@dataclasses.dataclass(frozen=True)
class Evaluation:
  """Results of a run folder.

  Attributes:
    results: What evaluation.json holds.
    sets: 'closed' and 'open' -> result; a set without clips is absent.
    reconstructor: The restored networks, for the figures.
    optional_keys: Rows of other methods and of ablations.
  """
  results: Mapping[str, Any]
  sets: Mapping[str, SetResult]
  reconstructor: rows_lib.Reconstructor
  optional_keys: frozenset[str] = frozenset()


def evaluate(
    run_root: str,
    data_dir: str,
    *,
    sets: Sequence[str] = ('closed', 'open'),
    frames_per_clip: int = 2,
    batch_size: int = 16,
    seed: int = 0,
    consistency: str = consistency_mode.OFF,
    floors: bool = True,
    choice: judge_choice.JudgeChoice = judge_choice.JudgeChoice(),
) -> Evaluation:
  """Evaluates all rows that a run folder can make.

  Args:
    run_root: Folder of the stages' folders.
    data_dir: Folder of prepared shards.
    sets: Names out of `SETS`.
    frames_per_clip: Frames per clip, each with its own voice segment.
    batch_size: Images at a time.
    seed: Chooses frames, segments, other voices, and the bootstrap.
    consistency: Adds corrected rows (see `corrections.rows`) unless it is
      'off' and `model.consistency` is, too.
    floors: Adds linear rows; see `linear_floors`.
    choice: Judges of others that take the place of the compact ones.

  Returns:
    The evaluation.

  Raises:
    ConfigError: If a judge's file is unusable.
    CheckpointError: If nothing is trained, or a checkpoint does not fit.
    DataError: If the data folder is incomplete or holds no test clip.
  """
  info = batching.data_info(data_dir)
  if not any(info.records.get(SETS[name], 0) for name in sets):
    raise manifest_lib.DataError(
        f'{data_dir}: no test clip in {", ".join(SETS[n] for n in sets)}; '
        'prepare more people or more videos per person')
  reconstructor = rows_lib.load(run_root, len(info.speakers))
  if consistency == consistency_mode.OFF:
    consistency = reconstructor.config.model.consistency
  consistency_mode.check_stretch(
      consistency, reconstructor.config.model.low_res_stretch)
  if choice.descriptor:
    _check_descriptor(data_dir)
  judges = judges_lib.assemble(
      reconstructor.config, reconstructor.classifier, data_dir,
      4 * batch_size, choice)
  reconstructor.classifier = judges.classifier
  model = reconstructor.config.model
  others = ablations.load(run_root, model) + comparators_lib.load(
      run_root, model)
  linear = (floor_fitting.fit(reconstructor, data_dir, seed=seed)
            if floors else None)
  done = {}
  for name in sets:
    result = evaluate_set(
        reconstructor, data_dir, name, frames_per_clip=frames_per_clip,
        batch_size=batch_size, seed=seed, consistency=consistency,
        floors=linear, descriptor=choice.descriptor, features=judges.features,
        others=others)
    if result is not None:
      done[name] = result
  parts = {name: result.report for name, result in done.items()}
  results = _results(
      reconstructor, others, linear, parts, consistency,
      _judge(reconstructor, parts, data_dir, batch_size, seed),
      names=judges.names,
      seed=seed, run_root=run_root, data_dir=data_dir,
      **({'fid_features': judges.features_name} if choice.fid else {}),
      data_manifest_sha256=info.manifest_sha256)
  return Evaluation(results, done, reconstructor, frozenset(
      row.key for row in others.rows))


def _check_descriptor(data_dir: str) -> None:
  """Refuses what is no real face, and a package that is not there."""
  dlib_faces.check_installed()
  if manifest_lib.read_manifest(data_dir).dataset == 'synthetic':
    raise manifest_lib.DataError(
        f'--descriptor=dlib: reads real faces, and {data_dir} holds drawn '
        'ones; leave it out')


def _results(
    reconstructor: rows_lib.Reconstructor,
    others: comparators_lib.OptionalRows,
    floors: linear_floors.Floors | None, parts: Mapping[str, Any],
    consistency: str, judge: Mapping[str, Any], *,
    names: Mapping[str, Mapping[str, Any]], **facts: Any
) -> dict[str, Any]:
  """What evaluation.json holds."""
  config = reconstructor.config
  known = rows_lib.ROWS + others.rows
  rows = known + tuple(others.skipped) + (floors.rows if floors else ())
  rows += corrections.rows(known, consistency)
  return {
      'format': 1,
      'provenance': report_lib.provenance(
          preset=config.preset, training_seed=config.seed, **facts),
      'protocol': [metrics.PROTOCOL, attributes.PROTOCOL],
      'consistency': consistency,
      'rows': {row.key: {'label': row.label, 'networks': row.sources}
               for row in rows},
      'skipped': reconstructor.skipped | {
          row.key: reason for row, reason in others.skipped.items()} | (
              floors.skipped if floors else {}),
      'judge': judge,
      'judges': names,
      'floors': floors and {
          **floors.facts, 'below_floor': floor_marks.below(parts)},
      'sets': parts}


def _judge(
    reconstructor: rows_lib.Reconstructor, parts: Mapping[str, Any],
    data_dir: str, batch_size: int, seed: int) -> dict[str, Any]:
  """Whether the judges can see, and what they read in blurred originals."""
  judge = trust.verdict(parts, reconstructor.config.judge)
  if reconstructor.classifier is not None:
    judge['curve'] = {
        name: blur_curve.measure(
            reconstructor.classifier, data_dir, part['split'],
            frames_per_clip=part['frames_per_clip'], batch_size=batch_size,
            seed=seed)
        for name, part in parts.items()}
  return judge


def evaluate_set(
    reconstructor: rows_lib.Reconstructor,
    data_dir: str,
    name: str,
    *,
    frames_per_clip: int,
    batch_size: int,
    seed: int,
    consistency: str = consistency_mode.OFF,
    floors: linear_floors.Floors | None = None,
    others: comparators_lib.OptionalRows | None = None,
    descriptor: str = '',
    features: feature_distances.Features | None = None,
) -> SetResult | None:
  """Evaluates one test set.

  Args:
    reconstructor: Restored networks.
    data_dir: Folder of prepared shards.
    name: 'closed' or 'open'.
    frames_per_clip: Frames (each with its own voice segment) per clip.
    batch_size: Images at a time.
    seed: Chooses frames, segments, other voices, and the bootstrap.
    consistency: Adds corrected rows unless 'off'.
    floors: Adds linear rows.
    others: Adds rows of other methods and of ablations.
    descriptor: 'dlib' adds its distances to the originals.
    features: Adds FID and KID of each row from the originals.

  Returns:
    The result; None when the set has no clip.
  """
  split = SETS[name]
  if not batching.data_info(data_dir).records.get(split, 0):
    return None
  dataset = batching.make_eval_dataset(
      data_dir, splits=(split,), inputs=_INPUTS, batch_size=batch_size,
      frames_per_clip=frames_per_clip, seed=seed)
  sweep = sweep_lib.Sweep(
      reconstructor=reconstructor, floors=floors, others=others,
      consistency=consistency, descriptor=descriptor, features=features)
  for batch in dataset:
    sweep.add(batch)
  mixing = sweep.mix(batch_size, seed)
  scores, labels = sweep.scores(), sweep.labels()
  distances = sweep.distances.distances() if sweep.distances else {}
  report = {
      'split': split, 'frames_per_clip': frames_per_clip,
      'images': len(labels.speaker), 'clips': len(set(sweep.clips)),
      'speakers': len(set(sweep.speaker_names())),
      'rows': {key: comparisons.means(scores[key]) | distances.get(key, {})
               for key in scores},
      'mixing': mixing,
      'comparisons': comparisons.compare(
          scores, np.array(sweep.speaker_names()), seed)}
  return SetResult(
      report, scores, sweep.clips, labels.speaker,
      list(sweep.people.values()))


def mix_matrix(
    reconstructor: rows_lib.Reconstructor,
    people: Sequence[sweep_lib.Person],
) -> np.ndarray:
  """Fig. 10: F's image for every pair of a low-resolution image and a voice.

  Args:
    reconstructor: Restored networks, with F.
    people: n people with codes.

  Returns:
    [n, n, S, S, 3] uint8; [i, j] has person i's image and person j's voice.
  """
  code_audio = tf.constant(np.stack([p.code_audio for p in people]))
  rows = []
  for person in people:
    code_low = tf.repeat(tf.constant(person.code_low)[tf.newaxis],
                         len(people), axis=0)
    rows.append(reconstructor.generate(
        reconstructor.fuse(code_low, code_audio)).numpy())
  return np.stack(rows)
