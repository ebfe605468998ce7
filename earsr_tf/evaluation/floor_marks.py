"""Which linear row is the floor of which network, and who is below it.

Imports no TensorFlow, as `report` and `tables`, which print the marks.
"""

from __future__ import annotations

from typing import Any, Mapping

MARK = '<'
FOOTNOTE = (
    f'"{MARK}": below the linear floor of the row: PCA with 64 values for '
    '(a) and (b), ridge regression from the same inputs for the others.')
# Network -> floor. (a) and (b) are held against a code of 64 values although
# theirs are longer: PCA of their own length is the best that any linear code
# can do, in the table for comparison, but no floor.
FLOORS = {
    'a': 'pca64', 'b': 'pca64', 'c': 'ridge_low', 'd': 'ridge_voice',
    'f0': 'ridge_silent', 'x': 'ridge_x', 'h': 'ridge_both',
    'e': 'ridge_both', 'f': 'ridge_low', 'g': 'ridge_both',
    'lapsrn': 'ridge_low', 'wavelet_srnet': 'ridge_low'}
LINEAR = ('pca64', 'pca', 'ridge_low', 'ridge_voice', 'ridge_both', 'ridge_x',
          'ridge_silent')
COLUMNS = {'psnr': 'PSNR', 'gender_accuracy': 'C_g',
           'identity_accuracy': 'C_i'}


def below(sets: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
  """Networks whose mean is below that of their floor.

  Args:
    sets: Set name -> what evaluation.json holds of it.

  Returns:
    JSON-ready entries: set, row, floor, metric, value, floor_value. A value
    that is missing on either side makes no entry.
  """
  found = []
  for name, part in sets.items():
    rows = part['rows']
    for row, floor in FLOORS.items():
      for metric in COLUMNS:
        value = rows.get(row, {}).get(metric)
        least = rows.get(floor, {}).get(metric)
        # A comparison with NaN is false.
        if None not in (value, least) and value < least:
          found.append({
              'set': name, 'row': row, 'floor': floor, 'metric': metric,
              'value': value, 'floor_value': least})
  return found


def marks(results: Mapping[str, Any]) -> dict[tuple[str, str, str], str]:
  """(set, row, metric) -> sign, of the values to be marked.

  Args:
    results: What evaluation.json holds, with or without floors.
  """
  floors = results.get('floors') or {}
  return {(entry['set'], entry['row'], entry['metric']): MARK
          for entry in floors.get('below_floor', ())}


def sentences(results: Mapping[str, Any]) -> list[str]:
  """One line per network, set and metric below the floor, for people."""
  floors, lines = results.get('floors') or {}, []
  for entry in floors.get('below_floor', ()):
    scale, unit, digits = (
        (1.0, 'dB', 2) if entry['metric'] == 'psnr' else (100.0, '%', 1))
    labels = results['rows']
    lines.append(
        f'{labels[entry["row"]]["label"]}, {entry["set"]} set: '
        f'{COLUMNS[entry["metric"]]} {entry["value"] * scale:.{digits}f} '
        f'below {entry["floor_value"] * scale:.{digits}f} {unit} of '
        f'{labels[entry["floor"]]["label"]}')
  return lines
