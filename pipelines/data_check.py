"""Figures of prepared data against a schema and against the last run's."""

from __future__ import annotations

from typing import Any, Iterator, Mapping

from earsr_tf import config_gate
from earsr_tf.data import manifest as manifest_lib

_TESTS = ('closed_test', 'open_test')


def problems(
    found: Mapping[str, Any], schema: config_gate.SchemaConfig,
    image_size: int) -> list[str]:
  """What is wrong with the data by themselves.

  Args:
    found: What `figures.summary` says of them.
    schema: What is asked.
    image_size: Side of the model's pictures.

  Returns:
    Sentences; each names the setting that it is about.
  """
  return [*_counts(found, schema), *_contents(found, schema, image_size)]


def _counts(found: Mapping[str, Any], schema: config_gate.SchemaConfig
            ) -> Iterator[str]:
  """Too few clips, or too many that were refused."""
  clips = found['clips']
  training = sum(clips.get(name, 0) for name in manifest_lib.TRAINING_SPLITS)
  if training < schema.least_clips:
    yield (f'{training} clips to train on; schema.least_clips asks for '
           f'{schema.least_clips}')
  if not any(clips.get(name, 0) for name in _TESTS):
    yield (f'no clip in {" or ".join(_TESTS)}, so that nothing could be '
           'evaluated; prepare more videos of a speaker, or more speakers')
  total = sum(clips.values()) + found['refused']
  share = found['refused'] / max(total, 1)
  if share > schema.most_refused:
    yield (f'{found["refused"]} of {total} clips were refused (rejects-*.jsonl '
           f'say why); schema.most_refused allows {schema.most_refused:.0%}')


def _contents(found: Mapping[str, Any], schema: config_gate.SchemaConfig,
              image_size: int) -> Iterator[str]:
  """Frames of another size, voices too low or loud, hardly a woman or man."""
  other = {side: n for side, n in found['sides'].items()
           if side != str(image_size)}
  if other:
    yield (f'{sum(other.values())} frames are {", ".join(other)} pixels wide '
           f'and model.image_size is {image_size}; prepare with --image_size='
           f'{image_size}, or set it')
  level = found['loudness_db']
  if level is None and found['seen']:
    yield ('the clips have no voices, and the pipeline trains stages that '
           'hear; prepare faces with voices')
  low, high = schema.least_loudness_db, schema.most_loudness_db
  if level is not None and not low <= level <= high:
    yield (f'voices have {level:.1f} dB of full scale on average; '
           f'schema.least_loudness_db and most_loudness_db allow {low:g} to '
           f'{high:g} dB')
  if (found['silent'] or 0.0) > schema.most_silent:
    yield (f'{found["silent"]:.1%} of the voices are silent; '
           f'schema.most_silent allows {schema.most_silent:.0%}')
  people = found['speakers']
  known = people['female'] + people['male']
  if known >= schema.shares_from and not (
      schema.least_women <= found['women'] <= schema.most_women):
    yield (f'{found["women"]:.0%} of {known} speakers are women; '
           f'schema.least_women and most_women allow {schema.least_women:.0%} '
           f'to {schema.most_women:.0%}')


def drift(
    found: Mapping[str, Any], before: Mapping[str, Any],
    schema: config_gate.SchemaConfig) -> list[str]:
  """What has changed too much since the last run.

  Args:
    found: What `figures.summary` says of the data.
    before: What it said of the data that were accepted last.
    schema: What is allowed.

  Returns:
    Sentences; each names the setting that it is about.
  """
  said = []
  clips, old = (sum(f['clips'].values()) for f in (found, before))
  if clips < (1.0 - schema.drift_clips) * old:
    said.append(
        f'{clips} clips, the last run had {old}; schema.drift_clips allows a '
        f'loss of {schema.drift_clips:.0%}')
  a, b = found['loudness_db'], before['loudness_db']
  if None not in (a, b) and abs(a - b) > schema.drift_loudness_db:
    said.append(
        f'voices have {a:.1f} dB of full scale on average, in the last run '
        f'{b:.1f} dB; schema.drift_loudness_db allows '
        f'{schema.drift_loudness_db:g} dB')
  a, b = found['seconds'], before['seconds']
  if None not in (a, b) and abs(a - b) > schema.drift_seconds * b:
    said.append(
        f'voices are {a:.1f} s long on average, in the last run {b:.1f} s; '
        f'schema.drift_seconds allows {schema.drift_seconds:.0%}')
  a, b = found['women'], before['women']
  known = [sum(f['speakers'][w] for w in ('female', 'male'))
           for f in (found, before)]
  if (None not in (a, b) and min(known) >= schema.shares_from
      and abs(a - b) > schema.drift_women):
    said.append(
        f'{a:.0%} of the speakers are women, in the last run {b:.0%}; '
        f'schema.drift_women allows {100 * schema.drift_women:g} points')
  return said


def refusal(path: str, said: list[str]) -> manifest_lib.DataError:
  """The error that ends a run for such data.

  Args:
    path: Folder of the shards.
    said: Sentences of `problems` and `drift`.
  """
  return manifest_lib.DataError(
      f'{path}: the data are not as the schema asks: {". ".join(said)}. Mend '
      'the data, or change the setting that is named, such as with '
      '--set=schema.drift_clips=1, if they are meant to be so')
