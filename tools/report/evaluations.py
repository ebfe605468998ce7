"""Evaluations and times beside a run, for tools/report."""

from __future__ import annotations

import itertools
import pathlib
from typing import Any

import markdown_it
import markupsafe

from earsr_tf.evaluation import report
from earsr_tf.evaluation import tables
from tools.report import events
from tools.report import run_files

RESULTS = 'evaluation.json'
# Where pipelines.run puts evaluations, one folder per execution.
_ARTIFACTS = 'artifacts/Evaluate/report'


def folders(place: run_files.Place) -> list[pathlib.Path]:
  """Folders with an evaluation; of the pipeline's own, the newest.

  They are looked for in the run's folder, the pipeline's root, and one below.
  """
  found: dict[pathlib.Path, None] = {}
  tops = [place.runs, place.given]
  if place.pipeline:
    tops.append(place.pipeline)
    made = [path.parent for path in
            (place.pipeline / _ARTIFACTS).glob(f'*/{RESULTS}')
            if path.parent.name.isdecimal()]
    if made:
      found[max(made, key=lambda path: int(path.name)).resolve()] = None
  for top in tops:
    for pattern in (RESULTS, f'*/{RESULTS}'):
      for path in sorted(top.glob(pattern)):
        found.setdefault(path.parent.resolve())
  return list(found)


def html(markdown: str) -> markupsafe.Markup:
  """Markdown of `tables.markdown` as HTML; all else in it stays text."""
  words = markdown_it.MarkdownIt('zero').enable([
      'heading', 'table', 'list', 'backticks', 'emphasis'])
  tokens = words.parse(markdown)
  for token, inside in itertools.pairwise(tokens):
    if token.type.startswith('heading'):
      token.tag = 'h3'  # below those of the page
    elif token.type == 'td_open' and inside.content.endswith('<'):
      token.attrJoin('class', 'below')  # a network below its floor
  return markupsafe.Markup(words.renderer.render(tokens, words.options, {}))


def section(folder: pathlib.Path) -> dict[str, Any]:
  """An evaluation for the page: `name`, `text`, `figures`, `problems`."""
  problems: list[str] = []
  results = run_files.read_json(folder / RESULTS, problems)
  text = markupsafe.Markup('')
  if results:
    try:
      # 'Evaluation' stands in the page already.
      text = html(tables.markdown(results).partition('\n')[2])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
      problems.append(
          f'{RESULTS} is of another form than this version writes '
          f'({type(error).__name__}: {error})')
  return {'name': str(folder), 'text': text, 'problems': problems,
          'figures': pictures(folder, problems)}


def pictures(folder: pathlib.Path, problems: list[str]
             ) -> list[dict[str, str]]:
  """All PNG files in a folder, as `name` and `src`; see `section`."""
  found = []
  for path in sorted(folder.glob('*.png')):
    try:
      found.append({
          'name': path.stem, 'src': events.inline(path.read_bytes())})
    except (OSError, ValueError) as error:
      problems.append(f'{path.name}: {error}')
  return found


def times(root: pathlib.Path, problems: list[str]) -> dict[str, Any]:
  """times.json for the page: `total` and `steps` with `share` of the longest.

  Args:
    root: Of pipelines.run.
    problems: Gets a sentence if the file cannot be read.
  """
  values = run_files.read_json(root / 'times.json', problems)
  try:
    steps = [{'name': str(step['name']), 'state': str(step['state']),
              'seconds': float(step['seconds'])}
             for step in values.get('steps', [])]
    total = float(values.get('total_seconds', 0))
  except (KeyError, TypeError, ValueError):
    problems.append('times.json is of another form than this version writes')
    return {'steps': [], 'total': 0.0}
  longest = max([step['seconds'] for step in steps], default=0) or 1.0
  for step in steps:
    step['share'] = round(100 * step['seconds'] / longest, 1)
    step['text'] = report.number(step['seconds'], 1)
  return {'steps': steps, 'total': total}
