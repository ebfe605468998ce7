"""The whole road as one pipeline: which component feeds which.

MakeSynthetic (or a given tree) > Prepare > Validate > Generator > Invert >
Finetune > LowRes, Audio > Fusion; Attributes; Evaluate > Bless; Export >
InfraValidate; Push; SuperResolve.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from typing import Any

from tfx.orchestration import pipeline as tfx_pipeline

from earsr_tf import config as config_lib
from earsr_tf import config_json
from earsr_tf.data import manifest as manifest_lib
from pipelines import components
from pipelines import fingerprint
from pipelines import plan as plan_lib
from pipelines import store

_STAGE_COMPONENTS = {
    'generator': components.Generator,
    'invert': components.Invert,
    'finetune': components.Finetune,
    'low_res': components.LowRes,
    'audio': components.Audio,
    'fusion': components.Fusion,
    'attributes': components.Attributes,
}
# Sections of the configuration that a stage reads besides its own and those
# that all read. `training` changes how a stage runs, not what it computes, but
# that cached targets round otherwise, and a run keeps to one way.
_READ_TARGETS = ('low_res', 'audio', 'fusion')
# Features may be compared by all of these, and `invert` says which.
_ALSO_READS = dict.fromkeys(('finetune', *_READ_TARGETS), ('invert',))
_ALL_READ = ('seed', 'model', 'optimizer')


def stage_settings(config: config_lib.Config, stage: str) -> str:
  """Returns the part of the configuration that a stage's result depends on.

  Args:
    config: The whole configuration.
    stage: One of `config.STAGES`.

  Returns:
    JSON text.
  """
  values = config_json.to_json(config)
  names = (*_ALL_READ, *_ALSO_READS.get(stage, ()), stage)
  read = {name: values[name] for name in names}
  if stage in _READ_TARGETS:
    read['cached_targets'] = config.training.cached_targets
  return json.dumps(read, sort_keys=True)


def _section(config: config_lib.Config, name: str) -> str:
  """Returns a section of the configuration as JSON text."""
  return json.dumps(config_json.to_json(config)[name], sort_keys=True)


@dataclasses.dataclass
class _Wiring:
  """Components made so far, by name."""
  made: dict[str, Any]

  def add(self, name: str, component: Any) -> Any:
    """Keeps and returns a component."""
    self.made[name] = component
    return component

  def runs(self, stages: tuple[str, ...]) -> dict[str, Any]:
    """Returns stage -> channel of its trained result."""
    return {stage: self.made[stage].outputs['run'] for stage in stages}


def _add_data(wiring: _Wiring, plan: plan_lib.Plan) -> Any:
  """Adds what leads to shards; returns their channel."""
  if plan.shards:
    manifest = manifest_lib.read_manifest(plan.shards)
    return wiring.add('shards', components.UseShards(
        path=plan.shards, dataset=plan.dataset, sha256=manifest.sha256)
                     ).outputs['shards']
  if plan.data:
    tree = wiring.add('tree', components.UseTree(
        path=plan.data, listing=fingerprint.listing(plan.data)))
  else:
    world = plan.world
    tree = wiring.add('tree', components.MakeSynthetic(
        speakers=world.speakers, videos=world.videos, clips=world.clips,
        open_share=world.open_share, seed=plan.config.seed,
        code=fingerprint.code('earsr_tf.data.datasets.synthetic')))
  prepare = wiring.add('prepare', components.Prepare(
      tree=tree.outputs['tree'], dataset=plan.dataset,
      code=fingerprint.code(
          'pipelines.ingest.prepare',
          f'earsr_tf.data.datasets.{plan.dataset}')))
  return prepare.outputs['shards']


def _add_validation(
    wiring: _Wiring, plan: plan_lib.Plan, shards: Any) -> Any:
  """Adds and returns the component that refuses bad data.

  Its result is nobody's input: what stages compute does not depend on it. They
  run after it (`add_upstream_node`).
  """
  settings = {'schema': _section(plan.config, 'schema'),
              'image_size': plan.config.model.image_size}
  return wiring.add('validate', components.Validate(
      shards=shards, root=str(plan.root), settings=json.dumps(settings),
      code=fingerprint.code(
          'earsr_tf.data.figures', 'pipelines.data_check')))


def _add_push(wiring: _Wiring, plan: plan_lib.Plan) -> None:
  """Adds the two judgements of a model and what becomes of it."""
  model = wiring.made['export'].outputs['model']
  bless = wiring.add('bless', components.Bless(
      report=wiring.made['evaluate'].outputs['report'], root=str(plan.root),
      settings=_section(plan.config, 'blessing'),
      code=fingerprint.code('earsr_tf.evaluation.blessing')))
  infra = wiring.add('infra_validate', components.InfraValidate(
      model=model, code=fingerprint.code(
          'pipelines.infra', 'pipelines.infra_probe')))
  wiring.add('push', components.Push(
      model=model, blessing=bless.outputs['blessing'],
      infra=infra.outputs['blessing'], root=str(plan.root),
      target=plan.push_to, code=fingerprint.code('pipelines.push')))


def _add_results(
    wiring: _Wiring, plan: plan_lib.Plan, shards: Any) -> None:
  """Adds evaluation, export and the picture."""
  needed = plan_lib.needed(plan.config)
  evaluate = (components.EvaluateWithClassifier if 'attributes' in needed
              else components.Evaluate)
  wiring.add('evaluate', evaluate(
      shards=shards, **wiring.runs(needed),
      code=fingerprint.code('earsr_tf.evaluate')).with_id('Evaluate'))
  export = wiring.add('export', components.Export(
      **wiring.runs(('finetune', 'low_res', 'audio', 'fusion')),
      code=fingerprint.code('earsr_tf.export')))
  _add_push(wiring, plan)
  wiring.add('super_resolve', components.SuperResolve(
      shards=shards, report=wiring.made['evaluate'].outputs['report'],
      model=export.outputs['model'], root=str(plan.root),
      people=plan.people,
      code=fingerprint.code('pipelines.samples')))


def make(plan: plan_lib.Plan) -> tfx_pipeline.Pipeline:
  """Builds the pipeline of a plan; nothing runs yet.

  Args:
    plan: What to run and where.

  Returns:
    A TFX pipeline whose metadata store is <root>/metadata.sqlite, or the
    plan's server.
  """
  wiring = _Wiring({})
  shards = _add_data(wiring, plan)
  validate = _add_validation(wiring, plan, shards)
  for stage in plan.stages:
    trained = wiring.add(stage, _STAGE_COMPONENTS[stage](
        shards=shards, **wiring.runs(plan_lib.NEEDS[stage]),
        root=str(plan.root), settings=stage_settings(plan.config, stage),
        code=fingerprint.code('earsr_tf.train', f'earsr_tf.stages.{stage}')))
    trained.add_upstream_node(validate)
  if plan.is_complete:
    _add_results(wiring, plan, shards)
  root = pathlib.Path(plan.root)
  return tfx_pipeline.Pipeline(
      pipeline_name=store.pipeline_name(root, plan.metadata),
      pipeline_root=str(root / 'artifacts'),
      components=list(wiring.made.values()),
      enable_cache=True,
      metadata_connection_config=store.connection(root, plan.metadata))
