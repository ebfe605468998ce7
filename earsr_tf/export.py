"""python -m earsr_tf.export --run_root=DIR --output=DIR: a SavedModel.

Writes `<output>/<version>/` with the signatures of `serving/signatures.py`,
such as `super_resolve(image_low uint8 [N, 8, 8, 3], waveform float32 [N,
64000]) -> image_high uint8 [N, 128, 128, 3]`; warm-up requests, batching
parameters and a model card lie in its assets.extra. Prints the version's
folder. --consistency makes a correction that fits the output to image_low part
of the model. --precision=bf16 is faster on processors that have AVX512_BF16,
and refused where its pictures differ. --format=onnx or tflite writes
`super_resolve_strength` for one face, for runtimes without TensorFlow.
docs/serving.md says how to serve it.
"""

from __future__ import annotations

import pathlib
from typing import Any

from absl import flags

from earsr_tf import cli
from earsr_tf import flags as shared_flags
from earsr_tf.ops import consistency_mode

SAVED_MODEL = 'saved_model'
# Import name -> distribution.
_ONNX = {'tf2onnx': 'tf2onnx', 'onnx': 'onnx', 'onnxruntime': 'onnxruntime'}


def run(run_root: str, output: str, *,
        consistency: str = consistency_mode.OFF, precision: str = 'float32',
        data_dir: str = 'data', evaluation: str | None = None,
        file_format: str = SAVED_MODEL) -> str:
  """Exports the model of a run folder.

  Args:
    run_root: Folder of the stages' folders.
    output: Export folder; created when absent.
    consistency: 'off', 'exact' or a number of back-projection steps.
    precision: 'float32' or 'bf16', of convolutions and matrix products.
    data_dir: Folder of prepared shards, on which bf16 and other formats are
      compared with the model itself; read for nothing else.
    evaluation: Folder that `earsr_tf.evaluate` wrote, whose tables become
      part of the model card.
    file_format: 'saved_model', 'onnx' or 'tflite'.

  Returns:
    The new version's folder.

  Raises:
    InputError: If a path is unusable.
    CheckpointError: If a stage is not finished.
    DataError: If bf16 or another format is asked for and the data are
      unusable.
    ExportError: If bf16 is slow here, the weights are too large for the
      format, or the pictures differ.
  """
  check_run_root(run_root)
  _check_output(output, file_format)
  _check_format(file_format, precision)
  if precision == 'bf16' or file_format != SAVED_MODEL:
    from earsr_tf.data import manifest
    manifest.read_manifest(data_dir)  # refused before TensorFlow loads
  tables = _read_tables(evaluation) if evaluation else ''
  from earsr_tf import environment
  environment.load_tensorflow()
  from earsr_tf.evaluation import report
  from earsr_tf.serving import saved_model
  from earsr_tf.training import checkpoints
  from earsr_tf.training import memory
  with memory.explained(
      f'export of {run_root}', 'end other programs or use a machine with more '
      'memory; no flag makes the model smaller'):
    trained = checkpoints.load_config(run_root, 'fusion').model
    consistency_mode.check_stretch(consistency, trained.low_res_stretch)
    facts = report.provenance(
        run_root=run_root, consistency=consistency, precision=precision,
        low_res_stretch=trained.low_res_stretch,
        **saved_model.trained_on(run_root))
    if file_format != SAVED_MODEL:
      return _portable(
          run_root, output, file_format, consistency=consistency,
          data_dir=data_dir, facts=facts, evaluation=tables)
    if precision == 'bf16':
      from earsr_tf.serving import bfloat16
      model, low_res_size, near = bfloat16.load(
          run_root, consistency, data_dir)
      cli.notice(f'bf16: {near["psnr_to_float32"]} dB to the pictures in '
                 f'float32, mean over {near["clips"]} clips of {data_dir}')
    else:
      model, low_res_size = saved_model.load(run_root, consistency)
      near = {}
    return str(saved_model.save(
        model, low_res_size, output, {**facts, **near}, evaluation=tables))


