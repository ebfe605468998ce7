"""python -m tools.calibrate DIR: what each input of prepared data tells.

Linear discriminants name known people in unseen videos and tell the gender of
unseen people, from 8x8, 16x16 and 64x64 pixels and from 4 s of voice; --cnn
adds a small CNN, and 128x128 pixels. Works for any prepared data, made or
real. See docs/synthetic.md.
"""

from __future__ import annotations

import dataclasses
import pathlib
import time
from typing import Any

from absl import flags
import numpy as np

from earsr_tf import cli
from earsr_tf import durable
from earsr_tf.data import manifest as manifest_lib
from tools.benchmark import measurement
from tools.calibrate import discriminant
from tools.calibrate import samples as samples_lib

VOICE = 'voice'
_LINEAR = ('8', '16', '64', VOICE)
_NETWORK = ('8', '16', '64', '128', VOICE)


def linear(samples: samples_lib.Samples, name: str) -> dict[str, Any]:
  """The discriminants of one input; a part that is missing gives None."""
  labels, rows = _rows(samples, name)
  if name == VOICE:
    rows = samples_lib.statistics(rows)
  rows = rows.reshape(len(rows), -1).astype(np.float32)
  train = labels.part == samples_lib.TRAIN
  result: dict[str, Any] = {'person': None, 'gender': None}
  for task, part in (
      ('person', samples_lib.CLOSED), ('gender', samples_lib.OPEN)):
    used = train | (labels.part == part)
    if not train.any() or not (labels.part == part).any():
      continue
    test = ~train[used]
    if task == 'person':
      answer = discriminant.name_people(
          rows[used], labels.speaker[used], labels.video[used], test)
    else:
      known = labels.gender[used] >= 0
      if not (known & test).any() or len(
          np.unique(labels.gender[used][known & ~test])) < 2:
        continue
      answer = discriminant.tell_gender(
          rows[used], labels.gender[used], labels.speaker[used], test)
    result[task] = dataclasses.asdict(answer)
  return result


def network(
    samples: samples_lib.Samples, name: str, passes: int, seed: int
) -> dict[str, Any]:
  """The CNN of one input: its curve, with best and last."""
  from tools.calibrate import network as network_lib
  labels, rows = _rows(samples, name)
  train = labels.part == samples_lib.TRAIN
  names = np.unique(labels.speaker[train])
  number = {speaker: i for i, speaker in enumerate(names)}
  people = np.array([number.get(s, -1) for s in labels.speaker], np.int32)
  if name == VOICE:
    rows = rows[..., None]
    rows = rows - rows[train].mean((0, 1), keepdims=True)
  curve = network_lib.learn(network_lib.Task(
      inputs=rows, people=people, gender=labels.gender, train=train,
      closed=labels.part == samples_lib.CLOSED,
      open_=labels.part == samples_lib.OPEN), passes=passes, seed=seed)
  return {
      task: {'best': max(values), 'last': values[-1], 'curve': values,
             'passes': curve.passes}
      for task, values in (
          ('person', curve.people), ('gender', curve.gender))}


def _rows(
    samples: samples_lib.Samples, name: str
) -> tuple[samples_lib.Labels, np.ndarray]:
  """Labels and rows of one input."""
  if name == VOICE:
    return samples.of_voices, samples.spectra
  return samples.of_pictures, samples.pictures[int(name)]


def _percent(answer: dict[str, Any] | None, key: str = 'accuracy') -> str:
  """A share as text."""
  return '    -' if answer is None else f'{100 * answer[key]:5.1f}'


def _show(name: str, result: dict[str, Any], kind: str) -> None:
  """Prints a row of the table."""
  title = name if name == VOICE else f'{name}x{name}'
  if kind == 'linear':
    for task in ('person', 'gender'):
      answer = result[task]
      note = '' if answer is None else (
          f'  {answer["rows"]} tests of {answer["people"]} people, chance '
          f'{100 * answer["chance"]:.1f} %, {answer["codes"]} codes, penalty '
          f'{answer["penalty"]:g}')
      print(f'{title:8s} linear  {task}  {_percent(answer)} %{note}',
            flush=True)
    return
  for task in ('person', 'gender'):
    curve = ' '.join(f'{100 * v:.0f}' for v in result[task]['curve'])
    print(f'{title:8s} cnn     {task}  {_percent(result[task], "last")} %  '
          f'best {_percent(result[task], "best").strip()} %, curve {curve}',
          flush=True)


def _show_missed(linear_: dict[str, Any]) -> None:
  """Says whose gender the 8x8 image hides and the voice tells."""
  low, voice = (
      (linear_.get(name) or {}).get('gender') for name in ('8', VOICE))
  if low and voice:
    hidden = set(low['missed'])
    print(f'gender: of {low["people"]} unseen people 8x8 pixels miss '
          f'{len(hidden)}; the voice tells '
          f'{len(hidden - set(voice["missed"]))} of these')


def main(folder: str) -> None:
  """Measures and prints.

  Raises:
    InputError: If the output cannot be written.
    DataError: If the data cannot be read.
  """
  options = flags.FLAGS
  manifest = manifest_lib.read_manifest(folder)
  start = time.monotonic()
  samples = samples_lib.read(
      manifest, max_people=options.max_people,
      frames_per_clip=options.frames)
  labels = samples.of_pictures
  counts = {
      part: np.unique(labels.speaker[labels.part == part]).size
      for part in (samples_lib.TRAIN, samples_lib.CLOSED, samples_lib.OPEN)}
  print(f'{folder}: {len(labels.part)} frames, {len(samples.spectra)} voices; '
        f'{counts["train"]} people to train on, {counts["closed"]} of them in '
        f'the closed test, {counts["open"]} unseen', flush=True)
  report: dict[str, Any] = {
      'dataset': manifest.dataset, 'sha256': manifest.sha256,
      'people': counts, **measurement.machine(), 'linear': {}, 'cnn': {}}
  inputs = set(options.inputs)
  for name in (n for n in _LINEAR if n in inputs):
    report['linear'][name] = linear(samples, name)
    _show(name, report['linear'][name], 'linear')
  _show_missed(report['linear'])
  for name in (n for n in _NETWORK if n in inputs and options.cnn):
    report['cnn'][name] = network(
        samples, name, options.passes, options.seed)
    _show(name, report['cnn'][name], 'cnn')
  report['seconds'] = round(time.monotonic() - start, 1)
  print(f'{report["seconds"]:.0f} s')
  if options.output:
    try:
      durable.write_json(pathlib.Path(options.output), report)
    except OSError as error:
      raise cli.InputError(
          f'{options.output}: cannot be written ({error.strerror}); name '
          'another place with --output', cli.CANNOT_CREATE) from error


if __name__ == '__main__':
  flags.DEFINE_list('inputs', list(_NETWORK), 'Which inputs to measure.')
  flags.DEFINE_bool('cnn', False, 'Train a small CNN on every input, too.')
  flags.DEFINE_integer(
      'passes', 24, 'Passes of the CNN over the training data.',
      lower_bound=1)
  flags.DEFINE_integer('seed', 1, 'Seed of the CNN.')
  flags.DEFINE_integer(
      'frames', 8, 'Frames of a clip, at most.', lower_bound=1)
  flags.DEFINE_integer(
      'max_people', 400, 'People to train on, and unseen ones, at most.',
      lower_bound=1)
  flags.DEFINE_string('output', '', 'JSON file with all figures and curves.')
  cli.run(main, argument='folder of prepared data')
