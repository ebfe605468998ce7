"""Gates inside a real pipeline: drift, blessing, push, lineage.

Training, evaluation and export are left out; what they would have written lies
there.
"""

from __future__ import annotations

import json
import pathlib
import shutil

import pytest

from earsr_tf import config_json
from earsr_tf import durable
from earsr_tf import environment
from earsr_tf import flags as flags_lib
from earsr_tf import presets
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.evaluation import blessing
from earsr_tf.serving import export_manifest
from earsr_tf.serving import saved_model
from pipelines import compile as compile_lib
from pipelines import executors
from pipelines import gates
from pipelines import infra
from pipelines import lineage
from pipelines import local_runner
from pipelines import pipeline
from pipelines import plan as plan_lib
from pipelines import store
from tests import run_folder


class _Pipeline:
  """Runs pipelines in one folder, with stand-ins for all that is slow."""

  def __init__(self, root: pathlib.Path, monkeypatch: pytest.MonkeyPatch):
    self.root = root
    self.psnr = 24.0
    self.answers = {'blessed': True, 'reasons': [], 'probe': {}}
    monkeypatch.setattr(executors, 'train', lambda *_, **__: None)
    monkeypatch.setattr(executors, 'super_resolve', lambda *_, **__: None)
    monkeypatch.setattr(executors, 'evaluate', self._evaluate)
    monkeypatch.setattr(executors, 'export', self._export)
    monkeypatch.setattr(infra, 'check', lambda version: self.answers)

  def _evaluate(self, shards, fusion, report) -> None:
    del fusion
    row = {name: 0.5 for name in blessing.SCORES}
    rows = {'h': {**row, 'psnr': self.psnr}, 'bicubic': {**row, 'psnr': 22.0}}
    durable.write_json(pathlib.Path(report.uri) / 'evaluation.json', {
        'provenance': {'data_manifest_sha256': shards.sha256},
        'consistency': 'off',
        'judge': {'trusted': True, 'reasons': [], 'least': {'gender': 0.9}},
        'sets': {'closed': {'rows': rows}}})

  def _export(self, fusion, model) -> None:
    del fusion
    saved_model.publish(
        lambda folder: pathlib.Path(folder, 'saved_model.pb').write_text(
            str(self.psnr)), model.uri, {'training_command': 'train it'})

  def run(self, shards: str, *settings: str) -> str:
    """Runs it; returns what is said of the push."""
    config = flags_lib.apply_settings(presets.get('tiny'), [*settings])
    plan = plan_lib.make(config, root=str(self.root), shards=shards)
    durable.write_json(
        self.root / executors.CONFIG, config_json.to_json(config))
    store.note(plan.root, plan.metadata)
    local_runner.run(pipeline.make(plan))
    return gates.outcome(self.root)


@pytest.fixture(name='made')
def _made(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
          ) -> _Pipeline:
  return _Pipeline(tmp_path / 'root', monkeypatch)


def _lose_clips(data: str, other: pathlib.Path) -> str:
  """A copy of data whose closed test set is gone."""
  shutil.copytree(data, other)
  path = other / manifest_lib.FILE_NAME
  content = json.loads(path.read_text())
  content['splits']['closed_test'] = []
  path.write_text(json.dumps(content))
  return str(other)


def test_the_gates_in_turn(
    made: _Pipeline, tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  few = ('schema.least_clips=2',)
  data = run_folder.write_data(tmp_path / 'data')
  said = made.run(data, *few)
  served = made.root / 'serving_models'
  assert said.startswith(f'Pushed: {served}/1; serve it with python -m ')
  assert made.run(data, *few) == said and export_manifest.versions(
      served) == [1]

  found = lineage.find(str(served))
  text = '\n'.join(lineage.describe(found))
  sha256 = manifest_lib.read_manifest(data).sha256
  for words in (f'model {served}/1', f'sha256={sha256}', 'dataset=synthetic',
                'train it', 'psnr=24.0', '"code_weight"'):
    assert words in text
  assert {name for name, _ in found.steps} == {
      'UseShards', 'Generator', 'Invert', 'Finetune', 'LowRes', 'Audio',
      'Fusion', 'Attributes', 'Evaluate', 'Bless', 'Export', 'InfraValidate',
      'Push'}
  assert all(parameters.get('code') for name, parameters in found.steps
             if name != 'UseShards')

  # A worse one is compared with the last that was blessed, and stays here.
  made.psnr = 23.0
  said = made.run(data, *few, 'fusion.code_weight=0.5')
  assert said.startswith('Not pushed: closed set: 1.00 dB of PSNR fewer')
  assert export_manifest.versions(served) == [1]

  # A better one that does not run stays here, too.
  made.psnr = 25.0
  made.answers = {'blessed': False, 'reasons': ['no answer'], 'probe': {}}
  said = made.run(data, *few, 'fusion.code_weight=0.6')
  assert said == 'Not pushed: no answer'
  assert export_manifest.versions(served) == [1]

  with pytest.raises(manifest_lib.DataError) as error:
    made.run(_lose_clips(data, tmp_path / 'less'), *few)
  assert '6 clips, the last run had 8; schema.drift_clips allows' in str(
      error.value)
  assert error.value.exit_code == 65
  made.run(str(tmp_path / 'less'), *few, 'schema.drift_clips=1')


def test_lineage_says_what_is_missing(
    made: _Pipeline, tmp_path: pathlib.Path) -> None:
  base = tmp_path / 'export'
  saved_model.publish(lambda folder: None, str(base), {})
  with pytest.raises(export_manifest.ExportError, match='no pipeline pushed'):
    lineage.find(str(base))
  facts = {'pipeline': {'root': str(tmp_path / 'gone'), 'model': 7}}
  saved_model.publish(lambda folder: None, str(base), facts)
  with pytest.raises(lineage.cli.InputError, match='--root'):
    lineage.find(str(base))
  assert not (tmp_path / 'gone').exists()


def test_compile_says_what_it_needs(tmp_path: pathlib.Path) -> None:
  """Where the whole of TFX is not installed, as here."""
  with pytest.raises(environment.MissingPackageError, match='whole of TFX'):
    compile_lib.compile_to(tmp_path / 'p.json', None, 'image')
  assert not list(tmp_path.iterdir())
