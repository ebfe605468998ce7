"""The paper's tables as Markdown, from the mapping of evaluation.json."""

from __future__ import annotations

import csv
import io
from typing import Any, Mapping, Sequence

import numpy as np

from earsr_tf.evaluation import dlib_faces
from earsr_tf.evaluation import floor_marks
from earsr_tf.evaluation import judge_choice
from earsr_tf.evaluation import report
from earsr_tf.evaluation import trust

_TITLES = {'closed': 'Closed set', 'open': 'Open set'}


def markdown(results: Mapping[str, Any]) -> str:
  """All tables with their protocol and provenance.

  Args:
    results: What `evaluator.evaluate` returns as `results`.

  Returns:
    Markdown text.
  """
  parts = [
      '# Evaluation', _provenance(results), *trust.markdown(results),
      '## Table 1: attributes kept by each model', attribute_table(results),
      '## Table 2: fidelity', fidelity_table(results),
      '## Table 3: one person\'s image with a voice of the other gender',
      mixing_table(results),
      '## Paired comparisons', comparison_table(results)]
  if results.get('floors'):
    parts += ['## Linear floors', floor_text(results)]
    below = floor_marks.sentences(results)
    parts += ['\n'.join(f'- {line}' for line in below)] if below else []
  if results['skipped']:
    parts += ['## Not evaluated', '\n'.join(
        f'- {results["rows"][key]["label"]}: {reason}'
        for key, reason in results['skipped'].items())]
  return '\n\n'.join(parts) + '\n'


def attribute_table(results: Mapping[str, Any]) -> str:
  """Table 1: accuracy of C_i and C_g, age error of C_a.

  Args:
    results: What `evaluator.evaluate` returns as `results`.

  Returns:
    A Markdown table; '-' where a value does not exist.
  """
  columns = (('Acc C_i, %', 'identity_accuracy', 1, 100.0),
             ('Acc C_g, %', 'gender_accuracy', 1, 100.0),
             ('Err C_a, years', 'age_error', 2, 1.0),
             ('to true age, years', 'age_error_true', 2, 1.0))
  head = _judged(results) + results['protocol'][1]
  if any('descriptor_distance' in row for part in results['sets'].values()
         for row in part['rows'].values()):
    head += f' {dlib_faces.PROTOCOL}'
    columns += (('dlib distance', 'descriptor_distance', 3, 1.0),
                ('as one person, %', 'descriptor_same', 1, 100.0))
  return (head + '\n\n'
          + _method_table(results, columns, list(results['rows'])))


def fidelity_table(results: Mapping[str, Any]) -> str:
  """PSNR, SSIM and LR consistency (Table 2's metrics, our rows).

  Args:
    results: What `evaluator.evaluate` returns as `results`.

  Returns:
    A Markdown table; '-' where a value does not exist.
  """
  columns = (('PSNR, dB', 'psnr', 2, 1.0), ('SSIM', 'ssim', 3, 1.0),
             ('LR consistency, levels', 'lr_consistency', 2, 1.0))
  keys = [key for key in results['rows'] if key != 'original']
  head = results['protocol'][0]
  if results.get('consistency', 'off') != 'off':
    head += (' Rows with a plus, beyond the paper: the 8-bit output corrected '
             'towards its input (--consistency='
             f'{results["consistency"]}).')
  if features := results['provenance'].get('fid_features'):
    head += (' FID and KID (all pairs, cubic kernel) from the originals of the '
             f'same images, by features of: {features}.')
    columns += (('FID', 'fid', 3, 1.0), ('KID x 1000', 'kid', 3, 1000.0))
  return (head + '\n\n'
          + _method_table(results, columns, keys))


def mixing_table(results: Mapping[str, Any]) -> str:
  """Table 3: whose gender C_g sees when image and voice disagree.

  Args:
    results: What `evaluator.evaluate` returns as `results`.

  Returns:
    A Markdown table.
  """
  rows = []
  for name, part in results['sets'].items():
    mixing = part.get('mixing')
    if mixing:
      rows.append([
          _TITLES[name], str(mixing['pairs']),
          report.number(mixing['agrees_low'], 1, 100.0),
          report.number(mixing['agrees_audio'], 1, 100.0)])
  if not rows:
    return 'No pairs of different gender, or no F or classifier.'
  return _judged(results) + _table(
      ['Set', 'pairs', 'agrees with the 8x8 image, %',
       'agrees with the voice, %'], rows)


