"""Artifact types: what flows between components, and what is known about it.

Own types, never `standard_artifacts`, which ask for the whole of TFX. Each is
a folder (`uri`) that the component wrote.
"""

from __future__ import annotations

from tfx.types import artifact

_TEXT = artifact.Property(type=artifact.PropertyType.STRING)
_COUNT = artifact.Property(type=artifact.PropertyType.INT)


class Tree(artifact.Artifact):
  """Clips in a data set's own layout, such as VoxCeleb2's.

  Properties: `path` (the tree itself: given trees stay where they are).
  """
  TYPE_NAME = 'EarsrTree'
  PROPERTIES = {'path': _TEXT}


class Shards(artifact.Artifact):
  """Prepared TFRecord shards with their manifest.

  Properties: `path` (the shards themselves), `dataset`, `records` (clips),
  `sha256` of the manifest.
  """
  TYPE_NAME = 'EarsrShards'
  PROPERTIES = {
      'path': _TEXT, 'dataset': _TEXT, 'records': _COUNT, 'sha256': _TEXT}


class Figures(artifact.Artifact):
  """What accepted data hold (figures.json).

  Properties: `clips`, `sha256` of the manifest of the shards.
  """
  TYPE_NAME = 'EarsrFigures'
  PROPERTIES = {'clips': _COUNT, 'sha256': _TEXT}


class TrainedStage(artifact.Artifact):
  """A finished training stage; the folder holds a pointer to its run.

  Properties: `stage`, `run_root`, `images` seen, `sha256` of the checkpoint.
  """
  TYPE_NAME = 'EarsrTrainedStage'
  PROPERTIES = {
      'stage': _TEXT, 'run_root': _TEXT, 'images': _COUNT, 'sha256': _TEXT}


class Report(artifact.Artifact):
  """Tables and figures of an evaluation."""
  TYPE_NAME = 'EarsrReport'


class Model(artifact.Artifact):
  """An exported SavedModel, in TensorFlow Serving's layout.

  Properties: `version`.
  """
  TYPE_NAME = 'EarsrModel'
  PROPERTIES = {'version': _TEXT}


class Samples(artifact.Artifact):
  """Held-out inputs with what the exported model made of them."""
  TYPE_NAME = 'EarsrSamples'


class Blessing(artifact.Artifact):
  """Whether a model is good enough: verdict.json, BLESSED or NOT_BLESSED.

  Properties: `blessed`, 1 or 0.
  """
  TYPE_NAME = 'EarsrBlessing'
  PROPERTIES = {'blessed': _COUNT}


class InfraBlessing(artifact.Artifact):
  """Whether an export runs: verdict.json, INFRA_BLESSED or INFRA_NOT_BLESSED.

  Properties: `blessed`, 1 or 0.
  """
  TYPE_NAME = 'EarsrInfraBlessing'
  PROPERTIES = {'blessed': _COUNT}


class Pushed(artifact.Artifact):
  """Where a model was pushed to (pushed.json).

  Properties: `path` of the version; '' if it was not.
  """
  TYPE_NAME = 'EarsrPushed'
  PROPERTIES = {'path': _TEXT}
