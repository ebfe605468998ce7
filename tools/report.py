"""python -m tools.report RUN_ROOT [--output=FILE]: a run on one page.

Curves, preview grids, settings, provenance, evaluations and times, in one
HTML file without scripts that needs nothing else. A run in progress is shown
as far as it is.
"""

from __future__ import annotations

import datetime
import pathlib
from typing import Any, Sequence

from absl import flags

from earsr_tf import cli
from earsr_tf import config as config_lib
from earsr_tf.data import durable
from tools import html_page
from tools import report_evaluation
from tools import report_page
from tools import report_record
from tools import report_settings
from tools import report_stages


def _overview(stages: Sequence[report_record.Stage]) -> list[dict[str, Any]]:
  """A row per stage, also for those that are missing."""
  begun = {stage.name: stage for stage in stages}
  rows = []
  for name in dict.fromkeys((*config_lib.STAGES, *begun)):
    stage = begun.get(name)
    if stage is None:
      rows.append({
          'name': name, 'is_there': False, 'state': 'not trained', 'images': '',
          'duration': '', 'rate': '', 'skipped': '', 'rollbacks': ''})
      continue
    facts, rate = report_stages.facts(stage), stage.rate()
    rows.append({
        'name': name, 'is_there': True, 'state': facts['state'],
        'images': facts['images'], 'duration': facts['duration'],
        'rate': '' if rate is None else f'{rate:.4g}',
        'skipped': facts['skipped steps'],
        'rollbacks': stage.finished.get('rollbacks', '')})
  return rows


def make(folder: str, data_dir: str = '') -> str:
  """The page of a run.

  Args:
    folder: What --run_root names, or the root of pipelines.run.
    data_dir: Prepared data to describe; '': none.

  Returns:
    HTML.

  Raises:
    InputError: If there is no run.
    DataError: If `data_dir` holds no readable manifest.
  """
  place, problems = report_record.locate(folder), []
  stages = [report_record.read_stage(place.runs, name)
            for name in report_record.stage_names(place.runs)]
  shared = report_settings.shared(stages)
  root, times, results = place.pipeline, {'steps': [], 'total': 0.0}, []
  if root:
    times = report_evaluation.times(root, problems)
    results = report_evaluation.pictures(root, problems)
  return html_page.render(
      report_page.TEMPLATE,
      title=folder, date=datetime.datetime.now(datetime.timezone.utc).strftime(
          '%Y-%m-%d %H:%M:%S'),
      finished=sum(bool(stage.finished) for stage in stages),
      overview=_overview(stages), times=times, results=results,
      differences=report_settings.differences(stages, problems),
      problems=problems, shared=shared,
      data=report_settings.data(data_dir, stages) if data_dir else None,
      stages=[report_stages.section(stage, shared) for stage in stages],
      evaluations=[report_evaluation.section(path)
                   for path in report_evaluation.folders(place)])


def main(folder: str) -> None:
  """Writes the page of a run.

  Raises:
    InputError: If there is no run, or the page cannot be written.
  """
  page = make(folder, flags.FLAGS.data_dir).encode('utf-8', 'replace')
  output = flags.FLAGS.output or pathlib.Path(folder) / 'report.html'
  try:
    durable.write(output, page)
  except OSError as error:
    raise cli.InputError(
        f'{output}: cannot be written ({error.strerror}); name another place '
        'with --output', cli.CANNOT_CREATE) from error
  print(f'{output}: {len(page) / 1e6:.1f} MB')


if __name__ == '__main__':
  flags.DEFINE_string(
      'output', '', 'HTML file; default: report.html in the run\'s folder.')
  flags.DEFINE_string(
      'data_dir', '', 'Folder of prepared data to describe.')
  cli.run(main, argument='folder of a run')
