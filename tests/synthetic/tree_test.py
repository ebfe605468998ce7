"""SyntheticVox on disk: VoxCeleb2's tree, real media, nothing half-done."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

import imageio_ffmpeg
import numpy as np
import pytest

from earsr_tf.data.datasets import synthetic
from earsr_tf.synthetic import clip as clip_lib
from earsr_tf.synthetic import encode
from earsr_tf.synthetic import people
from earsr_tf.synthetic import tree
from earsr_tf.synthetic import world as world_lib

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope='module', name='made')
def _made(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
  """A tree of four people with two videos each."""
  output = tmp_path_factory.mktemp('world') / 'tree'
  assert synthetic.make_tree(
      str(output), 4, 11, videos_per_speaker=2, workers=2,
      open_set_share=0.5) == 8
  return output


def _probe(path: pathlib.Path) -> str:
  """What ffmpeg says about a file."""
  return subprocess.run(
      [imageio_ffmpeg.get_ffmpeg_exe(), '-hide_banner', '-i', str(path)],
      capture_output=True, check=False).stderr.decode('utf-8', 'replace')


def _decode(path: pathlib.Path, *options: str) -> bytes:
  """Raw media of a file."""
  return subprocess.run(
      [imageio_ffmpeg.get_ffmpeg_exe(), '-loglevel', 'error', '-i', str(path),
       *options, '-'], capture_output=True, check=True).stdout


def test_layout_is_voxceleb2s(made: pathlib.Path) -> None:
  videos = sorted(
      p.relative_to(made).as_posix() for p in made.rglob('*.mp4'))
  sounds = sorted(
      p.relative_to(made).as_posix() for p in made.rglob('*.m4a'))
  assert len(videos) == 8
  assert all(re.fullmatch(
      r'dev/mp4/id\d{5}/[A-Za-z0-9]{11}/\d{5}\.mp4', v) for v in videos)
  assert sounds == [
      v.replace('/mp4/', '/aac/').replace('.mp4', '.m4a') for v in videos]
  files = [p for p in made.rglob('*') if p.is_file()]
  assert len(files) == 18  # No leftovers beside media and two tables.


def test_tables(made: pathlib.Path) -> None:
  lines = (made / 'vox2_meta.csv').read_text(encoding='utf-8').splitlines()
  assert lines[0].split('\t') == [
      'Name', 'VoxCeleb2 ID', 'VGGFace2 ID', 'Gender', 'Set']
  assert len(lines) == 5
  rows = synthetic.read_attributes(str(made))
  population = people.make_population(4, 11, 0.5)
  for person in population:
    row = rows[person.speaker]
    assert float(row['age']) == person.age
    assert row['gender'] == 'fm'[person.gender]
    assert row['open_set'] == str(int(person.open_set))


def test_media_are_real(made: pathlib.Path) -> None:
  video = sorted(made.rglob('*.mp4'))[0]
  told = _probe(video)
  assert 'h264' in told and '224x224' in told and '25 fps' in told
  sound = sorted(made.rglob('*.m4a'))[0]
  told_sound = _probe(sound)
  assert 'aac' in told_sound and '16000 Hz, mono' in told_sound
  pattern = r'Duration: 00:00:(\d+\.\d+)'
  seconds = [float(re.search(pattern, text).group(1))
             for text in (told, told_sound)]
  assert 4.2 <= seconds[0] <= 5.0
  assert abs(seconds[0] - seconds[1]) < 0.1


def test_encoding_keeps_picture_and_voice(made: pathlib.Path) -> None:
  person = people.make_population(4, 11, 0.5)[0]
  name = world_lib.video_names(person, 2)[0]
  clip = clip_lib.make_clip(person, name, '00001')
  stem = f'{person.speaker}/{name}/00001'
  frames = np.frombuffer(_decode(
      made / 'dev' / 'mp4' / f'{stem}.mp4', '-f', 'rawvideo', '-pix_fmt',
      'yuv420p'), np.uint8).reshape(-1, 336, 224)
  assert frames.shape == clip.frames.shape
  assert np.abs(
      frames.astype(int) - clip.frames.astype(int)).mean() < 2.5
  voice = np.frombuffer(_decode(
      made / 'dev' / 'aac' / f'{stem}.m4a', '-f', 's16le'), '<i2')
  count = min(voice.size, clip.samples.size)
  assert abs(voice.size - clip.samples.size) < 2100
  assert np.corrcoef(voice[:count], clip.samples[:count])[0, 1] > 0.95


def test_list_clips(made: pathlib.Path) -> None:
  clips = synthetic.list_clips(str(made))
  assert len(clips) == 8
  assert sum(clip.open_set for clip in clips) == 4
  assert {clip.gender for clip in clips} == {0, 1}
  assert all(20 <= clip.age <= 70 for clip in clips)


def test_full_folder_is_refused(made: pathlib.Path) -> None:
  with pytest.raises(world_lib.TreeError, match='is not empty'):
    synthetic.make_tree(str(made), 2, 1)


def test_unfinished_tree_is_refused(tmp_path: pathlib.Path) -> None:
  with pytest.raises(ValueError, match='not a finished SyntheticVox tree'):
    synthetic.list_clips(str(tmp_path))


def test_failure_leaves_nothing(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:

  def fail(*_: object) -> None:
    raise encode.EncodeError('disk full')

  monkeypatch.setattr(encode, 'write_clip', fail)
  with pytest.raises(encode.EncodeError, match='disk full'):
    tree.write_tree(
        tmp_path / 'tree', world_lib.World(speakers=1, seed=1), 1)
  assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('wrong', [
    {'speakers': 0}, {'videos_per_speaker': 0}, {'open_set_share': 1.5}])
def test_senseless_world(tmp_path: pathlib.Path, wrong: dict) -> None:
  world = world_lib.World(**{'speakers': 2, 'seed': 1, **wrong})
  with pytest.raises(world_lib.TreeError, match=next(iter(wrong))):
    tree.write_tree(tmp_path / 'tree', world, 1)
  assert not list(tmp_path.iterdir())


def test_command_line(tmp_path: pathlib.Path) -> None:
  (tmp_path / 'full').mkdir()
  (tmp_path / 'full' / 'file').touch()

  def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, '-m', 'tools.make_synthetic', *arguments], cwd=ROOT,
        capture_output=True, text=True, check=False)

  refused = run(f'--output={tmp_path / "full"}')
  assert refused.returncode == 1
  assert 'is not empty' in refused.stderr
  assert 'Traceback' not in refused.stderr
  dry = run(f'--output={tmp_path / "new"}', '--speakers=7', '--dry_run')
  assert dry.returncode == 0
  assert 'would write 21 clips' in dry.stdout
  assert not (tmp_path / 'new').exists()
