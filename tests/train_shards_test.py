"""Tests of earsr_tf.train: it never trains on shards that are not whole."""

from __future__ import annotations

import json
import pathlib

import pytest

from tests import fakes
from tests import train_command


def test_a_flipped_bit_is_bad_data(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
  data = tmp_path / 'data'
  fakes.write_data(data)
  shard = next(data.glob('d_rest*'))
  raw = bytearray(shard.read_bytes())
  raw[len(raw) // 2] ^= 1
  shard.write_bytes(raw)
  arguments = ('--stage=attributes', *train_command.SMALL, f'--data_dir={data}',
               f'--run_root={tmp_path / "runs"}')
  assert train_command.main(*arguments) == 65
  message = train_command.error(capsys)
  assert shard.name in message and 'tools.verify_data' in message
  assert not (tmp_path / 'runs').exists()
  # Without the check, the first damaged record ends training all the same.
  assert train_command.main(*arguments, '--noverify_data') == 65
  assert 'a record is damaged' in train_command.error(capsys)


def test_training_never_sees_fewer_records_than_stated(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path) -> None:
  data = tmp_path / 'data'
  fakes.write_data(data)
  shard = next(data.glob('d_rest*'))
  raw = shard.read_bytes()
  # Length of the first record, its CRC (8 + 4 bytes), data, CRC.
  shard.write_bytes(raw[:16 + int.from_bytes(raw[:8], 'little')])
  manifest = json.loads((data / 'manifest.json').read_text())
  entry = manifest['splits']['d_rest'][0]
  assert entry['records'] > 1
  entry['bytes'] = shard.stat().st_size
  (data / 'manifest.json').write_text(json.dumps(manifest))
  arguments = ('--stage=attributes', *train_command.SMALL, f'--data_dir={data}',
               f'--run_root={tmp_path / "runs"}')
  assert train_command.main(*arguments) == 65
  assert shard.name in train_command.error(capsys)
  assert train_command.main(*arguments, '--noverify_data') == 65
  assert 'fewer records than the manifest says' in train_command.error(capsys)
