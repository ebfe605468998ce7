"""Which judges an evaluation uses, and how its tables name them.

Imports no TensorFlow.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Mapping

COMPACT = 'compact judge of this project'
_PAPERS = {'C_i': 'VGG-Face', 'C_g': 'VGG-Face', 'C_a': 'DEX'}


@dataclasses.dataclass(frozen=True)
class JudgeChoice:
  """Weight files of others' judges; '' leaves the compact one.

  Attributes:
    vgg_face: VGG-Face, whose features C_i reads (and C_g, C_a without files
      of their own).
    gender_weights: VGG-Face with two outputs, woman and man: C_g.
    age_weights: VGG-Face with 101 outputs, ages 0 to 100: C_a.
    descriptor: 'dlib' adds columns of distances to the originals; see
      `dlib_faces`.
    fid: 'judge', or the folder of a SavedModel: adds FID and KID by these
      features; see `feature_distances`.
  """
  vgg_face: str = ''
  gender_weights: str = ''
  age_weights: str = ''
  descriptor: str = ''
  fid: str = ''


def sentence(results: Mapping[str, Any]) -> str:
  """Who judged, for beside a table; '' for results of older versions.

  Args:
    results: What evaluation.json holds.
  """
  named = results.get('judges')
  if not named:
    return ''
  parts = []
  for judge, facts in named.items():
    text = f'{judge}: {facts["is"]}'
    if facts['is_substitute']:
      text += f", a substitution for the paper's {_PAPERS[judge]}"
    parts.append(text)
  return f'Judges: {"; ".join(parts)}.'
