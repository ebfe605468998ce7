"""Configurations as JSON: what config.json of a run folder holds."""

from __future__ import annotations

import dataclasses
import typing
from typing import Any

from earsr_tf import config as config_lib
from earsr_tf import config_rules


def to_json(config: config_lib.Config) -> dict[str, Any]:
  """The configuration as plain JSON values."""
  return dataclasses.asdict(config)


def _from_json(record: type, values: Any) -> Any:
  fields = typing.get_type_hints(record)
  made = {}
  for name, value in values.items():
    if name not in fields:
      raise config_lib.ConfigError(
          f'unknown configuration field {record.__name__}.{name}')
    if name == 'phases':
      value = tuple(
          _from_json(config_lib.PhaseConfig, phase) for phase in value)
    elif dataclasses.is_dataclass(fields[name]):
      value = _from_json(fields[name], value)
    made[name] = value
  return record(**made)


def from_json(values: dict[str, Any]) -> config_lib.Config:
  """The inverse of `to_json`.

  Raises:
    ConfigError: If a field is unknown or a value breaks a rule.
  """
  return config_rules.validate(_from_json(config_lib.Config, values))
