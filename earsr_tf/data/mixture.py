"""Several folders of prepared data as one, by weight.

`--data_dir=faces:1,pairs:1` shows as many clips of one folder as of the other;
`--data_dir='faces:1,pairs:1;audio+fusion=pairs'` says so for all stages but
two. Speakers of the same name are one. This module needs no TensorFlow.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import math
import os
import re
from typing import Iterator, Mapping, Sequence

from earsr_tf import config as config_lib
from earsr_tf.data import manifest as manifest_lib

_WEIGHT = re.compile(r'(?P<folder>.+):(?P<weight>\d+(\.\d{1,3})?)')
_UNIT = 1000  # weights have three decimals
_MAX_BLOCK = 100_000
_OPEN = ('open_gallery', 'open_test')


@dataclasses.dataclass(frozen=True)
class Mixture:
  """Folders of prepared data that a stage reads together.

  Attributes:
    manifests: Of the folders.
    weights: For each folder how many of every `sum(weights)` clips in a row are
      its; their greatest common divisor is 1.
    known: sha256 of the manifests of all folders that belong to the run, those
      of other stages included.
  """
  manifests: tuple[manifest_lib.Manifest, ...]
  weights: tuple[int, ...] = (1,)
  known: frozenset[str] = frozenset()

  @property
  def data_dir(self) -> str:
    """The folders, in words for people."""
    return ', '.join(m.data_dir for m in self.manifests)

  @property
  def image_size(self) -> int:
    """Side of the stored frames in pixels."""
    return self.manifests[0].image_size

  @functools.cached_property
  def all_speakers(self) -> tuple[str, ...]:
    """Names of all speakers, sorted; `keys.SPEAKER` indexes it."""
    return tuple(sorted({
        name for m in self.manifests for name in m.all_speakers}))

  @property
  def sha256(self) -> str:
    """Names this very mixture of these very data."""
    if len(self.manifests) == 1:
      return self.manifests[0].sha256
    text = ','.join(
        f'{m.sha256}:{w}' for m, w in zip(self.manifests, self.weights))
    return hashlib.sha256(text.encode()).hexdigest()

  def records(self) -> dict[str, int]:
    """Split name -> number of clips."""
    return {
        name: sum(s.records for m in self.manifests for s in m.splits[name])
        for name in manifest_lib.SPLITS}

  def holding(self, splits: Sequence[str]) -> Mixture:
    """The folders that have clips in one of these splits.

    Raises:
      DataError: If a split is unknown or all of them are empty.
    """
    chosen = [i for i, m in enumerate(self.manifests)
              if any(m.splits.get(name) for name in splits)]
    if not chosen:
      self.manifests[0].shards(splits)  # says what is wrong
    return dataclasses.replace(
        self, manifests=tuple(self.manifests[i] for i in chosen),
        weights=tuple(self.weights[i] for i in chosen))


Data = str | manifest_lib.Manifest | Mixture


def of(data: Data) -> Mixture:
  """A mixture of one folder, its manifest, or what is one already."""
  if isinstance(data, Mixture):
    return data
  if not isinstance(data, manifest_lib.Manifest):
    data = manifest_lib.read_manifest(str(data))
  return Mixture((data,), known=frozenset({data.sha256}))


def read(text: str, stage: str, make_command: str = '') -> Mixture:
  """Reads the manifests of the folders that a flag names for a stage.

  Args:
    text: A folder, or `parse`'s grammar.
    stage: Name of the stage.
    make_command: What to type to obtain data, for errors about a lone folder.

  Raises:
    ConfigError: If the text makes no sense.
    DataError: If data are missing or damaged, or do not go together.
  """
  parts = parse(text, stage)
  folders = {
      folder: manifest_lib.read_manifest(
          folder, make_command if len(parts) == 1 else '')
      for folder in dict.fromkeys((*parts, *named(text)))}
  made = Mixture(
      tuple(folders[f] for f in parts), _whole(text, list(parts.values())),
      frozenset(m.sha256 for m in folders.values()))
  _check(made)
  return made


def parse(text: str, stage: str) -> dict[str, int]:
  """The folders that a flag names for a stage, with weights in thousandths.

  Args:
    text: '<folder>[:<weight>],...', weights 1 unless they are there; or several
      of these with ';' between them, each but one with the stages that it is
      for in front: '<stage>[+<stage>]=...'. A folder that exists is itself,
      whatever is in its name.
    stage: Name of the stage.

  Raises:
    ConfigError: If the text makes no sense or names nothing for the stage.
  """
  if os.path.exists(text):
    return {text: _UNIT}
  clauses = dict(_clauses(text))
  folders = clauses.get(stage, clauses.get(''))
  if folders is None:
    raise config_lib.ConfigError(
        f'--data_dir={text}: names no folder for stage {stage}; add '
        f"';{stage}=FOLDER', or ';FOLDER' for all other stages")
  return folders


def named(text: str) -> tuple[str, ...]:
  """All folders that a flag names, for any stage."""
  if os.path.exists(text):
    return (text,)
  return tuple(dict.fromkeys(
      folder for _, folders in _clauses(text) for folder in folders))


def _clauses(text: str) -> Iterator[tuple[str, Mapping[str, int]]]:
  """(stage or '', folders with weights) of each clause and stage."""
  seen = set()
  for clause in text.split(';'):
    head, equals, rest = clause.partition('=')
    names = head.split('+') if equals else ['']
    if not set(names) <= {*config_lib.STAGES, ''}:
      names, rest = [''], clause  # a folder with '=' in its name
    for name in names:
      if name in seen:
        raise config_lib.ConfigError(
            f'--data_dir={text}: names folders for {name or "other stages"} '
            'twice; leave one out')
      seen.add(name)
      yield name, _folders(text, rest if equals else clause)


def _folders(text: str, listed: str) -> dict[str, int]:
  """Folders with weights in thousandths."""
  found: dict[str, int] = {}
  for part in listed.split(','):
    match = None if os.path.exists(part) else _WEIGHT.fullmatch(part)
    folder = match['folder'] if match else part
    weight = round(_UNIT * float(match['weight'])) if match else _UNIT
    if not folder.strip() or weight < 1 or folder in found:
      raise config_lib.ConfigError(
          f'--data_dir={text}: {part!r} is not a folder with a weight above 0, '
          'named once; give FOLDER, or FOLDER:WEIGHT,FOLDER:WEIGHT')
    found[folder] = weight
  return found


def _whole(text: str, weights: Sequence[int]) -> tuple[int, ...]:
  """Weights without a common divisor."""
  divisor = math.gcd(*weights)
  whole = tuple(weight // divisor for weight in weights)
  if sum(whole) > _MAX_BLOCK:
    raise config_lib.ConfigError(
        f'--data_dir={text}: the weights are too far apart; give some like '
        '0.7 and 0.3')
  return whole


def _check(made: Mixture) -> None:
  """Refuses data of several sizes, and people who are learned and held out."""
  for one in made.manifests:
    if one.image_size != made.image_size:
      raise manifest_lib.DataError(
          f'{one.data_dir}: its frames have {one.image_size} pixels, those of '
          f'{made.manifests[0].data_dir} {made.image_size}; prepare both with '
          'the same --image_size')
    held_out = {name for split in _OPEN for name in one.speakers.get(split, ())}
    for other in made.manifests:
      learned = {name for split in manifest_lib.TRAINING_SPLITS
                 for name in other.speakers.get(split, ())}
      both = sorted(held_out & learned)
      if both:
        raise manifest_lib.DataError(
            f'{len(both)} people, such as {both[0]}, are kept out of training '
            f'in {one.data_dir} and learned in {other.data_dir}; prepare the '
            f'latter with --open_speakers={both[0]}')
