"""What lies beside an exported model: requests, parameters, the card."""

from __future__ import annotations

import pathlib

import pytest

from earsr_tf import cli
from earsr_tf import export
from earsr_tf.serving import batching
from earsr_tf.serving import export_manifest
from earsr_tf.serving import model_card
from earsr_tf.serving import signatures
from earsr_tf.serving import warm_up


def test_there_is_a_request_for_each_signature(version: str) -> None:
  functions = signatures.load_all(version)
  requests = dict(warm_up.read(version))
  assert sorted(requests) == sorted(export_manifest.SIGNATURES)
  for name, inputs in requests.items():
    [made] = functions[name](**inputs).values()
    assert made.shape[0] == 1, name


def test_the_same_requests_are_the_same_bytes(tmp_path: pathlib.Path) -> None:
  made = []
  for name in ('a', 'b'):
    (tmp_path / name).mkdir()
    warm_up.write(str(tmp_path / name), 8, (4, 16))
    made.append((tmp_path / name / warm_up.FILE).read_bytes())
  assert made[0] == made[1]


def test_an_older_version_has_no_requests(tmp_path: pathlib.Path) -> None:
  assert list(warm_up.read(str(tmp_path))) == []


def test_the_parameters_are_those_of_tensorflow_serving(version: str) -> None:
  text = pathlib.Path(version, batching.FILE).read_text(encoding='ascii')
  assert text.splitlines() == [
      'max_batch_size { value: 16 }',
      'batch_timeout_micros { value: 10000 }',
      'max_enqueued_batches { value: 64 }',
      'num_batch_threads { value: 2 }',
      *(f'allowed_batch_sizes: {size}' for size in (1, 2, 4, 8, 16))]


def test_the_manifest_covers_them(version: str) -> None:
  files = export_manifest.verify(pathlib.Path(version))['files']
  assert {warm_up.FILE, batching.FILE, model_card.FILE} <= set(files)


def test_the_card_tells_limits_and_measurements(
    run_root: str, version: str, tmp_path: pathlib.Path) -> None:
  plain = pathlib.Path(version, model_card.FILE).read_text(encoding='utf-8')
  assert 'not for identification' in plain
  assert '- Preset: tiny' in plain and 'None came with' in plain
  (tmp_path / 'tables.md').write_text('# Evaluation\n\n| C_i | 12.5 |\n')
  made = export.run(
      run_root, str(tmp_path / 'export'), evaluation=str(tmp_path))
  card = pathlib.Path(made, model_card.FILE).read_text(encoding='utf-8')
  assert '\n## Evaluation\n' in card and '| C_i | 12.5 |' in card
  with pytest.raises(cli.InputError, match=r'no readable tables\.md'):
    export.run(run_root, str(tmp_path), evaluation=str(tmp_path / 'absent'))
