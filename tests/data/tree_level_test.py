"""A folder one level off is named together with the right one."""

from __future__ import annotations

import pathlib

import pytest

from earsr_tf.data import clip_tree
from earsr_tf.data import files
from earsr_tf.data import manifest
from earsr_tf.data import tree_level


@pytest.fixture(name='tree')
def _tree(tmp_path: pathlib.Path) -> pathlib.Path:
  """VoxCeleb2's layout, without content, below <tmp>/far/near/TREE."""
  root = tmp_path / 'far' / 'near' / 'TREE'
  for name in ('dev/mp4/a/v/1.mp4', 'dev/aac/a/v/1.m4a', 'test/mp4/b/w/1.mp4',
               'vox2_meta.csv'):
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).touch()
  return root


def _refused(folder: pathlib.Path | str) -> str:
  with pytest.raises(manifest.DataError) as error:
    list(clip_tree.list_clips(str(folder), files.LOCAL, {}))
  return str(error.value)


def test_the_right_folder_passes(tree: pathlib.Path) -> None:
  found = list(clip_tree.list_clips(str(tree), files.LOCAL, {}))
  assert [clip.speaker for clip in found] == ['a', 'b']


@pytest.mark.parametrize('part, other', [('dev', 'test'), ('test', 'dev')])
def test_a_part_with_more_beside_it(
    tree: pathlib.Path, part: str, other: str) -> None:
  for name in (f'{tree}/{part}', f'{tree}/{part}/'):
    assert _refused(name) == (
        f'{name}: is one level too deep, without vox2_meta.csv and {other} '
        f'beside it; give {tree} (for this part alone with --subset={part}/)')


def test_a_part_alone_is_taken(tree: pathlib.Path) -> None:
  (tree / 'vox2_meta.csv').unlink()
  assert 'deep, without test beside it' in _refused(tree / 'dev')
  (tree / 'test/mp4/b/w/1.mp4').unlink()
  found = list(clip_tree.list_clips(f'{tree}/dev', files.LOCAL, {}))
  assert [clip.speaker for clip in found] == ['a']


@pytest.mark.parametrize('below, levels', [
    ('dev/mp4', '2 levels'), ('dev/mp4/', '2 levels'),
    ('dev/aac/a', '3 levels'), ('dev/mp4/a/v', '4 levels')])
def test_too_deep(tree: pathlib.Path, below: str, levels: str) -> None:
  assert _refused(f'{tree}/{below}') == (
      f'{tree}/{below}: no clips found: is {levels} too deep; give {tree}')


def test_too_deep_in_a_tree_without_parts(tmp_path: pathlib.Path) -> None:
  (tmp_path / 'mp4/a/v').mkdir(parents=True)
  (tmp_path / 'mp4/a/v/1.mp4').touch()
  assert _refused(tmp_path / 'mp4').endswith(
      f'is one level too deep; give {tmp_path}')


def test_relative_names_stay_relative(
    tree: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.chdir(tree)
  assert _refused('dev/mp4').endswith('is 2 levels too deep; give .')
  assert 'give . (for this part' in _refused('dev')
  monkeypatch.chdir(tree / 'dev')
  assert _refused('mp4').endswith('is 2 levels too deep; give ..')
  assert 'give .. (for this part alone with --subset=dev/)' in _refused('.')


@pytest.mark.parametrize('above, levels', [(1, 'one level'), (2, '2 levels')])
def test_too_high(tree: pathlib.Path, above: int, levels: str) -> None:
  folder = tree.parents[above - 1]
  assert _refused(folder) == (
      f'{folder}: no clips found: is {levels} too high; give {tree}')


def test_what_is_no_tree_is_not_guessed_at(tmp_path: pathlib.Path) -> None:
  (tmp_path / 'x/y/z/w').mkdir(parents=True)
  (tmp_path / 'x/y/z/w/v.mp4').touch()
  assert 'expected {dev,test}/mp4/' in _refused(tmp_path)
  assert tree_level.hint(str(tmp_path / 'absent'), files.LOCAL) == ''
