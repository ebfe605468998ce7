"""What a pipeline run will do; decided and checked before TensorFlow loads."""

from __future__ import annotations

import dataclasses
import pathlib

from earsr_tf import config as config_lib
from pipelines import store

PUSH_TO = 'serving_models'  # below the root
# Stage -> stages whose networks it restores.
NEEDS = {
    'generator': (),
    'invert': ('generator',),
    'finetune': ('generator', 'invert'),
    'low_res': ('finetune',),
    'audio': ('finetune',),
    'fusion': ('finetune', 'low_res', 'audio'),
    'attributes': (),
}


@dataclasses.dataclass(frozen=True)
class World:
  """Size of a SyntheticVox.

  Attributes:
    speakers: People.
    videos: Videos of each; splits are by video.
    clips: Clips of each video.
    open_share: Share of the people who are kept out of training.
  """
  speakers: int
  videos: int
  clips: int
  open_share: float = 0.2


WORLDS = {
    'tiny': World(speakers=6, videos=4, clips=1),
    'demo': World(speakers=200, videos=5, clips=1),
    # Many open-set people: what is found out about 60 has wide intervals.
    'bench': World(speakers=500, videos=6, clips=1, open_share=0.4),
}


@dataclasses.dataclass(frozen=True)
class Plan:
  """One run of the pipeline.

  Attributes:
    config: Configuration of all stages.
    root: Folder of everything the run writes, absolute.
    dataset: Name of the data set.
    data: Path of a tree that exists; '' makes a SyntheticVox.
    shards: Path of prepared shards that exist; '' prepares them.
    world: Size of the SyntheticVox; None with `data` or `shards`.
    stages: Stages to train, in order.
    push_to: Folder of numbered versions for blessed models, absolute.
    metadata: URL of a MySQL store; '' for a file below the root.
    people: Held-out people super-resolved at the end.
  """
  config: config_lib.Config
  root: pathlib.Path
  dataset: str
  data: str
  shards: str
  world: World | None
  stages: tuple[str, ...]
  push_to: str
  metadata: str = ''
  people: int = 8

  @property
  def is_complete(self) -> bool:
    """Whether every stage is trained, so that results can follow."""
    return set(needed(self.config)) <= set(self.stages)


def make(
    config: config_lib.Config, *, root: str = '', dataset: str = 'synthetic',
    data: str = '', shards: str = '', speakers: int | None = None,
    stages: list[str] | None = None, push_to: str = '', metadata: str = ''
) -> Plan:
  """Checks the wishes of a user and completes them.

  Args:
    config: Configuration; its preset gives the size of the world.
    root: Folder of the run; the preset's name if empty.
    dataset: Name of the data set.
    data: Path of an existing tree of that data set.
    shards: Path of prepared shards of it, instead of a tree.
    speakers: Overrides the number of synthetic people.
    stages: Stages to train; all if empty. What they need must be among them.
    push_to: Folder for blessed models; <root>/serving_models if empty.
    metadata: mysql://USER@HOST:PORT/DATABASE; a file below the root if empty.

  Returns:
    The plan.

  Raises:
    ConfigError: If wishes contradict each other or name what is not there.
  """
  given = {'--data': data, '--shards': shards}
  _check_data(config, dataset, given, speakers)
  world = None if data or shards else WORLDS[config.preset]
  if world is not None and speakers is not None:
    world = dataclasses.replace(world, speakers=speakers)
  if metadata:
    store.parse(metadata)
  home = pathlib.Path(root or config.preset).resolve()
  return Plan(
      config=config,
      root=home,
      dataset=dataset,
      data=str(pathlib.Path(data).resolve()) if data else '',
      shards=str(pathlib.Path(shards).resolve()) if shards else '',
      world=world,
      stages=_ordered(stages or list(needed(config))),
      push_to=str(pathlib.Path(push_to or home / PUSH_TO).resolve()),
      metadata=metadata)


def needed(config: config_lib.Config) -> tuple[str, ...]:
  """Stages that the evaluation reads, in order."""
  return tuple(
      stage for stage in config_lib.STAGES
      if stage != 'attributes' or not config.attributes.descriptor)


def _check_data(
    config: config_lib.Config, dataset: str, given: dict[str, str],
    speakers: int | None) -> None:
  """Raises ConfigError if the flags about data contradict each other."""
  used = {flag: path for flag, path in given.items() if path}
  for flag, path in used.items():
    if not pathlib.Path(path).is_dir():
      raise config_lib.ConfigError(
          f'{flag}={path}: there is no such folder; give one that exists, or '
          f'leave {flag} out to make synthetic data')
    if speakers is not None:
      raise config_lib.ConfigError(
          f'--speakers={speakers} sizes the synthetic world and {flag}={path} '
          'replaces it; leave one of them out')
  if len(used) > 1:
    raise config_lib.ConfigError(
        '--data is a tree to prepare and --shards is prepared data; leave one '
        'of them out')
  if not used and dataset != 'synthetic':
    raise config_lib.ConfigError(
        f'--dataset={dataset} needs --data, the folder of its tree')
  if not used and config.preset not in WORLDS:
    raise config_lib.ConfigError(
        f'--preset={config.preset} trains on real data; give --data, the '
        'folder of its tree, and --dataset')


def _ordered(stages: list[str]) -> tuple[str, ...]:
  """Returns the stages in training order.

  Raises:
    ConfigError: If one is unknown or lacks what it needs.
  """
  for stage in stages:
    if stage not in NEEDS:
      raise config_lib.ConfigError(
          f'--stages: there is no stage {stage}; choose from '
          f'{", ".join(NEEDS)}')
    missing = [need for need in NEEDS[stage] if need not in stages]
    if missing:
      raise config_lib.ConfigError(
          f'--stages: {stage} needs {", ".join(missing)}; add what is missing '
          '(finished stages are not trained again)')
  return tuple(stage for stage in config_lib.STAGES if stage in stages)


def describe(plan: Plan) -> str:
  """Returns the plan in words, one line per step."""
  if plan.world is None:
    lines = [f'use {plan.shards or plan.data} ({plan.dataset})']
  else:
    lines = [
        f'make a SyntheticVox of {plan.world.speakers} people '
        f'({plan.world.open_share:.0%} open-set) x {plan.world.videos} videos '
        f'x {plan.world.clips} clips']
  if not plan.shards:
    lines.append('prepare shards')
  lines.append('compare the data with the schema')
  for stage in plan.stages:
    phases = getattr(plan.config, stage).phases
    sizes = ', '.join(
        f'{phase.images} at {phase.resolution or plan.config.model.image_size}'
        for phase in phases)
    lines.append(f'train {stage}: images {sizes}')
  if plan.is_complete:
    lines += ['evaluate', 'export', 'try the export in a fresh process',
              f'push it to {plan.push_to} if it is blessed',
              f'super-resolve {plan.people} held-out people']
  head = f'{plan.config.preset}, seed {plan.config.seed}, into {plan.root}'
  return '\n'.join(
      [head, *(f'{i:3d} {line}' for i, line in enumerate(lines, 1))])
