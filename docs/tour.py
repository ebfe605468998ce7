# %% [markdown]
"""# A tour: from nothing to a face of one's own, in a minute or two

Preset `tiny` takes every path that the real sizes take, on two CPU cores. Its
networks see 16 to 32 faces, so its pictures are noise: look at the shapes and
at what calls what. In the project's folder:

    python -m docs.tour
    EARSR_TOUR=FOLDER python -m docs.tour   # keeps everything in FOLDER

The cells are jupytext's percent format: editors show them one by one, and
`jupytext --to ipynb docs/tour.py` makes a notebook. Each cell names the
command that does the same.
"""

# %%
import json
import logging
import os
import pathlib
import tempfile

import numpy as np
from PIL import Image

import earsr_tf
from earsr_tf import config as config_lib
from earsr_tf import environment
from earsr_tf import evaluate
from earsr_tf import export
from earsr_tf import presets
from earsr_tf import train
from earsr_tf.data.datasets import synthetic
from tools import preview_batch

home = pathlib.Path(
    os.environ.get('EARSR_TOUR') or tempfile.mkdtemp(prefix='earsr_tour_'))
home.mkdir(parents=True, exist_ok=True)
tree, data, runs, models = (
    str(home / name) for name in ('tree', 'data', 'runs', 'serving_models'))
print(f'everything goes to {home}')

# %% [markdown]
"""## People

Procedural people who move and speak, in VoxCeleb2's tree: a video with sound
and the sound alone. A third of them is kept out of training.

`python -m tools.make_synthetic --output=tree --speakers=6`
"""

# %%
if not os.path.exists(tree):
  clips = synthetic.make_tree(
      tree, speakers=6, seed=1, videos_per_speaker=4, open_set_share=1 / 3)
  print(f'{clips} clips')
videos = sorted(pathlib.Path(tree).glob('dev/mp4/*/*/*.mp4'))
print(videos[0].relative_to(tree), videos[0].stat().st_size, 'bytes')

# %% [markdown]
"""## Shards

Each clip is decoded once: eight frames and the voice at 16 kHz. Hashes of
names decide the split. `closed_test` has other videos of people who are
trained on, `open_test` has people whom no network meets in training.

`python -m tools.prepare_voxceleb2 --input=tree --output=data`
"""

# %%
environment.quieten()  # Beam tells of file systems that are not installed
logging.getLogger('apache_beam').setLevel(logging.ERROR)
from pipelines.ingest import prepare  # noqa: E402

if not os.path.exists(os.path.join(data, 'manifest.json')):
  prepare.run(tree, data, 'synthetic')
manifest = json.loads(pathlib.Path(data, 'manifest.json').read_text('utf-8'))
for split, shards in manifest['splits'].items():
  print(f'{split:13}', sum(shard['records'] for shard in shards), 'clips of',
        len(manifest['speakers'][split]), 'people')

# %% [markdown]
"""What a network gets of a clip: the face, the 8x8 image made of it, and the
spectrogram of 4 s of voice. This clip is of a person kept out of training.

`python -m tools.preview_batch --data_dir=data --output=sheet.png`
"""

# %%
[sample] = preview_batch.read_samples(data, 1, splits=('open_test',))
truth, image_low, spectrogram = sample.tiles
print(sample.title, '|', sample.subtitle)
for name, tile in (
    ('face', truth), ('8x8 image', image_low), ('spectrogram', spectrogram)):
  print(f'{name:11} {tile.shape} {tile.dtype}, {tile.min()} to {tile.max()}')

# %% [markdown]
"""## One stage

A preset is a frozen record of all settings. Stage `generator` trains
StyleGAN's G and D. A run that was stopped goes on with the same call, to the
same bits; one that is finished is left alone.

`python -m earsr_tf.train --preset=tiny --stage=generator`
"""

# %%
config = presets.get('tiny')
for phase in config.generator.phases:
  print(phase)
train.run(config, 'generator', data_dir=data, run_root=runs)

# %%
lines = pathlib.Path(runs, 'generator', 'metrics.jsonl').read_text('utf-8')
rows = [json.loads(line) for line in lines.splitlines()]
print(len(rows), 'rows of', len(rows[-1]), 'values each; losses of the last:')
for name, value in rows[-1].items():
  if name.startswith('loss/'):
    print(f'  {name} = {value:.4f}')

# %% [markdown]
"""## The others

Six more, in order: each restores what it needs of the stages before.

- `invert`: E_h, from a face to G's code (Eq. 1)
- `finetune`: E_h and G together (Eq. 2)
- `low_res`: E_l, from the 8x8 image to the code (Eq. 3)
- `audio`: E_a, from the voice to the code (Eq. 4)
- `fusion`: F, which adds to E_l's code what the voice tells (Eq. 5)
- `attributes`: the classifiers that judge
"""

# %%
for stage in config_lib.STAGES:
  train.run(config, stage, data_dir=data, run_root=runs)
  finished = json.loads(
      pathlib.Path(runs, stage, 'finished.json').read_text('utf-8'))
  print(f'{stage:10} {finished["images"]} images')

# %% [markdown]
"""## Evaluation

Tables and figures of both test sets. PSNR and SSIM compare with the real face,
LR is how many levels of 255 the output is off its 8x8 image.

`python -m earsr_tf.evaluate --run_root=runs --data_dir=data`
"""

# %%
results = evaluate.run(runs, data)
for key, row in results['sets']['open']['rows'].items():
  print(f'{results["rows"][key]["label"]:32} PSNR {row["psnr"]:5.2f}'
        f'  SSIM {row["ssim"]:.3f}  LR {row["lr_consistency"]:5.1f}')

# %% [markdown]
"""## Export

E_l, E_a, F and G become one SavedModel with checksums.

`python -m earsr_tf.export --run_root=runs --output=serving_models`
"""

# %%
version = pathlib.Path(export.run(runs, models))
for path in sorted(version.rglob('*')):
  if path.is_file():
    print(f'{path.stat().st_size:>9} {path.relative_to(home)}')

# %% [markdown]
"""## Use

A picture and a sound of one person, as files. Here they are of the person
above, whom no network has met.

`python -m earsr_tf.super_resolve --model=serving_models --image=face.png
--audio=voice.m4a --output=out.png`
"""

# %%
Image.fromarray(truth).save(home / 'face.png')
speaker = sample.title.partition(',')[0]
voice = next(pathlib.Path(tree).glob(f'dev/aac/{speaker}/*/*.m4a'))

model = earsr_tf.load(models)
face = model.super_resolve(home / 'face.png', voice)
Image.fromarray(face).save(home / 'out.png')
print(f'{home}/out.png: {face.shape} {face.dtype}, {np.ptp(face)} levels')

# %% [markdown]
"""`strength` says how much of the voice goes in: 0 none, 1 as trained. With
`consistency` the output is corrected until it fits its 8x8 image.
"""

# %%
for options in ({'strength': 0.0}, {'strength': 1.5}, {'consistency': 1}):
  other = model.super_resolve(home / 'face.png', voice, **options)
  levels = np.abs(other.astype(float) - face).mean()
  print(f'{options}: {levels:.2f} levels from the face above')