def comparison_table(results: Mapping[str, Any]) -> str:
  """Paired differences with 95 % intervals.

  Args:
    results: What `evaluator.evaluate` returns as `results`.

  Returns:
    A Markdown table headed by how the interval is made.
  """
  rows = []
  for name, part in results['sets'].items():
    for item in part['comparisons']:
      scale = item['scale']
      low, high = (report.number(item[end], 2, scale)
                   for end in ('low', 'high'))
      rows.append([
          _TITLES[name], f'{item["title"]}: {item["name"]}',
          f'{report.number(item["mean"], 2, scale)} {item["unit"]}'.strip(),
          f'[{low}, {high}]', str(item['speakers']),
          report.number(item['wins'], 0, 100.0)])
  head = ('Mean over people of the difference within a person; 95 % interval '
          'by bootstrap over people (10 000 draws, fixed seed). "Above" is '
          'the share of images in which the first is above the second.')
  return _judged(results) + head + '\n\n' + _table(
      ['Set', 'Comparison', 'mean', '95 % interval', 'people', 'above, %'],
      rows)


def floor_text(results: Mapping[str, Any]) -> str:
  """How the linear rows were made, as one paragraph.

  Args:
    results: What `evaluator.evaluate` returns as `results`, with floors.
  """
  facts = results['floors']
  if 'frames' not in facts:
    return 'None: too few training frames.'
  penalties = ', '.join(
      f'{results["rows"][key]["label"].removeprefix("ridge, ")} {value:.1g}'
      for key, value in facts['penalties'].items())
  seconds = facts['seconds']
  return (
      f'PCA of {facts["frames"]} training frames; '
      f'{facts["values"]["pca"]} values keep '
      f'{report.number(facts["variance_kept"], 1, 100.0)} % of the variance '
      f'({seconds["pca"]} s). Ridge regression to their codes: penalty on '
      f'standardised inputs, chosen on {facts["held_back_people"]} of '
      f'{facts["people"]} training people: {penalties} '
      f'({seconds["ridge"]} s). '
      f'{"Below their floor:" if facts["below_floor"] else ""}'.strip())


def samples_csv(
    scores: Mapping[str, Mapping[str, np.ndarray]], clips: Sequence[str],
) -> str:
  """Every score of every image, for whoever wants to check the means.

  Args:
    scores: Row key -> score -> [N].
    clips: [N] clip names.

  Returns:
    CSV text: row, image, clip, then a column per score.
  """
  metrics = list(next(iter(scores.values())))
  stream = io.StringIO()
  writer = csv.writer(stream, lineterminator='\n')  # quotes odd names
  writer.writerow(['row', 'image', 'clip', *metrics])
  for key, values in scores.items():
    for i, clip in enumerate(clips):
      cells = [f'{values[metric][i]:.5g}' for metric in metrics]
      writer.writerow([key, i, clip, *cells])
  return stream.getvalue()


def _judged(results: Mapping[str, Any]) -> str:
  """The paragraph that names the judges, if they are known."""
  named = judge_choice.sentence(results)
  return f'{named}\n\n' if named else ''


def _method_table(
    results: Mapping[str, Any],
    columns: Sequence[tuple[str, str, int, float]],
    keys: Sequence[str],
) -> str:
  """A table with a line per method and a group of columns per set."""
  sets, marks = results['sets'], floor_marks.marks(results)
  header = ['Method'] + [
      f'{title} ({name})' for name in sets for title, _, _, _ in columns]
  rows = []
  for key in keys:
    if not any(key in part['rows'] for part in sets.values()):
      continue
    cells = [results['rows'][key]['label']]
    for name, part in sets.items():
      cells += [
          report.number(part['rows'].get(key, {}).get(column), digits, scale)
          + marks.get((name, key, column), '')
          for _, column, digits, scale in columns]
    rows.append(cells)
  footnote = f'\n\n{floor_marks.FOOTNOTE}' if marks else ''
  return _table(header, rows) + footnote


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
  """A Markdown table; the first column is left-, the others right-aligned."""
  lines = ['| ' + ' | '.join(header) + ' |',
           '|---|' + '---:|' * (len(header) - 1)]
  lines += ['| ' + ' | '.join(row) + ' |' for row in rows]
  return '\n'.join(lines)


def _provenance(results: Mapping[str, Any]) -> str:
  """Where the numbers come from, as one paragraph."""
  facts = results['provenance']
  sizes = '; '.join(
      f'{name}: {part["speakers"]} people, {part["clips"]} clips, '
      f'{part["images"]} images' for name, part in results['sets'].items())
  return (
      f'`{facts["command"]}`, preset {facts["preset"]}, seed {facts["seed"]}, '
      f'data manifest {facts["data_manifest_sha256"][:12]}, '
      f'{facts["machine"]["cpu"]} ({facts["machine"]["cores"]} cores), '
      f'{facts["date"]}. Test sets: {sizes}.')