def _portable(run_root: str, output: str, file_format: str, *,
              data_dir: str, **options: Any) -> str:
  """Exports in another format and says how near it is, and what it lacks."""
  from earsr_tf.serving import export_manifest
  from earsr_tf.serving import portable
  version, entries = portable.export(
      run_root, output, file_format, data_dir=data_dir, **options)
  cli.notice(
      f'{file_format}: at most {entries["levels_to_saved_model"]} levels and '
      f'{entries["psnr_to_saved_model"]} dB from the model itself, over '
      f'{entries["clips"]} clips of {data_dir}')
  left_out = [name for name in export_manifest.SIGNATURES
              if name not in entries['signatures']]
  cli.notice(f'{file_format}: holds {", ".join(entries["signatures"])} for one '
             f'face; left out: {", ".join(left_out)}')
  return str(version)


def _check_format(file_format: str, precision: str) -> None:
  """Refuses what a format has not, or needs and lacks."""
  from earsr_tf import environment
  if file_format != SAVED_MODEL and precision != 'float32':
    raise cli.InputError(
        f'--precision={precision}: is for --format={SAVED_MODEL}', cli.USAGE)
  absent = environment.missing(_ONNX) if file_format == 'onnx' else []
  if absent:
    raise cli.InputError(
        f'--format=onnx needs {", ".join(absent)}; run: pip install -c '
        'constraints.txt tf2onnx onnx onnxruntime', cli.USAGE)


def _check_output(output: str, file_format: str) -> None:
  """Refuses a file, and a folder of versions of another format."""
  from earsr_tf.serving import export_manifest
  base = pathlib.Path(output)
  if base.is_file():
    raise cli.InputError(
        f'--output={output}: is a file; name a folder', cli.USAGE)
  for number in export_manifest.versions(base)[-1:]:
    held = export_manifest.kind(base / str(number))
    if held != file_format:
      raise cli.InputError(
          f'--output={output}: holds versions of --format={held}, and servers '
          'take the newest; name another folder', cli.USAGE)


def check_run_root(run_root: str) -> None:
  """Refuses a missing or empty run folder.

  Args:
    run_root: Folder of the stages' folders.

  Raises:
    InputError: With the command that trains.
  """
  folder = pathlib.Path(run_root)
  if not folder.is_dir() or not any(folder.iterdir()):
    raise cli.InputError(
        f'--run_root={run_root}: nothing has been trained here; run: python '
        f'-m earsr_tf.train --stage=generator --run_root={run_root} (and the '
        'other stages), or python -m pipelines.run')


def _read_tables(evaluation: str) -> str:
  """The tables of an evaluation's folder, in Markdown."""
  path = pathlib.Path(evaluation, 'tables.md')
  try:
    return path.read_text(encoding='utf-8')
  except (OSError, UnicodeDecodeError):
    raise cli.InputError(
        f'--evaluation={evaluation}: there is no readable {path.name} in it; '
        'name a folder that python -m earsr_tf.evaluate wrote') from None


def main() -> None:
  """Exports what the flags name."""
  values = flags.FLAGS
  print(run(values.run_root, values.output, consistency=values.consistency,
            precision=values.precision, data_dir=values.data_dir,
            evaluation=values.evaluation, file_format=values.format))


if __name__ == '__main__':
  flags.DEFINE_string('run_root', 'runs', 'Folder of all stages of a run.')
  flags.DEFINE_string('output', None, 'A folder of exported versions.')
  shared_flags.define_consistency_flag(
      'Part of the exported model: fits its output to image_low')
  flags.DEFINE_enum(
      'precision', 'float32', ['float32', 'bf16'], 'Of convolutions and matrix '
      'products. bf16 needs a processor with AVX512_BF16, here and in use.')
  flags.DEFINE_enum(
      'format', SAVED_MODEL, [SAVED_MODEL, 'onnx', 'tflite'],
      'saved_model for TensorFlow and its servers; onnx and tflite hold one '
      'signature, super_resolve_strength, for one face.')
  flags.DEFINE_string(
      'data_dir', 'data', 'Folder of prepared shards; with --precision=bf16 '
      'and other formats, pictures of their clips are compared with the '
      "model's own.")
  flags.DEFINE_string(
      'evaluation', None, 'A folder that earsr_tf.evaluate wrote; its tables '
      'become part of the model card.')
  flags.mark_flag_as_required('output')
  cli.run(main)
