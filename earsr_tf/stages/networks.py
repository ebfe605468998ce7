"""Networks from a ModelConfig: the one place that maps names to sizes.

`precision` is `training.precision`. Evaluation and serving compute in float32,
whatever a run was trained in, unless an export asks for bfloat16. Variables
are float32 in any case.
"""

from __future__ import annotations

import tensorflow as tf

from earsr_tf import config as config_lib
from earsr_tf.models import audio_encoder as audio_encoder_lib
from earsr_tf.models import classifiers
from earsr_tf.models import discriminator as discriminator_lib
from earsr_tf.models import face_descriptor
from earsr_tf.models import features as features_lib
from earsr_tf.models import fusion as fusion_lib
from earsr_tf.models import generator as generator_lib
from earsr_tf.models import image_encoder as image_encoder_lib
from earsr_tf.models import lapsrn as lapsrn_lib
from earsr_tf.models import low_res_encoder as low_res_encoder_lib
from earsr_tf.models import wavelet_srnet as wavelet_srnet_lib

# Of convolutions and matrix products; None: the type of the variables.
_PRODUCT_DTYPES = {'float32': None, 'mixed_bfloat16': 'bfloat16'}


def generator(m: config_lib.ModelConfig, precision: str = 'float32'
              ) -> generator_lib.Generator:
  """G: z_plus [B, L, d] -> image [B, S, S, 3] in about [-1, 1]."""
  return generator_lib.Generator(
      image_size=m.image_size, latent_dim=m.latent_dim,
      mapping_layers=m.mapping_layers,
      mapping_lr_multiplier=m.mapping_lr_multiplier, fmap_base=m.fmap_base,
      fmap_max=m.fmap_max, noise_gain=m.noise_gain, rgb_output=m.rgb_output,
      base_side=m.linear_base, leading=m.linear_leading,
      product_dtype=_PRODUCT_DTYPES[precision])


def discriminator(m: config_lib.ModelConfig, precision: str = 'float32'
                  ) -> discriminator_lib.Discriminator:
  """D: image [B, r, r, 3] -> logits [B, 1]."""
  return discriminator_lib.Discriminator(
      image_size=m.image_size, fmap_base=m.fmap_base, fmap_max=m.fmap_max,
      stddev_group=m.stddev_group, product_dtype=_PRODUCT_DTYPES[precision])


def image_encoder(m: config_lib.ModelConfig, precision: str = 'float32'
                  ) -> image_encoder_lib.ImageEncoder:
  """E_h: image_high [B, S, S, 3] -> code [B, L, d]."""
  return image_encoder_lib.ImageEncoder(
      image_size=m.image_size, filters=m.image_encoder_filters,
      max_filters=m.image_encoder_max_filters, num_styles=m.num_styles,
      latent_dim=m.latent_dim, initializer=m.encoder_init,
      base_side=m.linear_base, product_dtype=_PRODUCT_DTYPES[precision])


def low_res_encoder(m: config_lib.ModelConfig
                    ) -> low_res_encoder_lib.LowResEncoder:
  """E_l: image_low [B, s, s, 3] -> code [B, L, d]."""
  return low_res_encoder_lib.LowResEncoder(
      low_res_size=m.low_res_size, filters=m.low_res_filters,
      max_filters=m.low_res_max_filters, hidden=m.low_res_hidden,
      num_styles=m.num_styles, latent_dim=m.latent_dim, norm=m.low_res_norm,
      initializer=m.encoder_init, has_linear_path=m.linear_base > 0)


def audio_encoder(m: config_lib.ModelConfig, precision: str = 'float32'
                  ) -> audio_encoder_lib.AudioEncoder:
  """E_a: spectrogram [B, 257, 257, 1] -> code [B, L, d]."""
  return audio_encoder_lib.AudioEncoder(
      filters=m.audio_filters, max_filters=m.audio_max_filters,
      hidden=m.audio_hidden, num_styles=m.num_styles,
      latent_dim=m.latent_dim, initializer=m.encoder_init,
      has_linear_path=m.linear_base > 0 and not m.voice_memory,
      memory_places=m.voice_memory, product_dtype=_PRODUCT_DTYPES[precision])


def fusion(m: config_lib.ModelConfig, precision: str = 'float32'
           ) -> fusion_lib.Fusion:
  """F: (code_low, code_audio) -> code, [B, L, d] each."""
  return fusion_lib.Fusion(
      num_styles=m.num_styles, latent_dim=m.latent_dim,
      hidden=m.fusion_hidden, num_layers=m.fusion_layers,
      has_residual=m.fusion_residual, last_initializer=m.fusion_init,
      has_linear_path=m.linear_base > 0,
      product_dtype=_PRODUCT_DTYPES[precision])


def classifier(m: config_lib.ModelConfig, num_speakers: int
               ) -> classifiers.AttributeClassifier:
  """C_i, C_g, C_a: image_high -> speaker, gender and age heads."""
  return classifiers.AttributeClassifier(
      image_size=m.image_size, side=m.classifier_side,
      filters=m.classifier_filters, use_norm=not m.classifier_side,
      num_speakers=num_speakers)


def lapsrn(config: config_lib.Config, name: str) -> lapsrn_lib.LapSRN:
  """LapSRN of stage `name`: luma [B, s, s, 1] -> its enlargements."""
  own, factor = getattr(config, name), comparator_factor(config.model, name)
  return lapsrn_lib.LapSRN(
      low_res_size=config.model.image_size // factor, factor=factor,
      filters=own.filters, depth=own.depth, bias_rate=own.bias_rate_scale)


def wavelet_srnet(config: config_lib.Config) -> wavelet_srnet_lib.WaveletSRNet:
  """Wavelet-SRNet: image_low [B, s, s, 3] in [0, 1] -> coefficients."""
  own, m = config.wavelet_srnet, config.model
  return wavelet_srnet_lib.WaveletSRNet(
      low_res_size=m.low_res_size, factor=m.image_size // m.low_res_size,
      filters=own.filters, head_filters=own.head_filters)


def comparator_factor(m: config_lib.ModelConfig, name: str) -> int:
  """How many times comparator `name` enlarges a side: 4, or as ours does."""
  return 4 if name == 'lapsrn_x4' else m.image_size // m.low_res_size


def generator_resolution(config: config_lib.Config) -> int:
  """Side of the images that stage `generator` ends with."""
  return config.generator.phases[-1].resolution or config.model.image_size


def perceptual_features(config: config_lib.Config
                        ) -> dict[str, tf.keras.Model]:
  """phi of Eq. (1) as network `features`, with the D it reads, if any.

  The paper says VGG; the authors' code reads the stage-0 discriminator.
  """
  if config.invert.features == 'synthetic':
    return {'features': features_lib.DescriptorFeatures(
        descriptor=face_descriptor.load(face_descriptor.FEATURES))}
  if config.invert.features == 'vgg16':
    weights = config.invert.vgg16_weights
    return {'features': features_lib.VGG16Features(
        weights=None if weights == 'random' else weights,
        layer_names=config.invert.feature_layers.split(','))}
  trained = discriminator(config.model, config.training.precision)
  return {'discriminator': trained,
          'features': features_lib.DiscriminatorFeatures(
              discriminator=trained, resolution=generator_resolution(config))}
