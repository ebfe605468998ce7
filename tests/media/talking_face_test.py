"""Picture and voice of a clip: tracks, scenes, frozen and broken ones."""

from __future__ import annotations

import pathlib
import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from earsr_tf.media import boxes
from earsr_tf.media import child
from earsr_tf.media import clip_files
from earsr_tf.media import reader
from earsr_tf.media import talking_face
from tests import testing

WANTED = talking_face.Wanted(4, 32, 20.0)


def _film(path: pathlib.Path, picture: str, sound: str, *more: str) -> str:
  """Writes a video of a filter's picture and sound."""
  inputs = [x for f in (picture, sound) if f for x in ('-f', 'lavfi', '-i', f)]
  subprocess.run([
      imageio_ffmpeg.get_ffmpeg_exe(), '-nostdin', '-v', 'error', *inputs,
      '-preset', 'ultrafast', '-ar', '16000', *more, str(path)], check=True,
      timeout=60)
  return str(path)


def _clip(path, **changes):
  return clip_files.Clip('s', 'v', 'c', str(path), **changes)


@pytest.fixture(name='good', scope='module')
def _good(tmp_path_factory) -> str:
  return _film(tmp_path_factory.mktemp('media') / 'good.mp4',
               'testsrc=s=64x64:r=25:d=3', 'sine=440:d=3')


def test_one_child_gives_what_two_give(good, monkeypatch):
  started = []
  run = child.run
  monkeypatch.setattr(
      child, 'run', lambda *a: started.append(a) or run(*a))
  frames, voice = talking_face.read(_clip(good, fps=25.0), WANTED)
  assert len(started) == 1
  np.testing.assert_array_equal(voice, reader.read_voice(good))
  np.testing.assert_array_equal(frames, reader.read_video_frames(good, 4, 32))


def test_a_voice_beside_the_video_is_taken(good, tmp_path):
  other = _film(tmp_path / 'a.m4a', '', 'sine=880:d=2')
  _, voice = talking_face.read(_clip(good, audio=other), WANTED)
  spectrum = np.abs(np.fft.rfft(voice[:16000].astype(float)))
  assert np.argmax(spectrum) == 880 and voice.size < 40000


def test_lengths_that_differ_are_refused_where_they_matter(good, tmp_path):
  short = _film(tmp_path / 'a.m4a', '', 'sine=880:d=2')
  clip = _clip(good, audio=short, fps=25.0)
  with pytest.raises(reader.MediaError, match='has about 75 frames but 2.0'):
    talking_face.read(clip, WANTED)
  talking_face.read(clip, talking_face.Wanted(4, 32, check_lengths=False))
  talking_face.read(_clip(good, audio=short), WANTED)
  # A voice that is cut says nothing about the rest.
  talking_face.read(clip, talking_face.Wanted(4, 32, max_seconds=1.5))


def test_no_two_frames_are_nearly_the_same(tmp_path):
  frozen = _film(
      tmp_path / 'f.mp4', 'smptebars=s=64x64:r=25:d=3', 'sine=440:d=3')
  assert len(talking_face.read(_clip(frozen), WANTED)[0]) == 1
  levels = [0, 0, 0, 90, 91, 91, 180, 180.4, 250]
  frames = [np.full((32, 32, 3), level, np.uint8) for level in levels]
  found = talking_face.distinct(len(frames), 3, frames.__getitem__)
  assert [f[0, 0, 0] for f in found] == [0, 91, 180]
  # The first place holds 0s only; the second moves on from 0 to 90.
  frames = [frames[i] for i in (0, 0, 0, 0, 0, 3)]
  found = talking_face.distinct(len(frames), 2, frames.__getitem__)
  assert [f[0, 0, 0] for f in found] == [0, 90]


def test_short_tracks_and_folders_give_what_they_have(tmp_path):
  short = _film(tmp_path / 's.mp4', 'testsrc=s=64x64:r=5:d=1', 'sine=440:d=2')
  assert len(talking_face.read(
      _clip(short), talking_face.Wanted(8, 32))[0]) >= 4
  (tmp_path / 'c').mkdir()
  for i, level in enumerate((0, 0, 200)):
    (tmp_path / 'c' / f'{i}.png').write_bytes(
        reader.encode_png(np.full((40, 30, 3), level, np.uint8)))
  frames, voice = talking_face.read(
      _clip(tmp_path / 'c', audio=short), WANTED)
  assert [f.shape for f in frames] == [(32, 32, 3)] * 2
  assert voice.size >= 32000


