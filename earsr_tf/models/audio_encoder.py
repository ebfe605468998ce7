"""E_a, the encoder of the voice (paper, section 3.3; Eq. 4)."""

from __future__ import annotations

import tensorflow as tf

from earsr_tf.models import blocks
from earsr_tf.models import layers
from earsr_tf.models import linear_path
from earsr_tf.models import voice_memory
from earsr_tf.ops import shapes
from earsr_tf.ops import spectrogram as spectrogram_ops

_KERNEL_SIZE = 4
_NUM_STRIDES = 7
_LAST_SIDE = 3


class AudioEncoder(tf.keras.Model):
  """z_plus = E_a(spectrogram): thirteen 4x4 convolutions, then dense.

  There is no normalisation layer; every convolution has a bias. The sides are
  257, 129, 65, 33, 17, 9, 5, 3 and the width doubles with each stride.

  Attributes:
    blocks: The thirteen `ConvBlock`s, first to last.
    hidden: `Dense` with a leaky ReLU.
    head: `Dense` to num_styles * latent_dim.
    linear: `LinearPath` from `linear_inputs`, or None; with it, or a memory,
      `head` starts at zero.
    memory: `VoiceMemory` of `linear_inputs`, or None.
  """

  def __init__(
      self, *, filters: int = 64, max_filters: int = 2048,
      hidden: int = 8192, num_styles: int = 12, latent_dim: int = 512,
      initializer: str = 'glorot_uniform', has_linear_path: bool = False,
      memory_places: int = 0, product_dtype: str | None = None,
      name: str = 'audio_encoder') -> None:
    """Creates the variables.

    Args:
      filters: Width of the first convolution.
      max_filters: Largest width.
      hidden: Width of the hidden dense layer.
      num_styles: L of the code.
      latent_dim: d of the code.
      initializer: Keras initializer of the convolutions; Glorot uniform is
        the authors'. He normal keeps the scale of narrow nets without norm.
      has_linear_path: Whether a `LinearPath` goes beside the layers.
      memory_places: People whom a `VoiceMemory` beside the layers has room
        for; 0: there is none.
      product_dtype: Type of convolutions, of what lies between them and of
        matrix products; None: of the variables, as the code is.
      name: Keras name.
    """
    super().__init__(name=name)
    self._initializer = initializer
    self._product_dtype = product_dtype
    self._code_shape = [num_styles, latent_dim]
    self.blocks = [self._block('conv_0', 1, filters, 2)]
    width = filters
    for scale in range(1, _NUM_STRIDES):
      self.blocks.append(self._block(f'conv_{scale}_0', width, width, 1))
      previous, width = width, min(2 * width, max_filters)
      self.blocks.append(self._block(f'conv_{scale}_1', previous, width, 2))
    self._flat = width * _LAST_SIDE ** 2
    self.hidden = blocks.Dense(
        in_features=self._flat, out_features=hidden,
        product_dtype=product_dtype, name='hidden')
    self.head = blocks.Dense(
        in_features=hidden, out_features=num_styles * latent_dim,
        initializer=('zeros' if has_linear_path or memory_places
                     else 'glorot_uniform'),
        product_dtype=product_dtype, name='head')
    self.linear = linear_path.LinearPath(
        in_features=2 * spectrogram_ops.NUM_BINS, num_styles=num_styles,
        latent_dim=latent_dim) if has_linear_path else None
    self.memory = voice_memory.VoiceMemory(
        in_features=2 * spectrogram_ops.NUM_BINS, places=memory_places,
        num_styles=num_styles, latent_dim=latent_dim) if memory_places else None
    self.built = True

  def call(self, spectrogram: tf.Tensor,
           without: tf.Tensor | None = None) -> tf.Tensor:
    """Encodes voices.

    Args:
      spectrogram: [B, 257, 257, 1] float32 in [-1, 1], time and frequency;
        see `ops.spectrogram.log_spectrogram`.
      without: [B] int32, whom the memory leaves out; see `VoiceMemory`.

    Returns:
      Code in Z+, [B, L, d] float32.

    Raises:
      ValueError: If the shape does not fit.
    """
    shapes.assert_shape(
        spectrogram, [None, spectrogram_ops.NUM_FRAMES,
                      spectrogram_ops.NUM_BINS, 1], 'spectrogram')
    x = spectrogram
    for block in self.blocks:
      x = block(x)
    x = layers.leaky_relu(self.hidden(tf.reshape(x, [-1, self._flat])))
    code = tf.reshape(self.head(x), [-1, *self._code_shape])
    if self.linear is not None:
      code += self.linear(linear_inputs(spectrogram))
    if self.memory is not None:
      code += self.memory(linear_inputs(spectrogram), without)
    return code

  def _block(
      self, name: str, in_channels: int, out_channels: int,
      stride: int) -> blocks.ConvBlock:
    return blocks.ConvBlock(
        in_channels=in_channels, out_channels=out_channels,
        kernel_size=_KERNEL_SIZE, stride=stride, use_norm=False,
        initializer=self._initializer, product_dtype=self._product_dtype,
        name=name)


def linear_inputs(spectrogram: tf.Tensor) -> tf.Tensor:
  """What linear path and memory read: each bin's mean and deviation over time.

  Args:
    spectrogram: [B, frames, bins, 1] float32.

  Returns:
    [B, 2 * bins] float32.
  """
  mean, variance = tf.nn.moments(spectrogram[..., 0], axes=[1])
  return tf.concat([mean, tf.sqrt(variance + 1e-12)], axis=1)
