"""Interrupted runs, lost shards, speakers with few frames, other runners."""

from __future__ import annotations

import collections
import filecmp
import os
import pathlib
import pickle
import shutil
import signal
import subprocess
import sys
import time

from apache_beam.internal import pickler
import pytest

from earsr_tf.data import manifest as manifest_lib
from earsr_tf.data import records
from earsr_tf.media import clip_files
from earsr_tf.media import reader
from pipelines.ingest import beam_options
from pipelines.ingest import few_frames
from pipelines.ingest import prepare
from pipelines.ingest import shard
from pipelines.ingest import shard_file
from tests import testing
from tests.pipelines.ingest import fake_storage

CLIPS = 24
OPTIONS = prepare.Options(
    frames_per_clip=2, image_size=8, shards=3, workers=2, open_share=0.2)


@pytest.fixture(name='tree')
def _tree(tmp_path) -> pathlib.Path:
  """A table of 24 clips of 6 speakers; their media are never read."""
  path = tmp_path / 'in' / 'clips.csv'
  path.parent.mkdir()
  path.write_text('speaker,video,clip,video_file\n' + ''.join(
      f's{i % 6},v{i % 4},{i},{i}.mp4\n' for i in range(CLIPS)))
  return path


@pytest.fixture(name='decoded', autouse=True)
def _decoded(monkeypatch) -> list[str]:
  """Replaces decoding; the keys of the clips it was asked for."""
  asked = []

  def decode(clip, split, options, turn):
    del options, turn
    asked.append(clip.key)
    if clip.clip == '5':
      raise reader.MediaError(clip.frames, 'is text')
    if clip.clip == '11':
      raise ZeroDivisionError('oh')
    return records.encode(records.ClipRecord(
        clip.speaker, clip.video, clip.clip, split, -1, 0.0, [b'f', b'g'],
        b'v')), 1 if clip.speaker == 's1' else 2

  monkeypatch.setattr(shard, '_decode', decode)
  return asked


def _run(tree, output, flags=None, **changes):
  options = prepare.Options(**{**OPTIONS.__dict__, **changes})
  return prepare.run(str(tree), str(output), '', options, flags)


def _same(one, two) -> bool:
  names = sorted(os.listdir(one))
  assert names == sorted(os.listdir(two))
  return filecmp.cmpfiles(one, two, names, shallow=False)[0] == names


def test_a_fault_of_one_clip_costs_one_clip(tree, tmp_path):
  found = _run(tree, tmp_path / 'out')
  assert found.rejected == 2 and found.dataset == 'csv'
  rows = {r['clip']: r for r in manifest_lib.read_rejects(found.data_dir)}
  assert rows['s5/v1/5'] == {
      'clip': 's5/v1/5', 'reason': 'is text', 'file': '5.mp4'}
  assert 'ZeroDivisionError at resume_test.py' in rows['s5/v3/11']['reason']
  assert sorted(os.listdir(tmp_path / 'out')) == sorted(
      [s.file for s in found.shards(manifest_lib.SPLITS)]
      + ['manifest.json'] + sorted({
          manifest_lib.REJECTS_NAME.format(split=split)
          for split in _splits_of(tree, ('s5/v1/5', 's5/v3/11'))}))


def _splits_of(tree, keys):
  return [split for (split, _), clip in prepare.plan(str(tree), 'csv', OPTIONS)
          if clip.key in keys]


def test_the_manifest_lists_speakers_and_videos(tree, tmp_path):
  found = _run(tree, tmp_path / 'out')
  wanted = collections.defaultdict(set)
  for (split, _), clip in prepare.plan(str(tree), 'csv', OPTIONS):
    if clip.clip not in ('5', '11'):
      wanted[split].add(f'{clip.speaker}/{clip.video}')
  assert {k: set(v) for k, v in found.videos.items() if v} == wanted
  for split, videos in found.videos.items():
    assert list(found.speakers[split]) == sorted(
        {v.split('/')[0] for v in videos})


