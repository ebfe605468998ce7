"""NVIDIA's StyleGAN v1 of any size -> a finished stage `generator` at 128x128.

A network grown to 1024x1024 holds, below, one for 128x128: the layers of 4x4
to 128x128 and the ToRGB and FromRGB of each of these resolutions. They are
taken as they are, at the state in which the published training ended;
docs/official_weights.md says what that means for the ToRGB of 128x128.
"""

from __future__ import annotations

import dataclasses
import math
import os
import pathlib
import re
from typing import Any

from earsr_tf import config as config_lib
from earsr_tf import presets
from tools.official import parts as parts_lib
from tools.official import run_folder
from tools.official import snapshot as snapshot_lib
from tools.official import weights as weights_lib

STAGE = 'generator'
_REMEDY = (
    'name a snapshot of the first StyleGAN, a pickle of G, D and Gs such as '
    'karras2019stylegan-ffhq-1024x1024.pkl')
_SIDE = re.compile(r'(?:^|/)(\d{1,5})x\1/')
_COLOUR = re.compile(r'(?:^|/)(?:ToRGB|FromRGB)_lod(\d{1,2})/')


def write(pickle: str, run_root: str,
          config: config_lib.Config | None = None) -> dict[str, Any]:
  """Writes stage `generator` of a run folder from a StyleGAN snapshot.

  Args:
    pickle: The snapshot.
    run_root: Folder of the stages; one without the stage, or absent.
    config: What the weights must fit; None: the preset `paper`.

  Returns:
    What is in the stage's imported.json: `pickle`, the side of its pictures,
    tensors per network, `absent` optional names, and `left_out`, those of
    higher resolutions.

  Raises:
    WeightsError: If the file is unusable, unfit or refused.
    OSError: If the folder cannot be written; nothing is left behind.
  """
  config = config or presets.get('paper')
  _check_target(run_root)
  _check_model(config.model)
  flag = f'--pickle={pickle}'
  networks = snapshot_lib.read(pickle, '--pickle', _REMEDY)
  side = _side(networks.generator_ema, flag)
  higher = int(math.log2(side // config.model.image_size)) if (
      side >= config.model.image_size) else 0
  cut, left_out = _cut(networks, config.model.image_size, higher)
  parts = run_folder.pretrained(cut, higher)
  checked = parts_lib.check(parts, config.model)
  record = {
      'pickle': os.path.basename(pickle), 'side': side,
      'networks': checked.networks, 'absent': checked.absent,
      'left_out': left_out}
  parts_lib.check_space(run_root, checked.weights)
  parts_lib.publish(
      parts, run_root, config, record, f'{STAGE}/{parts_lib.RECORD}')
  return record


def _check_target(run_root: str) -> None:
  """Refuses a folder that has the stage."""
  path = pathlib.Path(run_root)
  if os.path.lexists(path / STAGE):
    raise weights_lib.WeightsError(
        f'--run_root={run_root}: has a stage {STAGE}; name another folder, '
        'so that nothing that was trained is lost', 73)
  if os.path.lexists(path) and not path.is_dir():
    raise weights_lib.WeightsError(
        f'--run_root={run_root}: is a file; name a folder', 73)


def _check_model(model: config_lib.ModelConfig) -> None:
  """Refuses generators of ours that StyleGAN has not."""
  for name, value, wanted in (('linear_base', model.linear_base, 0),
                              ('rgb_output', model.rgb_output, 'fade')):
    if value != wanted:
      raise weights_lib.WeightsError(
          f'--set=model.{name}={value}: StyleGAN has {name} {wanted!r}; leave '
          'that setting out')


def _side(weights: weights_lib.Weights, flag: str) -> int:
  """The side of a generator's pictures."""
  found = {int(match[1]) for match in map(_SIDE.search, weights.shapes)
           if match}
  side = max(found, default=0)
  if side < 4 or side & (side - 1):
    raise weights_lib.WeightsError(
        f'{flag}: G has no layers like 4x4/Conv, or ends at an odd side '
        f'({side}); {_REMEDY}')
  return side


def _cut(networks: snapshot_lib.Snapshot, image_size: int,
         higher: int) -> tuple[snapshot_lib.Snapshot, dict[str, list[str]]]:
  """Takes the resolutions above `image_size` away, and says which names."""
  cut, left_out = {}, {}
  for field in dataclasses.fields(networks):
    weights = getattr(networks, field.name)
    above = [name for name in weights.shapes
             if _is_above(name, image_size, higher)]
    left_out[field.name] = above
    cut[field.name] = dataclasses.replace(weights, shapes={
        name: shape for name, shape in weights.shapes.items()
        if name not in set(above)})
  return snapshot_lib.Snapshot(**cut), left_out


def _is_above(name: str, image_size: int, higher: int) -> bool:
  """Whether a tensor belongs to a higher resolution."""
  if match := _SIDE.search(name):
    return int(match[1]) > image_size
  match = _COLOUR.search(name)
  return bool(match) and int(match[1]) < higher
