"""Beam's flags: passed on, checked, and the runner they name."""

from __future__ import annotations

from apache_beam.options import pipeline_options
from apache_beam.runners.portability import fn_api_runner
import pytest

from earsr_tf import config
from pipelines.ingest import beam_options


def test_flags_reach_beam():
  options = beam_options.make(
      ['--direct_num_workers=3', '--runner', 'FlinkRunner'],
      ['--of_my_runner=7'])
  direct = options.view_as(pipeline_options.DirectOptions)
  assert direct.direct_num_workers == 3
  assert options.view_as(
      pipeline_options.StandardOptions).runner == 'FlinkRunner'
  assert options.get_all_options(
      retain_unknown_options=True)['of_my_runner'] == '7'
  assert type(beam_options.runner(options)).__name__ == 'FlinkRunner'


def test_the_default_runner_is_in_this_process():
  for flags in ([], ['--runner=FnApiRunner']):
    runner = beam_options.runner(beam_options.make(flags))
    assert isinstance(runner, fn_api_runner.FnApiRunner)


def test_dask_gets_its_flags_and_a_shard_at_a_time():
  pytest.importorskip('distributed', reason="pip install 'dask[distributed]'")
  address = '--dask_client_address=tcp://h:8786'
  options = beam_options.make(['--runner=DaskRunner', address])
  runner = beam_options.runner(options)
  assert type(runner).__name__ == 'DaskRunner'
  values = options.get_all_options()
  assert values['address'] == 'tcp://h:8786' and values['partition_size'] == 1
  values = beam_options.make([
      '--runner=DaskRunner', address, '--dask_npartitions=7']).get_all_options()
  assert values['npartitions'] == 7 and not values['partition_size']


@pytest.mark.parametrize('flags, text', [
    (['--frame_per_clip=3'], 'unknown flag --frame_per_clip'),
    (['--is_unknown'], 'unknown flag --is_unknown'),
    (['stray'], 'unexpected argument stray'),
    (['--direct_num_workers=3', 'stray'], 'unexpected argument stray')])
def test_mistakes_are_named(flags, text):
  with pytest.raises(config.ConfigError, match=text):
    beam_options.make(flags)


def test_an_unknown_runner_is_named():
  with pytest.raises(config.ConfigError, match='--runner=NoRunner'):
    beam_options.runner(beam_options.make(['--runner=NoRunner']))


def test_what_a_runner_elsewhere_says_is_one_sentence():
  elsewhere = beam_options.runner(beam_options.make(['--runner=FlinkRunner']))
  with pytest.raises(beam_options.RunnerError) as e:
    with beam_options.explained(elsewhere):
      raise RuntimeError('no\n  job server ' + 1000 * '.')
  assert str(e.value).startswith('FlinkRunner: RuntimeError: no job server ..')
  assert len(str(e.value)) < 600 and '\n' not in str(e.value)
  assert e.value.exit_code == 69


def test_faults_in_this_process_keep_their_names():
  here = beam_options.runner(beam_options.make([]))
  with pytest.raises(KeyError, match='clip'):
    with beam_options.explained(here):
      raise KeyError('clip')
