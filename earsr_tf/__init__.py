"""Learning to have an ear for face super-resolution, in TensorFlow.

    import earsr_tf
    model = earsr_tf.load('serving_models')
    face = model.super_resolve('face.jpg', 'voice.m4a')

Importing this loads neither TensorFlow nor NumPy. See docs/api.md.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from earsr_tf import environment

if TYPE_CHECKING:
  from earsr_tf import trained_model

__version__ = '1.0.0'  # the one place: pyproject.toml reads it
__all__ = ('__version__', 'load')

# One line here instead of a traceback from deep inside another package.
environment.require()


def load(folder: str | os.PathLike[str]) -> trained_model.TrainedModel:
  """Opens an exported model after comparing its files with their sha256.

  TensorFlow and the weights are loaded when the first face is made.

  Args:
    folder: What `python -m earsr_tf.export` wrote: its newest version is
      used; or one version in it.

  Returns:
    The model; its `super_resolve` makes faces.

  Raises:
    ExportError: If there is no model, or a file of it is damaged.
  """
  from earsr_tf import trained_model as lib
  return lib.load(folder)
