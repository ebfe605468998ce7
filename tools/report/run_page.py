"""A run on one page: what `python -m tools.report` writes."""

from __future__ import annotations

import datetime
from typing import Any, Sequence

from earsr_tf import config as config_lib
from tools.pages import rendering
from tools.report import evaluations
from tools.report import run_files
from tools.report import run_settings
from tools.report import stage_section


def _overview(stages: Sequence[run_files.Stage]) -> list[dict[str, Any]]:
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
    facts, rate = stage_section.facts(stage), stage.rate()
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
  place, problems = run_files.locate(folder), []
  stages = [run_files.read_stage(place.runs, name)
            for name in run_files.stage_names(place.runs)]
  shared = run_settings.shared(stages)
  root, times, results = place.pipeline, {'steps': [], 'total': 0.0}, []
  if root:
    times = evaluations.times(root, problems)
    results = evaluations.pictures(root, problems)
  return rendering.render(
      'run.html',
      title=folder, date=datetime.datetime.now(datetime.timezone.utc).strftime(
          '%Y-%m-%d %H:%M:%S'),
      finished=sum(bool(stage.finished) for stage in stages),
      overview=_overview(stages), times=times, results=results,
      differences=run_settings.differences(stages, problems),
      problems=problems, shared=shared,
      data=run_settings.data(data_dir, stages) if data_dir else None,
      stages=[stage_section.section(stage, shared) for stage in stages],
      evaluations=[evaluations.section(path)
                   for path in evaluations.folders(place)])
