"""What tools/report shows of one stage: facts, curves, pictures."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from typing import Any, Mapping, Sequence

import markupsafe

from tools.report import curves
from tools.report import events as events_lib
from tools.report import run_files
from tools.report import run_settings

# Fields by group, in the page's order; others follow under their own prefix.
_GROUPS = ('loss', 'weight', 'optimizer', 'grad_norm', 'timing')
_AXES = ('step', 'images', 'progress/kimg')  # the same as the axis
_CALM = ('optimizer', 'weight', 'progress', 'skipped')  # no mean is drawn
_FROM_ZERO = ('optimizer', 'timing', 'progress', 'skipped')
_HALVED = re.compile(r'halved to ([0-9.e+-]+) .*? at (\d+) images')


@dataclasses.dataclass(frozen=True)
class Chart:
  """One curve of the page.

  Attributes:
    name: The field's.
    last: Its last value, in words.
    notes: What else is to be said.
    svg: The picture; '' if no value is finite.
  """
  name: str
  last: str
  notes: str
  svg: markupsafe.Markup


def duration(seconds: float) -> str:
  """'42.4 s', '6 min 47 s' or '5 h 02 min'."""
  if seconds < 60:
    return f'{seconds:.1f} s'
  whole = round(seconds)
  if whole < 3600:
    return f'{whole // 60} min {whole % 60:02d} s'
  return f'{whole // 3600:,} h {whole % 3600 // 60:02d} min'


def state(stage: run_files.Stage) -> str:
  """'finished', or how far it is."""
  if stage.finished:
    # Importers of published weights write no record.
    return 'finished' if stage.finished.get('images') else 'imported weights'
  if not stage.rows:
    return 'begun, nothing recorded yet'
  phases = stage.phases()
  total = f' of {phases[-1]["last"]:,}' if phases else ''
  return f'in progress or stopped: {stage.images:,}{total} images'


def facts(stage: run_files.Stage) -> dict[str, str]:
  """Numbers of the stage, by what they are."""
  last = stage.rows[-1] if stage.rows else {}
  done = stage.finished
  found = {
      'state': state(stage),
      'images': f'{done.get("images", stage.images):,}',
      'steps': f'{done.get("step", int(last.get("step") or 0)):,}',
      'duration': _spent(stage),
      'skipped steps': str(done.get('skipped', int(last.get('skipped') or 0))),
      'rollbacks': str(done.get('rollbacks', 'known when it is finished')),
      'last record': f'{stage.written} UTC' if stage.written else 'none',
      'rows of metrics.jsonl': f'{len(stage.rows):,}'}
  if stage.rate() is not None:
    found['images/s'] = f'{stage.rate():.4g} (median of the rows)'
  if stage.phases():
    found['phases'] = '; '.join(
        f'{phase["images"]:,} images, batch {phase["batch_size"]}'
        + (f', {phase["resolution"]} px' if phase['resolution'] else '')
        for phase in stage.phases())
  return found


def _spent(stage: run_files.Stage) -> str:
  """How long training took, by finished.json and by the record."""
  recorded = stage.recorded_seconds()
  seconds = stage.finished.get('seconds')
  if not isinstance(seconds, (int, float)):
    return f'{duration(recorded)} so far, by the record'
  if recorded > 1.2 * seconds:  # finished.json knows the last start only
    return f'{duration(recorded)} over all starts, by the record'
  return duration(seconds)


def fields(rows: Sequence[run_files.Row]) -> list[str]:
  """The fields that get a curve, ordered by group.

  Left out: the axis; what never changes from 0 or 1 (`skipped`,
  `progress/alpha`); a `total` that is the same as the update's only term.
  """
  names = dict.fromkeys(name for row in rows for name in row)
  kept = [name for name in names if name not in _AXES
          and not _is_idle(name, rows) and not _is_copy(name, names, rows)]
  order = {group: i for i, group in enumerate(_GROUPS)}
  return sorted(kept, key=lambda name: order.get(
      name.partition('/')[0], len(order)))


def _is_idle(name: str, rows: Sequence[run_files.Row]) -> bool:
  if name.partition('/')[0] not in ('skipped', 'progress'):
    return False
  return len({row.get(name) for row in rows}) == 1


def _is_copy(name: str, names: Mapping[str, None],
             rows: Sequence[run_files.Row]) -> bool:
  """Whether a total equals the only term of its update in all rows."""
  prefix, _, term = name.rpartition('/')
  siblings = [n for n in names if n.startswith(prefix + '/') and n != name]
  return (term == 'total' and len(siblings) == 1
          and all(row.get(name) == row.get(siblings[0]) for row in rows))


def halvings(field: str, rows: Sequence[run_files.Row],
             notes: Sequence[events_lib.Note]) -> list[curves.Mark]:
  """Where a weight was halved.

  Args:
    field: Such as 'weight/finetune/weight_distance'.
    rows: Of the record, in which several halvings can lie between two rows.
    notes: Of TensorBoard, which name each; without them the rows count.
  """
  marks = []
  for note in notes:
    found = _HALVED.search(note.text) if note.tag == field else None
    if found:
      marks.append(curves.Mark(
          float(found.group(2)), float(found.group(1)), note.text))
  if marks:
    return marks
  before = None
  for row in rows:
    value = row.get(field)
    if value and before and value < before:
      times = round(math.log2(before / value))
      marks.append(curves.Mark(
          row['images'], value, f'halved {times} time{"s" * (times > 1)} up to '
          f'{row["images"]:.0f} images, to {value:.3g}'))
    before = value or before
  return marks


def charts(stage: run_files.Stage, notes: Sequence[events_lib.Note]
           ) -> list[Chart]:
  """A curve per field of the record."""
  boundaries = [
      curves.Mark(
          phase['first'], None,
          f'{phase["images"]:,} images'
          + (f' at {phase["resolution"]} px' if phase['resolution'] else '')
          + f' from {phase["first"]:,} on')
      for phase in stage.phases()[1:] if phase['first'] < stage.images]
  return [_chart(name, stage.rows, boundaries, notes)
          for name in fields(stage.rows)]


def _chart(name: str, rows: Sequence[run_files.Row],
           boundaries: list[curves.Mark], notes: Sequence[events_lib.Note]
           ) -> Chart:
  group = name.partition('/')[0]
  points = [(row['images'], row[name]) for row in rows if name in row]
  marks = halvings(name, rows, notes) if group == 'weight' else []
  # Halvings between two rows belong to the stairs, too.
  line = sorted({*points, *((m.images, m.value) for m in marks)},
                key=lambda point: point[0]) if marks else points
  style = curves.Style(
      is_noisy=group not in _CALM, is_step=group in ('weight', 'skipped'),
      from_zero=group in _FROM_ZERO)
  values = [value for _, value in points if value is not None]
  said = ['log scale'] if curves.is_logarithmic(values, style) else []
  if len(values) < len(points):
    said.append(f'{len(points) - len(values)} not finite')
  if marks:
    said.append(f'dots: {len(marks)} halvings')
  return Chart(name, f'{values[-1]:.4g}' if values else 'none',
               ', '.join(said), curves.draw(
                   name, line, style, [*boundaries, *marks]))


def drawn(rows: int) -> str:
  """Says how the curves are made of rows."""
  size = curves.group_size(rows)
  if size > 1:
    return (f'{rows:,} rows in groups of {size}: the band spans least to '
            'greatest value, the line is their mean.')
  width = curves.window(rows)
  if width > 1:
    return (f'Faint: every row, the values of one batch. Strong: the mean of '
            f'{width} rows around.')
  return 'Every row, the values of one batch.'


def section(stage: run_files.Stage, shared: Mapping[str, str]
            ) -> dict[str, Any]:
  """Everything of a stage for the page.

  Args:
    stage: The stage.
    shared: Circumstances that the page states once for all stages.
  """
  events = events_lib.read(stage.folder / 'train')
  grids = []
  for tag in events.places:
    title = tag.removeprefix('preview/')
    grids.append({'tag': tag, 'columns': title.split('|'),
                  'pictures': events.pictures(tag)})
  halved = [note.text for note in events.notes if _HALVED.search(note.text)]
  return {
      'name': stage.name, 'equation': str(stage.settings.get('equation', '')),
      'state': state(stage), 'facts': facts(stage),
      'charts': charts(stage, events.notes), 'grids': grids,
      'drawn': drawn(len(stage.rows)), 'halved': halved,
      'problems': stage.problems + events.problems,
      'circumstances': {
          name: value for name, value in run_settings.circumstances(
              stage).items() if name not in shared},
      'config': json.dumps(stage.config, indent=2)}
