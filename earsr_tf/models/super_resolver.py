"""image_low and waveform -> image_high: the composition that is served.

Evaluation, command line and SavedModel share it (paper, section 3.4): G
renders z_f = F(E_l(image_low), E_a(waveform)) without noise inputs. Two things
are ours: how much the voice counts may be chosen, and a correction towards LR
consistency may follow. Core TensorFlow operations only.
"""

from __future__ import annotations

from typing import Callable

import tensorflow as tf

from earsr_tf.models import audio_encoder as audio_encoder_model
from earsr_tf.models import blocks
from earsr_tf.models import fusion as fusion_model
from earsr_tf.models import generator as generator_model
from earsr_tf.models import layers
from earsr_tf.models import low_res_encoder as low_res_encoder_model
from earsr_tf.ops import consistency as consistency_lib
from earsr_tf.ops import consistency_mode
from earsr_tf.ops import latent
from earsr_tf.ops import pixels
from earsr_tf.ops import spectrogram


class SuperResolver(tf.Module):
  """The whole model of Fig. 3 for inference.

  Attributes:
    generator: G.
    low_res_encoder: E_l.
    audio_encoder: E_a.
    fusion: F.
  """

  def __init__(
      self, *, generator: generator_model.Generator,
      low_res_encoder: low_res_encoder_model.LowResEncoder,
      audio_encoder: audio_encoder_model.AudioEncoder,
      fusion: fusion_model.Fusion, code_norm: str = 'none',
      zero_audio: bool = False, consistency: str = consistency_mode.OFF,
      front_end: Callable[[tf.Tensor], tf.Tensor] = spectrogram.log_spectrogram,
      name: str = 'super_resolver') -> None:
    """Composes trained networks.

    Args:
      generator: G.
      low_res_encoder: E_l.
      audio_encoder: E_a.
      fusion: F.
      code_norm: 'none' or 'unit', as in training; see `normalize_code`.
      zero_audio: Whether F was trained without voices: Table 1 (f).
      consistency: 'off' (the paper), 'exact' or a number of back-projection
        steps; see `ops/consistency`.
      front_end: Makes of [B, 64000] waveforms what E_a reads.
      name: Module name.

    Raises:
      ValueError: If `code_norm` or `consistency` is unknown.
    """
    super().__init__(name=name)
    if code_norm not in ('none', 'unit'):
      raise ValueError(
          f"code_norm must be 'none' or 'unit'; got {code_norm!r}.")
    self.generator = generator
    self.low_res_encoder = low_res_encoder
    self.audio_encoder = audio_encoder
    self.fusion = fusion
    self._code_norm = code_norm
    self._zero_audio = zero_audio
    self._front_end = front_end
    self._consistency = consistency_mode.check(consistency)

  def codes(
      self, image_low: tf.Tensor, waveform: tf.Tensor
  ) -> dict[str, tf.Tensor]:
    """Encodes both inputs and fuses them.

    Args:
      image_low: [B, s, s, 3] float32 in [-1, 1].
      waveform: [B, 64000] float32 in [-1, 1], 16 kHz.

    Returns:
      Codes in Z+, [B, L, d] float32: 'low' (E_l), 'audio' (E_a), 'fused' (F).

    Raises:
      ValueError: If a shape does not fit.
    """
    return self._fused(self.low_code(image_low), self.audio_code(waveform))

  def _fused(self, low: tf.Tensor, audio: tf.Tensor) -> dict[str, tf.Tensor]:
    """Codes of E_l and E_a, [B, L, d] each -> what `codes` returns."""
    if self._zero_audio:
      audio = tf.zeros_like(audio)
    fused = self.normalize_code(self.fusion(low, audio))
    return {'low': low, 'audio': audio, 'fused': fused}

  def low_code(self, image_low: tf.Tensor) -> tf.Tensor:
    """E_l's code: [B, s, s, 3] float32 in [-1, 1] -> [B, L, d] float32."""
    return self.normalize_code(self.low_res_encoder(image_low))

  def audio_code(self, waveform: tf.Tensor) -> tf.Tensor:
    """E_a's code: [B, 64000] float32 in [-1, 1] -> [B, L, d] float32."""
    return self.normalize_code(self.audio_encoder(self._front_end(waveform)))

  def normalize_code(self, code: tf.Tensor) -> tf.Tensor:
    """Applies the configured `code_norm` to a code [B, L, d]."""
    return latent.normalize_code(code, self._code_norm)

  def blend(
      self, codes: dict[str, tf.Tensor], voice_strength: tf.Tensor
  ) -> tf.Tensor:
    """Chooses how far the voice moves the code: E_l + strength (F - E_l).

    Args:
      codes: What `codes` returns, [B, L, d] each.
      voice_strength: [B] float32: 0 the image alone, 1 the paper's F; above
        that, the voice's effect is exaggerated.

    Returns:
      [B, L, d] float32, normalised as G's codes were in training.
    """
    low, fused = codes['low'], codes['fused']
    return self.normalize_code(
        low + voice_strength[:, tf.newaxis, tf.newaxis] * (fused - low))

  def __call__(
      self, image_low: tf.Tensor, waveform: tf.Tensor,
      voice_strength: tf.Tensor | None = None) -> tf.Tensor:
    """Super-resolves faces.

    Args:
      image_low: [N, s, s, 3] uint8 RGB.
      waveform: [N, 64000] float32 in [-1, 1], 16 kHz mono.
      voice_strength: [N] float32, see `blend`; None is the paper's F.

    Returns:
      image_high, [N, S, S, 3] uint8 RGB.

    Raises:
      ValueError: If a shape does not fit.
    """
    codes = self.codes(pixels.to_float(image_low), waveform)
    code = (codes['fused'] if voice_strength is None
            else self.blend(codes, voice_strength))
    return self._corrected(code, image_low)

  def encode(self, image_low: tf.Tensor, waveform: tf.Tensor,
             voice_strength: tf.Tensor) -> tf.Tensor:
    """The code of which `render` makes what `__call__` gives.

    Args:
      image_low: [N, s, s, 3] uint8 RGB.
      waveform: [N, 64000] float32; [1, 64000] is encoded once, for all faces.
      voice_strength: [N] float32, see `blend`.

    Returns:
      [N, L, d] float32 in Z+.
    """
    low = self.low_code(pixels.to_float(image_low))
    audio = tf.broadcast_to(self.audio_code(waveform), tf.shape(low))
    return self.blend(self._fused(low, audio), voice_strength)

  def render(self, code: tf.Tensor, image_low: tf.Tensor) -> tf.Tensor:
    """G of codes, or of means of codes, which get the norm of codes again.

    Args:
      code: [N, L, d] float32 in Z+.
      image_low: [N, s, s, 3] uint8 RGB, towards which G's output is corrected
        if `consistency` says so.

    Returns:
      image_high, [N, S, S, 3] uint8 RGB.
    """
    return self._corrected(self.normalize_code(code), image_low)

  def image_only(self, image_low: tf.Tensor) -> tf.Tensor:
    """G(E_l(image_low)), row (c) of Table 1; arguments as of `__call__`."""
    return self._corrected(
        self.low_code(pixels.to_float(image_low)), image_low)

  def audio_only(self, waveform: tf.Tensor) -> tf.Tensor:
    """G(E_a(waveform)), row (d) of Table 1; arguments as of `__call__`."""
    return pixels.to_uint8(self.generator(self.audio_code(waveform)))

  def _corrected(self, code: tf.Tensor, image_low: tf.Tensor) -> tf.Tensor:
    """[N, L, d] and uint8 [N, s, s, 3] -> uint8 [N, S, S, 3], corrected."""
    return consistency_lib.correct_uint8(
        pixels.to_uint8(self.generator(code)), image_low, self._consistency)


def fold(network: tf.Module) -> None:
  """Computes once what every call would compute of the weights alone.

  Equalised learning rates are multiplied into the kernels, kernels that
  resample are spread, and all get the type of their products. The network
  gives the same up to rounding, but it can no longer be trained, nor can a
  checkpoint be restored into it.

  Args:
    network: A network of the super-resolver, or all of it.
  """
  for module in network.submodules:
    if isinstance(module, (
        blocks.ConvBlock, blocks.Dense, layers.EqualizedConv2D,
        layers.EqualizedDense)):
      module.fold()