@pytest.mark.parametrize('size', ['80x64', '514x514'])
def test_a_scene_without_boxes_is_refused_with_what_to_do(tmp_path, size):
  scene = _film(tmp_path / 's.mp4', f'testsrc=s={size}:d=2', 'sine=440:d=2')
  with pytest.raises(reader.MediaError) as e:
    talking_face.read(_clip(scene), WANTED)
  assert e.value.reason.startswith(f'is {size.replace("x", " x ")}, not a')
  assert boxes.NEEDED in e.value.reason


def _scene(path: pathlib.Path) -> str:
  """Black, 4 s, but for a white square of 40 that moves 1 pixel a frame."""
  return _film(
      path, "color=black:s=200x100:r=25:d=4,format=gray,geq=lum='255*"
      "between(X,N,N+39)*between(Y,30,69)'", 'sine=440:d=4', '-qp', '0')


@pytest.mark.parametrize('first', [0, 20, 1000])
def test_boxes_follow_the_face(tmp_path, first):
  scene = _scene(tmp_path / 's.mp4')
  cut = first % 1000  # 1000: numbers of a longer video this one was cut from
  (tmp_path / 's.txt').write_text('FRAME X Y W H\n' + ''.join(
      f'{first + i} {(cut + i) / 200} 0.3 0.2 0.4\n' for i in range(50)))
  frames, voice = talking_face.read(
      _clip(scene, boxes=str(tmp_path / 's.txt')),
      talking_face.Wanted(1, 32))
  assert len(frames) == 1 and frames[0].mean() > 245
  assert abs(voice.size - 32000) <= 16  # of the 50 frames


def test_boxes_of_a_track_of_voxceleb_are_those_of_its_source(good, tmp_path):
  (tmp_path / 's.txt').write_text('FRAME X Y W H\n0 0 0 4 4\n')
  clip = _clip(good, boxes=str(tmp_path / 's.txt'), fps=25.0)
  frames, _ = talking_face.read(clip, WANTED)
  np.testing.assert_array_equal(frames, reader.read_video_frames(good, 4, 32))


def test_what_is_broken_is_named(good, tmp_path):
  mute = _film(tmp_path / 'mute.mp4', 'testsrc=s=64x64:d=2', '')
  deaf = _film(tmp_path / 'deaf.m4a', '', 'sine=440:d=2')
  whole = _film(tmp_path / 'fast.mp4', 'testsrc=s=64x64:r=25:d=3',
                'sine=440:d=3', '-movflags', 'faststart')
  data = pathlib.Path(whole).read_bytes()
  (tmp_path / 'cut.mp4').write_bytes(data[:len(data) * 7 // 10])
  (tmp_path / 'text.m4a').write_text('text')
  for clip, file, reason in (
      (_clip(mute), mute, 'has no sound'), (_clip(deaf), deaf, 'no picture'),
      (_clip(tmp_path / 'cut.mp4'), 'cut.mp4', 'cannot be decoded'),
      (_clip(good, audio=str(tmp_path / 'text.m4a')), 'text.m4a', 'text'),
      (_clip(good, audio=mute), mute, 'has no sound'),
      (_clip(good, audio=str(tmp_path / 'none.m4a')), 'none.m4a', 'no such')):
    with pytest.raises(reader.MediaError, match=reason) as e:
      talking_face.read(clip, WANTED)
    assert e.value.path.endswith(file)


def test_real_tracks_and_talking_heads(tmp_path):
  root = testing.shared_dir() / 'data'
  clip = _clip(root / 'vox2_clips/pcavs_Pose_Source_620900105.mp4', fps=25.0)
  assert len(talking_face.read(clip, WANTED)[0]) == 4
  for name in ('grid_clips/GRID/bbaf2n.mpg',
               'misc_clips/video_retalking/face/5.mp4'):
    with pytest.raises(reader.MediaError, match='FRAME X Y W H'):
      talking_face.read(_clip(root / name), WANTED)
  (tmp_path / 'f.txt').write_text('Offset : \t-3\n\nFRAME X Y W H\n' + ''.join(
      f'{i} 0.30 0.25 0.40 0.5\n' for i in range(10, 70)))
  frames, voice = talking_face.read(
      _clip(root / 'grid_clips/GRID/bbaf2n.mpg',
            boxes=str(tmp_path / 'f.txt')), WANTED)
  assert len(frames) == 4 and abs(voice.size - 38400) <= 16


@pytest.mark.parametrize('size', [8, 40, 128])
def test_grey_copies_are_means_of_blocks(size):
  frame = np.random.default_rng(size).integers(
      0, 256, (size, size, 3), np.uint8)
  block = max(1, size // 16)
  side = size // block
  blocks = frame[:side * block, :side * block].reshape(
      side, block, side, block, 3)
  np.testing.assert_array_equal(
      talking_face._grey(frame),
      blocks.mean(axis=(1, 3, 4), dtype=np.float64).astype(np.float32))
