"""From clips to sealed shards: bytes, rejects, refusals."""

from __future__ import annotations

import filecmp
import json
import os
import pathlib
import re
import shutil
import subprocess

import imageio_ffmpeg
import pytest
import tensorflow as tf

from earsr_tf.data import batching
from earsr_tf.data import keys
from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import records
from pipelines.ingest import prepare
from tests import testing

OPTIONS = prepare.Options(
    frames_per_clip=3, image_size=16, shards=2, workers=2, open_share=0.0,
    open_speakers=('id3',), min_frames_per_speaker=0)


def _film(path: pathlib.Path, sound: str, seconds: float = 1.2) -> None:
  """A small clip with a test picture and a sound."""
  path.parent.mkdir(parents=True, exist_ok=True)
  subprocess.run([
      imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v', 'error', '-f',
      'lavfi', '-i', f'testsrc=s=48x48:r=25:d={seconds}', '-f', 'lavfi', '-i',
      f'{sound}:d={seconds}', '-preset', 'ultrafast', '-c:a', 'aac', '-ar',
      '16000', str(path)], check=True)


@pytest.fixture(name='tree', scope='module')
def _tree(tmp_path_factory) -> pathlib.Path:
  """3 speakers, 3 videos each, and four clips that cannot be used."""
  root = tmp_path_factory.mktemp('ingest') / 'tree'
  good = root / 'dev/mp4/id1/va/00001.mp4'
  _film(good, 'sine=440')
  for speaker in ('id1', 'id2', 'id3'):
    for video in ('va', 'vb', 'vc'):
      path = root / f'dev/mp4/{speaker}/{video}/00001.mp4'
      path.parent.mkdir(parents=True, exist_ok=True)
      if path != good:
        shutil.copy(good, path)
  bad = root / 'dev/mp4/id1/va'
  (bad / '00002.mp4').write_text('I am text.')
  _film(bad / '00003.mp4', 'anullsrc=r=16000')
  _film(bad / '00004.mp4', 'sine=440', 0.5)
  (bad / '00005.mp4').write_bytes(good.read_bytes()[:3000])
  (root / 'vox2_meta.csv').write_text(
      'VoxCeleb2 ID \tGender \nid1 \tm \nid2 \tf \n')
  return root


@pytest.fixture(name='done', scope='module')
def _done(tree) -> manifest_lib.Manifest:
  return prepare.run(str(tree), str(tree.parent / 'done'), '', OPTIONS)


def _records(found: manifest_lib.Manifest) -> list[records.ClipRecord]:
  """Every record of every split."""
  return [
      records.decode(r.numpy()) for s in found.shards(manifest_lib.SPLITS)
      for r in tf.data.TFRecordDataset(f'{found.data_dir}/{s.file}')]


def test_every_good_clip_is_there_once(done):
  found = _records(done)
  assert sorted(f'{r.speaker}/{r.video}/{r.clip}' for r in found) == sorted(
      f'{s}/{v}/00001' for s in ('id1', 'id2', 'id3')
      for v in ('va', 'vb', 'vc'))
  for record in found:
    assert record.gender == {'id1': 1, 'id2': 0, 'id3': -1}[record.speaker]
    assert len(record.frames) == 3
    assert tf.io.decode_png(record.frames[0]).shape == (16, 16, 3)
    assert len(record.voice) >= 44 + 2 * 16000
    assert (record.speaker == 'id3') == record.split.startswith('open')


def test_the_manifest_counts(done):
  assert done.dataset == 'voxceleb2'
  assert done.rejected == 4
  assert done.all_speakers == ('id1', 'id2', 'id3')
  assert done.speakers['open_test'] == ('id3',)
  for split in ('d_pre', 'closed_test'):
    assert done.speakers[split] == ('id1', 'id2')
    assert sum(s.records for s in done.splits[split]) >= 2
  assert done.preprocess.startswith('sha1:')


def test_rejects_have_reasons(done):
  found = {
      row['clip'][-1]: row for row in manifest_lib.read_rejects(done.data_dir)}
  assert found['2']['reason'] == 'is not a video (text)'
  assert found['3']['reason'] == 'is silent'
  assert found['4']['reason'].startswith('has 0.5')
  assert 'cannot be decoded' in found['5']['reason']
  assert found['2']['file'] == 'dev/mp4/id1/va/00002.mp4'


def test_the_same_input_gives_the_same_bytes(tree, done, tmp_path):
  one = prepare.Options(**{**OPTIONS.__dict__, 'workers': 1})
  prepare.run(str(tree), str(tmp_path / 'again'), 'voxceleb2', one)
  names = sorted(os.listdir(done.data_dir))
  assert names == sorted(os.listdir(tmp_path / 'again'))
  same, different, _ = filecmp.cmpfiles(
      done.data_dir, tmp_path / 'again', names, shallow=False)
  assert different == [] and len(same) == len(names)


def test_the_shards_feed_the_input_pipeline(done):
  batch = next(iter(batching.make_dataset(
      done.data_dir, splits=manifest_lib.TRAINING_SPLITS, inputs=keys.ALL,
      batch_size=2, seed=0)))
  assert batch[keys.IMAGE_HIGH].shape == (2, 16, 16, 3)
  assert batch[keys.WAVEFORM].shape == (2, 64000)
  assert float(tf.math.reduce_std(batch[keys.IMAGE_HIGH])) > 0.1


def test_finished_data_are_kept_unless_told(tree, tmp_path):
  output = tmp_path / 'out'
  output.mkdir()
  (output / 'manifest.json').write_text('{}')
  with pytest.raises(manifest_lib.DataError, match='holds finished data'):
    prepare.run(str(tree), str(output), '', OPTIONS)
  assert (output / 'manifest.json').read_text() == '{}'


