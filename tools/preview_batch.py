"""python -m tools.preview_batch --data_dir=DIR --output=sheet.png.

A contact sheet of prepared data as training gets them: per clip a frame, the
small input enlarged, the spectrogram that E_a reads (time to the right, low
frequencies below), and whose it is.
"""

from __future__ import annotations

import dataclasses
import io
import os

from absl import flags
import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

from earsr_tf import cli
from earsr_tf import durable
from earsr_tf import environment
from earsr_tf.data import manifest as manifest_lib

_TILE, _GAP, _TEXT = 128, 4, 34  # pixels
_FACTOR = 16  # of the degradation
_INK, _FAINT, _PAPER = (20, 20, 20), (110, 110, 110), (250, 250, 250)
_GENDERS = {0: 'female', 1: 'male'}


@dataclasses.dataclass(frozen=True)
class Sample:
  """What is shown of a clip.

  Attributes:
    tiles: Frame, small input and, if there is a voice, its spectrogram, each
      [H, W, 3] uint8.
    title: The speaker, with gender and age where they are known.
    subtitle: Split, video and clip.
  """
  tiles: tuple[np.ndarray, ...]
  title: str
  subtitle: str


def read_samples(
    data_dir: str, clips: int, *, splits: tuple[str, ...] = (), seed: int = 1
) -> list[Sample]:
  """Reads clips through the pipeline that training reads.

  Args:
    data_dir: Folder of shards.
    clips: How many in all, about as many of each split.
    splits: Splits to take; () takes all that have clips.
    seed: Which clips, frames and segments.

  Returns:
    At most `clips` samples, in order of split.

  Raises:
    DataError: If the data are missing or damaged, or a split has no clips.
  """
  manifest = manifest_lib.read_manifest(data_dir)
  counts = {
      s: sum(r.records for r in manifest.shards([s]))
      for s in splits or [n for n, shards in manifest.splits.items() if shards]}
  if not counts:
    raise manifest_lib.DataError(f'{data_dir}: has no records')
  environment.load_tensorflow()
  from earsr_tf.data import stream
  samples = []
  for i, (split, count) in enumerate(counts.items()):
    share = clips * (i + 1) // len(counts) - clips * i // len(counts)
    with stream.explained(data_dir):
      samples += _of_split(manifest, split, min(share, count), seed)
  return samples


def _of_split(
    manifest: manifest_lib.Manifest, split: str, count: int, seed: int
) -> list[Sample]:
  """The first clips of a split in training order."""
  from earsr_tf.data import batching
  from earsr_tf.data import keys
  from earsr_tf.evaluation import figures
  from earsr_tf.evaluation import metrics
  from earsr_tf.ops import pixels
  from earsr_tf.ops import spectrogram
  if not count:
    return []
  dataset = batching.make_dataset(
      manifest, splits=[split], batch_size=count, seed=seed, memory_bytes=0,
      inputs=(keys.IMAGE_HIGH, keys.GENDER, keys.AGE, keys.CLIP,
              *((keys.WAVEFORM,) if manifest.has_voices else ())))
  batch = next(iter(dataset))
  high = pixels.to_uint8(batch[keys.IMAGE_HIGH]).numpy()
  low = metrics.degrade_uint8(high, high.shape[1] // _FACTOR)
  spectra = [()] * count
  if manifest.has_voices:
    spectra = [(figures.spectrogram_tile(s),) for s in (
        spectrogram.log_spectrogram(batch[keys.WAVEFORM])[..., 0].numpy())]
  samples = []
  for i, clip in enumerate(batch[keys.CLIP].numpy()):
    speaker, _, rest = clip.decode('utf-8', 'replace').partition('/')
    samples.append(Sample(
        (high[i], low[i], *spectra[i]),
        _title(speaker, int(batch[keys.GENDER][i]), float(batch[keys.AGE][i])),
        f'{split}  {rest}'))
  return samples


def _title(speaker: str, gender: int, age: float) -> str:
  """The speaker with what is known."""
  known = [_GENDERS[gender]] if gender in _GENDERS else []
  known += [f'{age:.0f} years'] if age == age else []  # NaN: unknown
  return ', '.join([speaker, *known])


def draw(samples: list[Sample], columns: int) -> Image.Image:
  """The contact sheet."""
  columns = min(columns, len(samples))
  tiles = len(samples[0].tiles)
  width = tiles * (_TILE + _GAP) + 3 * _GAP
  height = _TILE + _TEXT + 3 * _GAP
  rows = -(-len(samples) // columns)
  sheet = Image.new(
      'RGB', (columns * width + _GAP, rows * height + _GAP), _PAPER)
  pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=12)
  for number, sample in enumerate(samples):
    row, column = divmod(number, columns)
    left, top = column * width + 2 * _GAP, row * height + 2 * _GAP
    for i, tile in enumerate(sample.tiles):
      enlarged = Image.fromarray(tile).resize(
          (_TILE, _TILE), Image.Resampling.NEAREST if len(tile) < _TILE
          else Image.Resampling.BICUBIC)
      sheet.paste(enlarged, (left + i * (_TILE + _GAP), top))
    for line, (text, ink) in enumerate((
        (sample.title, _INK), (sample.subtitle, _FAINT))):
      pen.text((left, top + _TILE + 2 + 15 * line),
               _fit(text, font, tiles * (_TILE + _GAP)), ink, font)
  return sheet


def _fit(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
  """`text` on one line of at most `width` pixels."""
  text = cli.printable(text)[:200]
  if font.getlength(text) <= width:
    return text
  while text and font.getlength(text + '...') > width:
    text = text[:-1]
  return text + '...'


def main() -> None:
  """Writes the sheet."""
  values = flags.FLAGS
  if os.path.splitext(values.output)[1].lower() != '.png':
    raise cli.InputError(
        f'--output={values.output}: must end in .png', cli.USAGE)
  samples = read_samples(
      values.data_dir, values.clips, splits=tuple(values.splits),
      seed=values.seed)
  stream = io.BytesIO()
  draw(samples, values.columns).save(stream, format='PNG')
  durable.write(values.output, stream.getvalue())
  print(f'{values.output}: {len(samples)} clips')


if __name__ == '__main__':
  flags.DEFINE_string(
      'data_dir', 'data', 'Folder of the prepared shards.')
  flags.DEFINE_string('output', None, 'A PNG to write.', required=True)
  flags.DEFINE_integer(
      'clips', 24, 'How many, spread over the splits.', lower_bound=1,
      upper_bound=1000)
  flags.DEFINE_integer('columns', 3, 'Clips per row.', lower_bound=1)
  flags.DEFINE_integer('seed', 1, 'Which clips, frames and segments.')
  flags.DEFINE_list('splits', [], 'Splits shown; all by default.')
  cli.run(main)
