"""Exports in bfloat16: refused where slow or far, else small and near."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import export as command
from earsr_tf.serving import bfloat16
from earsr_tf.serving import export_manifest
from earsr_tf.serving import nearness
from earsr_tf.serving import saved_model
from earsr_tf.serving import signatures


@pytest.fixture(autouse=True)
def _processor(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
               ) -> pathlib.Path:
  """A processor that has AVX512_BF16; results do not depend on it."""
  path = tmp_path / 'cpuinfo'
  path.write_text('flags : avx2 avx512_bf16 sse\n')
  monkeypatch.setattr(bfloat16, '_CPU_FLAGS', path)
  return path


def test_processors_without_it_are_refused(
    _processor: pathlib.Path) -> None:
  bfloat16.check_processor()
  _processor.write_text('flags : avx512_bf16_not avx2\n')
  with pytest.raises(export_manifest.ExportError, match='no AVX512_BF16'):
    bfloat16.check_processor()
  _processor.unlink()
  with pytest.raises(export_manifest.ExportError) as refused:
    bfloat16.check_processor()
  assert refused.value.exit_code == 1


@pytest.mark.slow
def test_the_export_holds_such_kernels_and_says_how_near_it_is(
    run_root: str, data_dir: str, tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str]) -> None:
  monkeypatch.setattr(bfloat16, 'LEAST_PSNR', 20.0)  # untrained networks
  version = command.run(
      run_root, str(tmp_path / 'out'), precision='bf16', data_dir=data_dir)
  facts = export_manifest.verify(pathlib.Path(version))
  assert facts['precision'] == 'bf16' and facts['clips'] == 6
  assert f'{facts["psnr_to_float32"]} dB' in capsys.readouterr().err
  inputs = nearness.samples(data_dir, 8, stretch=False)
  function = signatures.load(version)
  made = np.concatenate([
      function(image_low=low, waveform=voice)['image_high'].numpy()
      for low, voice in inputs])
  exact = bfloat16.pictures(saved_model.load(run_root)[0], inputs)
  psnr, _ = nearness.check_pictures(
      made, exact, least_psnr=20.0, what='', advice='')
  assert psnr == pytest.approx(facts['psnr_to_float32'], abs=0.1)
  assert 20.0 < facts['psnr_to_float32'] < 60.0
  shapes = [(v.dtype, v.shape.as_list()) for v in function.variables]
  kinds = [dtype for dtype, shape in shapes  # of convolutions
           if len(shape) == 4 and shape[0] == shape[1]]
  # E_l's nine convolutions stay in float32.
  assert kinds.count(tf.float32) == 9
  assert kinds.count(tf.bfloat16) == len(kinds) - 9 > 20


def test_a_model_that_is_too_far_is_not_exported(
    run_root: str, data_dir: str, tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.setattr(bfloat16, 'LEAST_PSNR', 90.0)
  with pytest.raises(export_manifest.ExportError, match='would show'):
    command.run(run_root, str(tmp_path / 'out'), precision='bf16',
                data_dir=data_dir)
  assert not (tmp_path / 'out').exists()