def test_an_interrupted_run_is_swept_and_foreign_files_are_not(tree, tmp_path):
  output = tmp_path / 'out'
  output.mkdir()
  (output / 'd_pre-00007-of-00009.tfrecord').write_text('old')
  (output / 'd_pre-00008-of-00009.tfrecord.partial').write_text('old')
  options = prepare.Options(**{**OPTIONS.__dict__, 'subset': ('dev/mp4/id2',)})
  found = prepare.run(str(tree), str(output), '', options)
  assert found.all_speakers == ('id2',)
  assert not list(output.glob('*of-00009*')) and not list(
      output.glob('*.partial'))
  (tmp_path / 'home').mkdir()
  (tmp_path / 'home' / 'letter.txt').write_text('dear')
  with pytest.raises(manifest_lib.DataError, match='letter.txt'):
    prepare.run(str(tree), str(tmp_path / 'home'), '', OPTIONS)


def test_a_run_that_dies_leaves_nothing_that_looks_finished(
    tree, tmp_path, monkeypatch):
  def fail(*_):
    raise OSError('disk full')
  with monkeypatch.context() as patch:
    patch.setattr(prepare.storage, 'publish', fail)
    with pytest.raises(OSError, match='disk full.*run the same command again'):
      prepare.run(str(tree), str(tmp_path / 'out'), '', OPTIONS)
  assert all(n.endswith('.partial') or n[0] == '.'
             for n in os.listdir(tmp_path / 'out'))
  with pytest.raises(manifest_lib.MissingDataError):
    manifest_lib.read_manifest(str(tmp_path / 'out'))


def test_when_every_clip_is_refused_there_is_no_manifest(tree, tmp_path):
  root = tmp_path / 'tree'
  shutil.copytree(tree / 'dev/mp4/id1', root / 'dev/mp4/id1')
  for path in root.rglob('00001.mp4'):
    path.unlink()
  with pytest.raises(manifest_lib.DataError, match='all 4 clips were refused'):
    prepare.run(str(root), str(tmp_path / 'out'), '', OPTIONS)
  assert all(re.fullmatch(r'rejects-\w+\.jsonl', name)
             for name in os.listdir(tmp_path / 'out'))


def test_plan_is_stable_and_checks_options(tree):
  jobs = list(prepare.plan(str(tree), 'voxceleb2', OPTIONS))
  assert len(jobs) == 13
  fewer = prepare.Options(**{**OPTIONS.__dict__, 'subset': ('dev/mp4/id1',)})
  assert set(prepare.plan(str(tree), 'voxceleb2', fewer)) < set(jobs)
  with pytest.raises(ValueError, match='shards=0'):
    list(prepare.plan(str(tree), 'voxceleb2', prepare.Options(shards=0)))
  with pytest.raises(manifest_lib.DataError, match='no clip begins with x'):
    list(prepare.plan(
        str(tree), 'voxceleb2', prepare.Options(subset=('x',))))


def test_real_pairs_and_raw_mp4_go_through(tmp_path):
  root = testing.shared_dir() / 'data'
  options = prepare.Options(
      frames_per_clip=2, shards=1, subset=(
          'official_test7', 'vox2_clips', 's2f_avspeech/Face_ori/2'))
  found = prepare.run(str(root), str(tmp_path / 'out'), 'pairs', options)
  assert found.rejected == 0
  assert len(_records(found)) >= 7 + 9 + 2


def test_the_command_ends_with_one_line(tmp_path):
  for name, code, text in (
      ('none', 66, 'no such folder'), ('', 66, 'no clips found')):
    done = testing.run_module(
        'tools.prepare_voxceleb2', f'--input={tmp_path / name}',
        f'--output={tmp_path / "out"}')
    assert done.returncode == code
    assert text in done.stderr and 'Traceback' not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / 'out').exists()


def test_flags_that_nobody_knows_end_with_one_line(tree, tmp_path):
  done = testing.run_module(
      'tools.prepare_voxceleb2', f'--input={tree}',
      f'--output={tmp_path / "out"}', '--frame_per_clip=3')
  assert done.returncode == 1 and not (tmp_path / 'out').exists()
  assert done.stderr == (
      'error: unknown flag --frame_per_clip: neither this command nor Beam '
      'has it; see --help, or write it behind -- if your runner knows it\n')


def test_a_dry_run_says_why_clips_are_refused(tree, tmp_path):
  arguments = (f'--input={tree}', f'--output={tmp_path / "out"}', '--dry_run')
  done = testing.run_module(
      'tools.prepare_voxceleb2', *arguments, '--min_frames_per_speaker=30')
  assert done.returncode == 0
  assert json.loads(done.stdout) == {
      'dataset': 'voxceleb2', 'closed_test': 5, 'd_pre': 1, 'd_rest': 1,
      'refused': 6}
  assert done.stderr == (
      'note: 6 of 13 clips are refused before they are decoded; the most '
      'frequent reason, 6 times: has a speaker with 24 frames in all; '
      '--min_frames_per_speaker=30 asks for more\n')
  done = testing.run_module(
      'tools.prepare_voxceleb2', *arguments, '--min_frames_per_speaker=0')
  assert (done.returncode, done.stderr) == (0, '')
  assert not (tmp_path / 'out').exists()


def test_a_folder_too_deep_is_one_line(tree, tmp_path):
  done = testing.run_module(
      'tools.prepare_voxceleb2', f'--input={tree}/dev',
      f'--output={tmp_path / "out"}', '--dry_run')
  assert (done.returncode, done.stdout) == (65, '')
  assert done.stderr == (
      f'error: {tree}/dev: is one level too deep, without vox2_meta.csv '
      f'beside it; give {tree} (for this part alone with --subset=dev/)\n')
