"""Small pickles of StyleGAN snapshots, as NVIDIA's classes write them."""

from __future__ import annotations

import collections
import pickle
import sys
import types
from typing import Any

import numpy as np
import pytest

from earsr_tf import config as config_lib
from tests import official_fakes


class Network:
  """Pickles as NVIDIA's class of this name does."""

  def __init__(self, name: str, variables: dict[str, np.ndarray],
               components: dict[str, Network], **static_kwargs: Any) -> None:
    """Takes the state that is pickled."""
    self.state = {
        'version': 3, 'name': name, 'static_kwargs': static_kwargs,
        'components': components, 'build_module_src': 'raise SystemExit(9)',
        'build_func_name': 'G_style', 'variables': list(variables.items())}

  def __getstate__(self) -> dict[str, Any]:
    """The state alone."""
    return self.state

  def tensors(self, component: str = '') -> dict[str, np.ndarray]:
    """Its variables, or those of a component, by name."""
    owner = self.state['components'][component] if component else self
    return dict(owner.state['variables'])


class EasyDict(dict):
  """dnnlib's dictionary."""


Network.__module__ = 'dnnlib.tflib.network'
EasyDict.__module__ = 'dnnlib.util'


def install(monkeypatch: pytest.MonkeyPatch) -> None:
  """Makes modules under whose names this file's classes are pickled."""
  for name in ('dnnlib', 'dnnlib.tflib', 'dnnlib.tflib.network',
               'dnnlib.util'):
    module = types.ModuleType(name)
    module.Network, module.EasyDict = Network, EasyDict
    monkeypatch.setitem(sys.modules, name, module)


def generator(model: config_lib.ModelConfig, seed: int,
              **static_kwargs: Any) -> Network:
  """G of random weights; the mean of w is `seed`."""
  parts = {
      'synthesis': official_fakes.fill(
          {**official_fakes.synthesis_shapes(model),
           **official_fakes.idle_shapes(model)}, seed),
      'mapping': official_fakes.fill(
          official_fakes.mapping_shapes(model), seed + 1)}
  parts['synthesis']['lod'] = np.float32(0.0)
  own = {'lod': np.float32(0.0),
         'dlatent_avg': np.full(model.latent_dim, seed, np.float32)}
  return Network('G', own, EasyDict(
      (name, Network(f'G_{name}', variables, {}, resolution=128))
      for name, variables in parts.items()), **static_kwargs)


def discriminator(model: config_lib.ModelConfig) -> Network:
  """D of random weights, one of them in Fortran order."""
  tensors = official_fakes.fill(
      official_fakes.discriminator_shapes(model), seed=9)
  tensors['4x4/Dense0/weight'] = np.asfortranarray(
      tensors['4x4/Dense0/weight'])
  return Network('D', tensors, collections.OrderedDict(), label_size=0)


def dump(content: Any, protocol: int = 4) -> bytes:
  """The pickle."""
  return pickle.dumps(content, protocol=protocol)
