"""What --data_dir means, and what does not go together."""

from __future__ import annotations

import pathlib

import pytest

from earsr_tf import config as config_lib
from earsr_tf.data import manifest
from earsr_tf.data import mixture


def _folder(path: pathlib.Path, size: int = 16, **speakers: list[str]) -> str:
  """A manifest and a shard that nobody reads."""
  path.mkdir(parents=True)
  (path / 'd_pre-0.tfrecord').write_bytes(b'x')
  shard = {'file': 'd_pre-0.tfrecord', 'records': 1, 'bytes': 1, 'sha256': '0'}
  names = sorted({n for v in speakers.values() for n in v})
  manifest.write_manifest(str(path), {
      'dataset': 'fake', 'preprocess': path.name, 'image_size': size,
      'frames_per_clip': 3, 'splits': {'d_pre': [shard]}, 'speakers': speakers,
      'all_speakers': names, 'rejected': 0})
  return str(path)


@pytest.mark.parametrize('text, stage, expected', [
    ('data', 'audio', {'data': 1000}),
    ('a:1,b:1', 'audio', {'a': 1000, 'b': 1000}),
    ('a,b:0.25', 'audio', {'a': 1000, 'b': 250}),
    ('generator=a:2,b:1', 'generator', {'a': 2000, 'b': 1000}),
    ('a:1,b:1;audio+fusion=b', 'fusion', {'b': 1000}),
    ('audio+fusion=b;a:1,b:1', 'low_res', {'a': 1000, 'b': 1000}),
    ('x=y/data:3', 'audio', {'x=y/data': 3000})])
def test_what_a_flag_means(text, stage, expected):
  assert mixture.parse(text, stage) == expected
  assert set(expected) <= set(mixture.named(text))


def test_a_folder_that_exists_is_itself(tmp_path, monkeypatch):
  monkeypatch.chdir(tmp_path)
  _folder(tmp_path / 'a:1,b=c')
  assert mixture.parse('a:1,b=c', 'audio') == {'a:1,b=c': 1000}
  assert mixture.named('a:1,b=c') == ('a:1,b=c',)


@pytest.mark.parametrize('text, reason', [
    ('a:0,b:1', "'a:0' is not a folder with a weight above 0"),
    ('a,,b', "'' is not a folder"),
    ('a,a:2', 'named once'),
    ('generator=a', "names no folder for stage audio; add ';audio=FOLDER'"),
    ('a;b', 'names folders for other stages twice'),
    ('audio=a;audio+fusion=b', 'names folders for audio twice')])
def test_what_makes_no_sense_is_said(text, reason):
  with pytest.raises(config_lib.ConfigError, match=reason):
    mixture.parse(text, 'audio')


def test_weights_are_whole_and_speakers_are_one(tmp_path):
  a = _folder(tmp_path / 'a', d_pre=['x', 'z'])
  b = _folder(tmp_path / 'b', d_pre=['y', 'z'])
  one = mixture.read(f'{a}:0.5,{b}:1.5', 'audio')
  assert one.weights == (1, 3) and one.all_speakers == ('x', 'y', 'z')
  assert one.sha256 != mixture.read(f'{a}:1,{b}:1', 'audio').sha256
  sole = mixture.read(f'{a},{b};audio={a}', 'audio')
  assert sole.sha256 == manifest.read_manifest(a).sha256
  assert sole.known == one.known and len(one.known) == 2
  assert mixture.of(a).known == {sole.sha256}
  with pytest.raises(config_lib.ConfigError, match='too far apart'):
    mixture.read(f'{a}:0.001,{b}:200.001', 'audio')


def test_what_does_not_go_together_is_named(tmp_path):
  a = _folder(tmp_path / 'a', d_pre=['x'], open_test=['y'])
  with pytest.raises(manifest.DataError, match='32 pixels, those of .* 16;'):
    mixture.read(f'{a},{_folder(tmp_path / "b", 32)}', 'audio')
  other = _folder(tmp_path / 'c', d_rest=['y'])
  with pytest.raises(manifest.DataError, match='1 people, such as y, are kept'):
    mixture.read(f'{other},{a}', 'audio')
  with pytest.raises(manifest.MissingDataError, match='nowhere'):
    mixture.read(f'{a},{tmp_path}/nowhere', 'audio')
