"""ONNX and TFLite: other runtimes give the model's pictures, or nothing is."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from earsr_tf import cli
from earsr_tf import export as command
from earsr_tf.serving import export_manifest
from earsr_tf.serving import nearness
from earsr_tf.serving import portable
from earsr_tf.serving import signatures

onnx = pytest.importorskip(
    'onnx', reason='the extra `onnx` is not installed (onnx)')
pytest.importorskip(
    'onnxruntime', reason='the extra `onnx` is not installed (onnxruntime)')
pytest.importorskip(
    'tf2onnx', reason='the extra `onnx` is not installed (tf2onnx)')


def _export(run_root: str, data_dir: str, output: pathlib.Path,
            file_format: str) -> pathlib.Path:
  return pathlib.Path(command.run(
      run_root, str(output), file_format=file_format, data_dir=data_dir))


def _check_it_makes_the_same(
    path: pathlib.Path, load, version: str, data_dir: str) -> None:
  """Whether faces with a voice of any strength are those of the SavedModel."""
  run = load(path)
  exact = signatures.load_all(version)['super_resolve_strength']
  [(low, waveform)] = nearness.samples(data_dir, 8, stretch=False)
  made, wanted = [], []
  for strength in (0.0, 1.0, 1.5):
    inputs = (low[:1], waveform[:1], tf.constant([strength]))
    made.append(run(*(value.numpy() for value in inputs)))
    wanted.append(exact(**dict(zip(
        ('image_low', 'waveform', 'voice_strength'), inputs, strict=True)
        ))['image_high'].numpy())
  made, wanted = np.concatenate(made), np.concatenate(wanted)
  assert made.dtype == np.uint8 and made.shape == (3, 128, 128, 3)
  assert np.abs(made.astype(int) - wanted).max() <= 1
  assert np.abs(made[0].astype(int) - made[2]).max() > 5  # the voice counts


@pytest.mark.slow
def test_onnx_with_weights_in_the_file_and_beside_it(
    run_root: str, data_dir: str, version: str, tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
  folder = _export(run_root, data_dir, tmp_path, 'onnx')
  facts = export_manifest.verify(folder)
  assert facts['file_format'] == 'onnx' and facts['clips'] == 6
  assert facts['signatures'] == ['super_resolve_strength']
  assert facts['levels_to_saved_model'] <= 1
  assert 60.0 < facts['psnr_to_saved_model'] <= 99.0
  said = capsys.readouterr().err
  assert f'{facts["psnr_to_saved_model"]} dB' in said
  assert 'left out: super_resolve, super_resolve_bytes' in said
  one = folder / 'model.onnx'
  _check_it_makes_the_same(one, portable._load_onnx, version, data_dir)
  graph = onnx.load(str(one)).graph
  assert {node.domain for node in graph.node} <= {'', 'ai.onnx'}
  # Written from what was converted, without doing that again.
  monkeypatch.setattr(portable, 'EXTERNAL_BYTES', 0)
  import tf2onnx
  monkeypatch.setattr(tf2onnx.convert, 'from_function',
                      lambda *_, **__: (onnx.load(str(one)), None))
  (tmp_path / 'two').mkdir()
  two = tmp_path / 'two' / 'model.onnx'
  portable._to_onnx(tf.function(lambda: 0, input_signature=[]), two, 1)
  assert two.stat().st_size < one.stat().st_size / 5
  assert (tmp_path / 'two' / 'model.onnx.data').stat().st_size > 1e5
  _check_it_makes_the_same(two, portable._load_onnx, version, data_dir)


def test_tflite(run_root: str, data_dir: str, version: str,
                tmp_path: pathlib.Path) -> None:
  folder = _export(run_root, data_dir, tmp_path, 'tflite')
  facts = export_manifest.verify(folder)
  assert facts['levels_to_saved_model'] <= 1
  _check_it_makes_the_same(
      folder / 'model.tflite', portable._load_tflite, version, data_dir)
  # Neither this program nor its exports are mixed up with it.
  for place in (tmp_path, folder):
    with pytest.raises(export_manifest.ExportError, match='model.tflite'):
      export_manifest.newest(place)
  with pytest.raises(cli.InputError, match='versions of --format=tflite'):
    command.run(run_root, str(tmp_path))


def test_what_differs_is_not_left(
    run_root: str, data_dir: str, tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch) -> None:
  grey = lambda *_: np.full([1, 128, 128, 3], 127, np.uint8)
  monkeypatch.setitem(portable._FORMATS, 'onnx', (
      lambda function, path, weights: path.write_bytes(b'half'),
      lambda path: grey))
  with pytest.raises(export_manifest.ExportError, match='--format=onnx: the'):
    _export(run_root, data_dir, tmp_path, 'onnx')
  assert not list(tmp_path.rglob('*'))


def test_weights_that_no_file_can_hold_are_refused(
    run_root: str, data_dir: str, tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch) -> None:
  portable.check_size('tflite', 1 << 30)
  portable.check_size('onnx', 1_900_000_000)
  with pytest.raises(export_manifest.ExportError, match='are 2.10 GB, and at'):
    portable.check_size('onnx', 2_100_000_000)
  monkeypatch.setattr(portable, 'MAX_TFLITE_BYTES', 100_000)
  with pytest.raises(export_manifest.ExportError, match='--format=tflite: the'):
    _export(run_root, data_dir, tmp_path / 'out', 'tflite')
  assert not (tmp_path / 'out').exists()


def test_what_is_missing_is_said_at_once(
    run_root: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
  with pytest.raises(cli.InputError, match='is for --format=saved_model'):
    command.run(run_root, str(tmp_path), file_format='onnx', precision='bf16')
  monkeypatch.setattr(command, '_ONNX', {'no_such_module': 'tf2onnx'})
  with pytest.raises(cli.InputError, match='needs tf2onnx; run: pip install'):
    command.run(run_root, str(tmp_path), file_format='onnx')
