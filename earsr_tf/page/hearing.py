"""What the model hears of a voice, as a picture: waveform and spectrogram."""

from __future__ import annotations

import io

from matplotlib import figure as figure_lib
from matplotlib.backends import backend_agg
import numpy as np
from PIL import Image

from earsr_tf import comparison

_SECONDS, _HIGHEST_KHZ = 4.0, 8.0
_WIDTH, _HEIGHT, _DPI = 6.0, 3.4, 100  # inches; dots per inch
_INK = '#2f6f9f'


def drawn(voice: np.ndarray) -> np.ndarray:
  """Draws the 4 s that are used.

  Args:
    voice: [64000] float32 in [-1, 1], 16 kHz.

  Returns:
    [340, 600, 3] uint8: level over time, below it the log-spectrogram.
  """
  # Not pyplot: it keeps what it draws, and answers come from several threads.
  sheet = figure_lib.Figure(
      figsize=(_WIDTH, _HEIGHT), dpi=_DPI, layout='constrained')
  backend_agg.FigureCanvasAgg(sheet)
  levels, spectrum = sheet.subplots(
      2, 1, sharex=True, height_ratios=(1, 2))
  peaks = voice.reshape(1000, -1)  # a column of dots shows both extremes
  levels.fill_between(
      np.linspace(0.0, _SECONDS, len(peaks)), peaks.min(axis=1),
      peaks.max(axis=1), color=_INK, linewidth=0.5)
  levels.set_ylim(-1.0, 1.0)
  levels.set_ylabel('level')
  spectrum.imshow(
      comparison.spectrogram_tile(voice), aspect='auto',
      extent=(0.0, _SECONDS, 0.0, _HIGHEST_KHZ))
  spectrum.set_ylabel('kHz')
  spectrum.set_xlabel('seconds of the 4 s that are used')
  stream = io.BytesIO()
  sheet.savefig(stream, format='png')
  with Image.open(stream) as picture:
    return np.asarray(picture.convert('RGB'))
