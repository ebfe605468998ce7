"""super_resolve --consistency: the output fits the 8x8 picture."""

from __future__ import annotations

import json
import pathlib
import shutil

import numpy as np
from PIL import Image
import pytest

from earsr_tf import cli
from earsr_tf import face_and_voice
from earsr_tf import super_resolve
from earsr_tf.evaluation import metrics
from earsr_tf.media import reader
from earsr_tf.serving import export_manifest


@pytest.fixture
def files(tmp_path: pathlib.Path) -> dict[str, str]:
  """A ramp of grey, a hum, and where to write."""
  ramp = np.repeat(np.tile(np.linspace(
      60, 190, 128, dtype=np.uint8), [128, 1])[..., np.newaxis], 3, axis=-1)
  (tmp_path / 'face.png').write_bytes(reader.encode_png(ramp))
  time = np.arange(64_000) / reader.SAMPLE_RATE_HZ
  hum = (9000 * np.sin(2.0 * np.pi * 150.0 * time)).astype(np.int16)
  (tmp_path / 'voice.wav').write_bytes(reader.encode_wav(hum))
  return {'image': str(tmp_path / 'face.png'),
          'audio': str(tmp_path / 'voice.wav'),
          'output': str(tmp_path / 'out' / 'result.png')}


def test_the_output_fits_the_input(model: str, files: dict[str, str]) -> None:
  low = face_and_voice.reduce_picture(
      reader.read_image(files['image']), 8, 128, print)[np.newaxis]
  off = {}
  for mode in ('off', 'exact'):
    super_resolve.run(model, **files, consistency=mode)
    image = np.asarray(Image.open(files['output']))[np.newaxis]
    off[mode] = metrics.lr_consistency(image, low)[0]
  assert off['exact'] < 0.1 and off['off'] > 3.0


def test_a_model_that_corrects_is_not_corrected_again(
    model: str, files: dict[str, str], tmp_path: pathlib.Path,
    capsys: pytest.CaptureFixture[str]) -> None:
  copy = tmp_path / 'model'
  shutil.copytree(export_manifest.newest(model), copy)
  path = copy / 'manifest.json'
  facts = json.loads(path.read_text())
  path.write_text(json.dumps(facts | {'consistency': '1'}))
  code = cli.guard(
      lambda: super_resolve.run(str(copy), **files, consistency='exact'))
  line, = capsys.readouterr().err.splitlines()
  assert code == 1 and line.startswith(f'error: --consistency=exact: {copy} ')
  assert 'was exported with --consistency=1' in line
  assert not pathlib.Path(files['output']).exists()
  super_resolve.run(str(copy), **files)  # off: nothing to refuse
  plain = pathlib.Path(files['output']).read_bytes()
  del facts['consistency']  # exported before there was the flag
  path.write_text(json.dumps(facts))
  super_resolve.run(str(copy), **files, consistency='1')
  assert pathlib.Path(files['output']).read_bytes() != plain
