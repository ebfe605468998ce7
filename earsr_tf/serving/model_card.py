"""The model card of an exported version: what it is, and what it is not for."""

from __future__ import annotations

import pathlib
from typing import Any, Mapping

FILE = 'assets.extra/model_card.md'

_TEXT = '''\
# Model card: voice-guided face super-resolution

From a face of {low}x{low} pixels and 4 s of the person's voice, a face of
{high}x{high} pixels, after "Learning to Have an Ear for Face Super-Resolution"
(CVPR 2020).

## What it is not for

**The face is plausible, not the real one.** {low}x{low} pixels and a voice do
not tell what a person looks like; the details are made up after the people of
the training data. The picture is not for identification: not as evidence, not
to find or recognise anyone, not to decide anything about a person.

It shows what the training data hold and leaves out what they lack: ages,
skin colours, hair, glasses and head poses that are rare there come out worse,
and gender may follow from the pitch of the voice alone. The face must fill the
picture as in the training data. Use voices of people who agreed.

## Data

{data}

## Model

{model}

## Measurements

{evaluation}
'''


def write(folder: str, *, low_res_size: int, image_size: int,
          facts: Mapping[str, Any]) -> None:
  """Writes the card into a version folder.

  Args:
    folder: Version folder.
    low_res_size: Side of the input.
    image_size: Side of the output.
    facts: Entries of the manifest; `dataset`, `data_manifest_sha256`,
      `preset`, `training_command` and `evaluation` (Markdown) may be absent.
  """
  path = pathlib.Path(folder, FILE)
  path.parent.mkdir(exist_ok=True)
  model = {
      'Preset': facts.get('preset'),
      'Trained by': _code(facts.get('training_command')),
      'Exported by': _code(facts.get('command')),
      'Date': facts.get('date'),
      'Correction towards the input (LR consistency)':
          facts.get('consistency')}
  data = {
      'Data set': facts.get('dataset'),
      'sha256 of its manifest': facts.get('data_manifest_sha256')}
  path.write_text(_TEXT.format(
      low=low_res_size, high=image_size, data=_listed(data),
      model=_listed(model), evaluation=_evaluation(facts)), encoding='utf-8')


def _evaluation(facts: Mapping[str, Any]) -> str:
  """The tables of an evaluation one level down, or how to get them."""
  tables = facts.get('evaluation')
  if not tables:
    return ('None came with the export. `python -m earsr_tf.evaluate` makes '
            'the tables; `python -m earsr_tf.export --evaluation=DIR` puts '
            'them here.')
  lines = [f'#{line}' if line.startswith('#') else line
           for line in tables.strip().splitlines()]
  return '\n'.join(lines)


def _listed(entries: Mapping[str, str | None]) -> str:
  """A Markdown list of the entries that are known."""
  return '\n'.join(
      f'- {name}: {value}' for name, value in entries.items() if value
      ) or '- unknown'


def _code(text: str | None) -> str | None:
  """A command, set as code."""
  return f'`{text}`' if text else None
