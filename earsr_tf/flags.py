"""The only shared absl flags, and flags -> Config.

Order of configuration: dataclass default, preset, stage default, --set.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
import math
import re
from typing import Any

from absl import flags

from earsr_tf import config as config_lib
from earsr_tf import config_rules
from earsr_tf import presets
from earsr_tf.ops import consistency_mode

FLAGS = flags.FLAGS


def define_run_flags() -> None:
  """Flags of every command that works on a run: idempotent."""
  if 'preset' in FLAGS:
    return
  flags.DEFINE_enum('preset', 'demo', config_lib.PRESETS,
                    'Sizes and schedules.')
  flags.DEFINE_string('dataset', 'synthetic',
                      'Where the data come from: synthetic, voxceleb2, faces, '
                      'pairs. Not asked where --data_dir names several.')
  flags.DEFINE_string(
      'data_dir', 'data', 'Folder of the prepared shards; for training also '
      'several with weights, such as faces:1,pairs:1, and by stage, such as '
      "'faces:1,pairs:1;audio+fusion=pairs'.")
  flags.DEFINE_string('run_root', 'runs', 'Folder of all stages of a run.')
  flags.DEFINE_integer('seed', None, 'Overrides the seed of the preset.')
  flags.DEFINE_multi_string(
      'set', [], 'Overrides a configuration value, such as '
      'optimizer.learning_rate=1e-4 or invert.phases.0.images=1000.')
  flags.DEFINE_bool('dry_run', False,
                    'Print the resolved configuration and, for training, '
                    'what a step costs; then stop.')
  flags.DEFINE_integer('replicas', 1, 'Devices; logical CPUs without GPUs.',
                       lower_bound=1)


def define_consistency_flag(effect: str) -> None:
  """The flag --consistency of the commands that make or judge outputs.

  Args:
    effect: What it does in the command; begins the flag's help.
  """
  flags.DEFINE_string(
      'consistency', consistency_mode.OFF,
      f'{effect}: off (the paper), a number of back-projection steps, or '
      'exact.')

  def check(mode: str) -> bool:
    """Whether it is a mode; ValidationError says what is one."""
    try:
      consistency_mode.check(mode)
    except ValueError as error:
      raise flags.ValidationError(str(error)) from None
    return True
  flags.register_validator('consistency', check)


def _unknown(name: str, path: str, known: list[str]) -> config_lib.ConfigError:
  near = difflib.get_close_matches(name, known, n=1)
  hint = f'did you mean {near[0]}?' if near else f'one of {", ".join(known)}'
  return config_lib.ConfigError(f'--set={path}: there is no {name}; {hint}')


def _parse(text: str, old: Any, path: str) -> Any:
  """`text` as a value of the type of `old`."""
  if isinstance(old, str):
    return text
  try:
    value = json.loads(text.lower() if isinstance(old, bool) else text)
  except ValueError:
    value = None
  if isinstance(old, float) and type(value) is int:  # True is no number.
    value = float(value)
  if type(value) is not type(old) or not math.isfinite(value):
    raise config_lib.ConfigError(
        f'--set={path}={text}: needs a value like {old!r}')
  return value


def _replace(record: Any, names: list[str], text: str, path: str) -> Any:
  name, rest = names[0], names[1:]
  if isinstance(record, tuple):
    known = [str(i) for i in range(len(record))]
    if name not in known:
      raise _unknown(name, path, known)
    items = list(record)
    items[int(name)] = _replace(items[int(name)], rest, text, path)
    return tuple(items)
  known = [field.name for field in dataclasses.fields(record)]
  if name not in known:
    raise _unknown(name, path, known)
  old = getattr(record, name)
  is_inner = dataclasses.is_dataclass(old) or isinstance(old, tuple)
  if is_inner and not rest:
    raise config_lib.ConfigError(
        f'--set={path}: name a value inside it, such as {path}.'
        f'{"0" if isinstance(old, tuple) else dataclasses.fields(old)[0].name}')
  if rest and not is_inner:
    raise config_lib.ConfigError(f'--set={path}: {name} has no parts')
  new = (_replace(old, rest, text, path) if is_inner
         else _parse(text, old, path))
  return dataclasses.replace(record, **{name: new})


def apply_settings(config: config_lib.Config, settings: list[str]
                   ) -> config_lib.Config:
  """Applies 'a.b=value' settings in order.

  Raises:
    ConfigError: For an unknown key (naming the nearest valid one), a value
      of another type, or a value that breaks a rule.
  """
  for setting in settings:
    path, equals, text = setting.partition('=')
    if not equals:
      raise config_lib.ConfigError(
          f'--set={setting}: write it as name=value')
    config = _replace(config, path.split('.'), text, path)
  return config_rules.validate(config)


def resolve_config() -> config_lib.Config:
  """The configuration that the parsed flags ask for.

  Raises:
    ConfigError: If a setting is wrong.
  """
  config = presets.get(FLAGS.preset)
  if FLAGS.seed is not None:
    config = dataclasses.replace(config, seed=FLAGS.seed)
  return apply_settings(config, FLAGS.set)


def profile_range(text: str | None) -> tuple[int, int] | None:
  """'FIRST:LAST' as two steps of the stage, which begin at 0.

  Raises:
    ConfigError: If it is anything else.
  """
  if not text:
    return None
  match = re.fullmatch(r'(\d{1,12}):(\d{1,12})', text, re.ASCII)
  if not match or int(match[1]) > int(match[2]):
    raise config_lib.ConfigError(
        f'--profile_steps={text}: write the first and the last step as '
        'FIRST:LAST, such as 20:29')
  return int(match[1]), int(match[2])