def test_a_lost_shard_costs_that_shard(tree, tmp_path, monkeypatch, decoded):
  publish = shard_file.storage.publish

  def fail(local, path):
    if 'd_pre-00001' in path:
      raise OSError(28, 'No space left on device')
    publish(local, path)

  with monkeypatch.context() as patch:
    patch.setattr(shard_file.storage, 'publish', fail)
    with pytest.raises(OSError, match='d_pre-00001.*0 other.*No space left'):
      _run(tree, tmp_path / 'out')
  assert not (tmp_path / 'out/manifest.json').exists()
  lost = [clip.key for place, clip in prepare.plan(str(tree), 'csv', OPTIONS)
          if place == ('d_pre', 1)]
  decoded.clear()
  _run(tree, tmp_path / 'out')
  assert sorted(decoded) == sorted(lost)
  _run(tree, tmp_path / 'whole')
  assert _same(tmp_path / 'out', tmp_path / 'whole')


def test_damaged_shards_and_changed_settings_are_made_again(
    tree, tmp_path, monkeypatch, decoded):
  with monkeypatch.context() as patch:
    patch.setattr(prepare.seal, 'finish', lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
      _run(tree, tmp_path / 'out')
  shards = sorted((tmp_path / 'out').glob('*.tfrecord'))
  data = bytearray(shards[0].read_bytes())
  data[20] ^= 1
  shards[0].write_bytes(data)
  shutil.copytree(tmp_path / 'out', tmp_path / 'other')
  decoded.clear()
  found = _run(tree, tmp_path / 'out')
  counts = {s.file: s.records for s in found.shards(manifest_lib.SPLITS)}
  assert counts[shards[0].name] <= len(decoded) <= counts[shards[0].name] + 2
  decoded.clear()
  _run(tree, tmp_path / 'other', image_size=9)
  assert len(decoded) == CLIPS


@pytest.mark.parametrize('least, gone', [(0, ()), (5, ('s1', 's5')), (
    8, ('s1', 's5'))])
def test_speakers_with_few_frames_are_left_out(tree, tmp_path, least, gone):
  # 4 clips each: 8 frames, s1 4 frames, s5 4 for two clips are refused.
  found = _run(tree, tmp_path / 'out', min_frames_per_speaker=least)
  assert found.all_speakers == tuple(
      s for s in ('s0', 's1', 's2', 's3', 's4', 's5') if s not in gone)
  rows = manifest_lib.read_rejects(found.data_dir)
  assert len(rows) == found.rejected == 2 + 6 * bool(gone)
  assert sum(s.records for s in found.shards(manifest_lib.SPLITS)) == (
      CLIPS - found.rejected)
  assert sum('speaker with 4 frames' in r['reason'] for r in rows) == (
      6 * bool(gone))
  for video in (v for videos in found.videos.values() for v in videos):
    assert video.split('/')[0] not in gone


def test_speakers_who_cannot_have_enough_are_not_decoded(
    tree, tmp_path, decoded):
  with pytest.raises(manifest_lib.DataError) as e:
    _run(tree, tmp_path / 'out', min_frames_per_speaker=9)
  assert 'all 24 clips were refused' in str(e.value)
  assert '--min_frames_per_speaker=9' in str(e.value)
  assert not decoded


def test_two_runs_in_one_folder_are_refused(tree, tmp_path):
  (tmp_path / 'out').mkdir()
  with prepare._locked(str(tmp_path / 'out')):
    with pytest.raises(manifest_lib.DataError, match='another run'):
      _run(tree, tmp_path / 'out')


def test_input_and_output_elsewhere(tree, tmp_path, monkeypatch):
  monkeypatch.setattr(fake_storage, 'ROOT', tmp_path)
  for i in range(CLIPS):
    (tmp_path / 'in' / f'{i}.mp4').write_bytes(b'film')
  found = _run('fake://in/clips.csv', 'fake://there/out')
  here = _run(tree, tmp_path / 'here')
  assert (found.splits, found.videos) == (here.splits, here.videos)
  (tmp_path / 'there/out/.progress').rmdir()  # object stores have no folders
  assert _same(tmp_path / 'there/out', tmp_path / 'here')


def test_what_beam_ships_can_be_pickled():
  place = shard_file.Place('in', 'out', 'out/plan', 'out/notes')
  for fn in (shard.WriteShard(place=place, options=OPTIONS),
             few_frames.DropSpeakers(
                 place=place, least=3, few={'s': 1})):
    assert type(pickler.loads(pickler.dumps(fn))) is type(fn)
  for value in (OPTIONS, place, clip_files.Clip('s', 'v', 'c', 'f')):
    assert pickle.loads(pickle.dumps(value)).__class__ is type(value)


def test_ten_thousand_entries(tmp_path, decoded):
  rows = (f's{i % 200},v{i // 200 % 10},{i},{i}.mp4\n' for i in range(10_000))
  (tmp_path / 'many.csv').write_text(
      'speaker,video,clip,video_file\n' + ''.join(rows))
  found = _run(tmp_path / 'many.csv', tmp_path / 'out', shards=2, workers=1)
  assert sum(s.records for s in found.shards(manifest_lib.SPLITS)) == 9998
  assert len(decoded) == len(set(decoded)) == 10_000
  assert len(found.shards(manifest_lib.SPLITS)) == 10


def _real_tree(root: pathlib.Path) -> None:
  """30 clips under 3 speakers; the shared film is testing's."""
  film = root / 'mp4/s0/v0/0.mp4'
  film.parent.mkdir(parents=True)
  subprocess.run([
      shard.reader.child.imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v',
      'error', '-f', 'lavfi', '-i', 'testsrc=s=224x224:r=25:d=4', '-f',
      'lavfi', '-i', 'sine=440:d=4', '-ar', '16000', str(film)], check=True)
  for i in range(1, 30):
    path = root / f'mp4/s{i % 3}/v{i % 4}/{i}.mp4'
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(film, path)


def _command(tree, output, *more) -> list[str]:
  return [sys.executable, '-m', 'tools.prepare_voxceleb2', f'--input={tree}',
          f'--output={output}', '--min_frames_per_speaker=0', '--shards=4',
          '--workers=1', '--image_size=32', *more]


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_bytes(tmp_path):
  _real_tree(tmp_path / 'tree')
  out = tmp_path / 'out'
  process = subprocess.Popen(
      _command(tmp_path / 'tree', out), cwd=testing.ROOT,
      stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
  while process.poll() is None and len(
      list(out.glob('.progress/*.tfrecord.json'))) < 2:
    time.sleep(0.02)
  process.send_signal(signal.SIGKILL)
  assert process.wait() == -signal.SIGKILL
  with pytest.raises(manifest_lib.MissingDataError):
    manifest_lib.read_manifest(str(out))
  notes = {p.name.removesuffix('.json') for p in out.glob(
      '.progress/*.tfrecord.json')}
  kept = {name: (out / name).stat().st_mtime_ns for name in notes}
  for folder in (out, tmp_path / 'whole'):
    done = testing.run_module(*_command(tmp_path / 'tree', folder)[2:])
    assert done.returncode == 0, done.stderr
  assert kept and all(
      (out / name).stat().st_mtime_ns == at for name, at in kept.items())
  assert _same(out, tmp_path / 'whole')


@pytest.mark.slow
def test_several_processes_give_the_same_bytes(tmp_path):
  _real_tree(tmp_path / 'tree')
  for folder, flags in (('one', ()), ('two', (
      '--runner=FnApiRunner', '--direct_num_workers=2',
      '--direct_running_mode=multi_processing'))):
    done = testing.run_module(
        *_command(tmp_path / 'tree', tmp_path / folder, *flags)[2:])
    assert done.returncode == 0, done.stderr
  assert _same(tmp_path / 'one', tmp_path / 'two')


def test_beam_flags_reach_the_run(tree, tmp_path):
  found = _run(tree, tmp_path / 'out', beam_options.make(
      ['--direct_num_workers=2', '--direct_running_mode=multi_threading']))
  _run(tree, tmp_path / 'one')
  assert found.rejected == 2 and _same(tmp_path / 'out', tmp_path / 'one')
