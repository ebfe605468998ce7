"""Our networks of inference in PyTorch, of equal shapes: a peer to be beaten.

Written as one would for speed: channels last, kernels scaled and spread once,
upsampling as a transposed convolution. Weights are random; nothing here is
compared but time. Nothing of this project is imported: the interpreter that
has PyTorch may have nothing else.
"""

from __future__ import annotations

from typing import Any, Mapping

import torch
from torch import nn
from torch.nn import functional

_SLOPE = 0.2


class Block(nn.Module):
  """Convolution, SAME as TensorFlow's -> (instance norm) -> leaky ReLU."""

  def __init__(self, *, inputs: int, outputs: int, size: int, stride: int,
               has_norm: bool) -> None:
    """Creates the weights; a normalised convolution has no bias."""
    super().__init__()
    self.stride, self.size = stride, size
    self.conv = nn.Conv2d(inputs, outputs, size, stride, bias=not has_norm)
    self.norm = nn.InstanceNorm2d(
        outputs, eps=1e-6, affine=True) if has_norm else None

  def forward(self, x: torch.Tensor) -> torch.Tensor:
    """[B, Cin, H, W] -> [B, Cout, ceil(H / s), ceil(W / s)]."""
    side = x.shape[-1]
    total = max((-(-side // self.stride) - 1) * self.stride + self.size - side,
                0)
    first = total // 2
    x = self.conv(functional.pad(x, [first, total - first] * 2))
    if self.norm is not None:
      x = self.norm(x)
    return functional.leaky_relu(x, _SLOPE)


class AudioEncoder(nn.Module):
  """E_a: [B, 1, 257, 257] -> [B, L d]."""

  def __init__(self, *, sizes: Mapping[str, Any], code: int) -> None:
    """Creates the weights of `ModelConfig` in `sizes`."""
    super().__init__()
    width = sizes['audio_filters']
    made = [Block(inputs=1, outputs=width, size=4, stride=2, has_norm=False)]
    for _ in range(6):
      wider = min(2 * width, sizes['audio_max_filters'])
      made += [Block(inputs=width, outputs=width, size=4, stride=1,
                     has_norm=False),
               Block(inputs=width, outputs=wider, size=4, stride=2,
                     has_norm=False)]
      width = wider
    self.layers = nn.Sequential(
        *made, nn.Flatten(), nn.Linear(9 * width, sizes['audio_hidden']),
        nn.LeakyReLU(_SLOPE), nn.Linear(sizes['audio_hidden'], code))

  def forward(self, spectrogram: torch.Tensor) -> torch.Tensor:
    """Encodes voices."""
    return self.layers(spectrogram)


class LowResEncoder(nn.Module):
  """E_l: [B, 3, s, s] -> [B, L d]."""

  def __init__(self, *, sizes: Mapping[str, Any], code: int) -> None:
    """Creates the weights of `ModelConfig` in `sizes`."""
    super().__init__()
    previous, width, made = 3, sizes['low_res_filters'], []
    for scale in range(3):
      for part in range(3):
        made.append(Block(
            inputs=previous, outputs=width, size=3,
            stride=2 if scale and not part else 1,
            has_norm=sizes['low_res_norm'] == 'instance' and bool(made)))
        previous = width
      width = min(3 * width, sizes['low_res_max_filters'])
    flat, hidden = previous * (sizes['low_res_size'] // 4) ** 2, (
        sizes['low_res_hidden'])
    self.layers = nn.Sequential(
        *made, nn.Flatten(), nn.Linear(flat, hidden), nn.LeakyReLU(_SLOPE),
        nn.Linear(hidden, code))

  def forward(self, image_low: torch.Tensor) -> torch.Tensor:
    """Encodes low-resolution images."""
    return self.layers(image_low)


class Fusion(nn.Module):
  """F, with E_l's code added: two times [B, L d] -> [B, L d]."""

  def __init__(self, *, sizes: Mapping[str, Any], code: int) -> None:
    """Creates the weights of `ModelConfig` in `sizes`."""
    super().__init__()
    count = sizes['fusion_layers']
    widths = [2 * code, *[sizes['fusion_hidden']] * (count - 1), code]
    made = []
    for inputs, outputs in zip(widths, widths[1:]):
      made += [nn.Linear(inputs, outputs), nn.LeakyReLU(_SLOPE)]
    self.layers = nn.Sequential(*made[:-1])

  def forward(self, low: torch.Tensor, audio: torch.Tensor) -> torch.Tensor:
    """Fuses codes."""
    return low + self.layers(torch.cat([low, audio], dim=1))


class StyledLayer(nn.Module):
  """[Convolution, maybe upsampling and blur] -> leaky ReLU -> AdaIN."""

  def __init__(self, *, inputs: int | None, outputs: int, latent: int,
               is_upsampling: bool) -> None:
    """Creates the weights; noise has some, though inference draws none."""
    super().__init__()
    self.is_upsampling, self.outputs = is_upsampling, outputs
    self.kernel = None if inputs is None else nn.Parameter(
        torch.randn(outputs, inputs, 3, 3) * (2.0 / (9 * inputs)) ** 0.5)
    self.strength = nn.Parameter(torch.zeros(outputs))
    self.bias = nn.Parameter(torch.zeros(outputs))
    self.style = nn.Linear(latent, 2 * outputs)
    self.folded = self.blur = None

  def fold(self) -> None:
    """Spreads the kernel once and for all."""
    if self.is_upsampling:
      kernel = functional.pad(self.kernel.detach().transpose(0, 1), [1] * 4)
      self.folded = sum(
          kernel[..., i:i + 4, j:j + 4] for i in (0, 1)
          for j in (0, 1)).contiguous(memory_format=torch.channels_last)
      row = torch.tensor([0.25, 0.5, 0.25])
      self.blur = torch.outer(row, row).expand(
          self.outputs, 1, 3, 3).contiguous()
    elif self.kernel is not None:
      self.folded = self.kernel.detach().contiguous(
          memory_format=torch.channels_last)

  def forward(self, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
    """[B, Cin, H, W], [B, d] -> [B, Cout, H', W']."""
    if self.is_upsampling:
      x = functional.conv_transpose2d(x, self.folded, stride=2, padding=1)
      x = functional.conv2d(x, self.blur, padding=1, groups=self.outputs)
    elif self.folded is not None:
      x = functional.conv2d(x, self.folded, padding=1)
    x = functional.leaky_relu(x + self.bias[:, None, None], _SLOPE)
    variance, mean = torch.var_mean(x, (2, 3), keepdim=True, correction=0)
    scale, offset = self.style(w)[:, :, None, None].chunk(2, dim=1)
    return (x - mean) * (torch.rsqrt(variance + 1e-8) * (scale + 1)) + offset


class Generator(nn.Module):
  """G: [B, L, d] -> [B, 3, S, S], of `rgb_output` 'fade'."""

  def __init__(self, *, sizes: Mapping[str, Any]) -> None:
    """Creates the weights of `ModelConfig` in `sizes`."""
    super().__init__()
    latent = sizes['latent_dim']
    self.mapping = nn.Sequential(*[layer for _ in range(
        sizes['mapping_layers']) for layer in (
            nn.Linear(latent, latent), nn.LeakyReLU(_SLOPE))])
    self.styled, self.to_rgbs = nn.ModuleList(), nn.ModuleList()
    side, previous = 4, None
    while side <= sizes['image_size']:
      width = max(min(2 * sizes['fmap_base'] // side, sizes['fmap_max']), 1)
      for part, inputs in enumerate((previous, width)):
        self.styled.append(StyledLayer(
            inputs=inputs, outputs=width, latent=latent,
            is_upsampling=side > 4 and not part))
      self.to_rgbs.append(nn.Conv2d(width, 3, 1))
      side, previous = 2 * side, width
    self.constant = nn.Parameter(torch.ones(1, self.styled[0].outputs, 4, 4))

  def fold(self) -> None:
    """Prepares all kernels."""
    for layer in self.styled:
      layer.fold()

  def forward(self, code: torch.Tensor) -> torch.Tensor:
    """Renders images."""
    w = self.mapping(code * torch.rsqrt(
        code.square().mean(dim=-1, keepdim=True) + 1e-8))
    x = self.constant.expand(code.shape[0], -1, -1, -1).contiguous(
        memory_format=torch.channels_last)
    for index, layer in enumerate(self.styled):
      x = layer(x, w[:, index])
    return self.to_rgbs[-1](x)


class SuperResolver(nn.Module):
  """Eight-bit pixels and a waveform to eight-bit pixels, as exported."""

  def __init__(self, *, sizes: Mapping[str, Any]) -> None:
    """Creates all networks of `ModelConfig` in `sizes`."""
    super().__init__()
    styles = 2 * (sizes['image_size'].bit_length() - 1) - 2
    self.shape = [styles, sizes['latent_dim']]
    code = styles * sizes['latent_dim']
    self.audio_encoder = AudioEncoder(sizes=sizes, code=code)
    self.low_res_encoder = LowResEncoder(sizes=sizes, code=code)
    self.fusion = Fusion(sizes=sizes, code=code)
    self.generator = Generator(sizes=sizes)

  def forward(self, image_low: torch.Tensor, waveform: torch.Tensor
              ) -> torch.Tensor:
    """[B, 3, s, s] and [B, 64000] -> [B, 3, S, S] uint8."""
    audio = self.audio_encoder(spectrogram(waveform))
    low = self.low_res_encoder(image_low.float() / 127.5 - 1.0)
    picture = self.generator(self.fusion(low, audio).unflatten(1, self.shape))
    return ((picture + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)


def spectrogram(waveform: torch.Tensor) -> torch.Tensor:
  """[B, 64000] -> [B, 1, 257, 257], logarithmic, in [-1, 1]."""
  x = torch.stft(waveform, 512, 248, window=torch.hann_window(512),
                 center=False, return_complex=True)
  x = torch.log(torch.view_as_real(x).square().sum(-1) + 1e-6).transpose(1, 2)
  low, high = x.amin((1, 2), True), x.amax((1, 2), True)
  return (2.0 * (x - low) / (high - low) - 1.0)[:, None]
