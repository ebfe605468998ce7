"""Peers: networks of equal shapes, and words where there are none."""

from __future__ import annotations

import os
import sys

import pytest

from earsr_tf import cli
from earsr_tf import config as config_lib
from earsr_tf import presets
from earsr_tf.stages import networks
from tools.benchmark import peers

_SMALL = config_lib.ModelConfig(
    image_size=16, latent_dim=8, mapping_layers=2, fmap_base=64, fmap_max=16,
    low_res_filters=4, low_res_max_filters=16, low_res_hidden=8,
    audio_filters=2, audio_max_filters=16, audio_hidden=8, fusion_hidden=8)


def _peer_or_skip(sizes: config_lib.ModelConfig) -> dict[str, int]:
  try:
    with peers.torch(sizes) as peer:
      rate = peer.run(2, 1)
      assert rate.wall > 0.0 and rate.per_core > 0.0
      return peer.parameters
  except cli.InputError as error:
    if 'EARSR_PEER_PYTHON' in os.environ:
      raise
    pytest.skip(f'no PyTorch: {error}')


def test_the_peer_has_as_many_parameters_and_makes_pictures() -> None:
  counted = _peer_or_skip(_SMALL)
  assert counted == {
      name: sum(v.shape.num_elements() for v in build(
          _SMALL).trainable_variables)
      for name, build in (
          ('audio_encoder', networks.audio_encoder),
          ('low_res_encoder', networks.low_res_encoder),
          ('fusion', networks.fusion), ('generator', networks.generator))}


def test_without_pytorch_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
  (tmp_path / 'torch.py').write_text('raise ImportError("no torch here")')
  monkeypatch.setenv('PYTHONPATH', str(tmp_path))
  monkeypatch.setenv('EARSR_PEER_PYTHON', sys.executable)
  with pytest.raises(cli.InputError) as caught:
    with peers.torch(_SMALL):
      pytest.fail('a peer')
  assert 'ImportError: no torch here' in str(caught.value)
  assert "pip install '.[peers]'" in str(caught.value)


def test_networks_that_pytorch_does_not_have_are_refused() -> None:
  with pytest.raises(cli.InputError, match='use --preset=paper'):
    with peers.torch(presets.get('demo').model):
      pytest.fail('a peer')
