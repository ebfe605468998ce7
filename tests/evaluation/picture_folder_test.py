"""Folders of pictures: what is read, and one sentence for what is not."""

from __future__ import annotations

import os
import pathlib

import numpy as np
from PIL import Image
import pytest

from earsr_tf.evaluation import picture_folder
from earsr_tf.media.reader import MediaError


def _write(path: pathlib.Path, level: int, height: int = 32,
           width: int = 32) -> np.ndarray:
  pixels = np.full([height, width, 3], level, np.uint8)
  path.parent.mkdir(exist_ok=True)
  Image.fromarray(pixels).save(path)
  return pixels


def _folders(base: pathlib.Path) -> tuple[str, str]:
  """Outputs and originals 'a' and 'b'."""
  for name, level in (('a', 10), ('b', 20)):
    _write(base / 'out' / f'{name}.png', level)
    _write(base / 'truth' / f'{name}.bmp', level + 1)
  return str(base / 'out'), str(base / 'truth')


def _refusal(folder: object, truth: object = None) -> tuple[int, str]:
  """Exit code and sentence."""
  with pytest.raises(MediaError) as caught:
    list(picture_folder.read_strips(str(folder)) if truth is None
         else picture_folder.read_pairs(str(folder), str(truth)))
  assert '\n' not in str(caught.value)
  return caught.value.exit_code, str(caught.value)


def test_strips_are_cut_into_tiles(tmp_path: pathlib.Path) -> None:
  tiles = [np.full([16, 16, 3], level, np.uint8) for level in (1, 2, 3, 4)]
  Image.fromarray(np.concatenate(tiles, axis=1)).save(tmp_path / 'face.png')
  (tmp_path / '.hidden').write_text('not looked at')
  (tmp_path / 'folder').mkdir()
  picture, = picture_folder.read_strips(str(tmp_path))
  assert picture.name == 'face' and list(picture.outputs) == ['c', 'h']
  np.testing.assert_array_equal(picture.truth, tiles[0])
  np.testing.assert_array_equal(picture.outputs['c'], tiles[2])
  np.testing.assert_array_equal(picture.outputs['h'], tiles[3])


def test_pairs_meet_by_name_whatever_the_ending(
    tmp_path: pathlib.Path) -> None:
  pictures = list(picture_folder.read_pairs(*_folders(tmp_path)))
  assert [p.name for p in pictures] == ['a', 'b']
  assert [p.truth[0, 0, 0] for p in pictures] == [11, 21]
  assert [p.outputs['output'][0, 0, 0] for p in pictures] == [10, 20]


def test_bad_folders_are_refused(tmp_path: pathlib.Path) -> None:
  out, _ = _folders(tmp_path)
  empty = tmp_path / 'empty'
  empty.mkdir()
  assert _refusal(tmp_path / 'absent') == (
      66, f'{tmp_path / "absent"}: no such folder; check --images')
  assert _refusal(out, tmp_path / 'absent') == (
      66, f'{tmp_path / "absent"}: no such folder; check --truth')
  code, line = _refusal(empty)
  assert code == 66 and f'{empty}: holds no pictures' in line
  code, line = _refusal(out + '/a.png')
  assert code == 65 and 'a.png: cannot be listed (Not a directory)' in line


def test_names_must_match(tmp_path: pathlib.Path) -> None:
  out, truth = _folders(tmp_path)
  _write(tmp_path / 'out' / 'c.png', 1)
  _write(tmp_path / 'out' / 'd.png', 1)
  code, line = _refusal(out, truth)
  assert code == 65 and 'c.png: has no counterpart in' in line
  assert f'{truth} (and 1 more)' in line
  code, line = _refusal(truth, out)
  assert code == 65 and 'c.png: has no counterpart in' in line
  _write(tmp_path / 'truth' / 'a.png', 1)
  code, line = _refusal(out, truth)
  assert code == 65 and 'a.png: has the same name as a.bmp' in line


def test_sizes_must_match_and_divide(tmp_path: pathlib.Path) -> None:
  out, truth = _folders(tmp_path)
  _write(tmp_path / 'truth' / 'b.bmp', 1, 32, 48)
  code, line = _refusal(out, truth)
  assert code == 65 and 'b.png: has 32x32 pixels, ' in line
  assert 'b.bmp has 48x32' in line
  for name in ('out/b.png', 'truth/b.bmp'):
    _write(tmp_path / name, 1, 32, 40)
  code, line = _refusal(out, truth)
  assert code == 65 and 'has 40x32 pixels; sides must be multiples' in line


@pytest.mark.parametrize('height, width', [(16, 48), (24, 96), (32, 32)])
def test_what_is_no_strip_is_refused_with_the_remedy(
    tmp_path: pathlib.Path, height: int, width: int) -> None:
  _write(tmp_path / 'x' / 'face.png', 1, height, width)
  code, line = _refusal(tmp_path / 'x')
  assert code == 65 and f'has {width}x{height} pixels and is no strip' in line
  assert '--truth' in line


def test_other_files_are_refused_by_name(tmp_path: pathlib.Path) -> None:
  out, truth = _folders(tmp_path)
  (tmp_path / 'out' / 'b.png').write_text('no picture')
  code, line = _refusal(out, truth)
  assert code == 65 and 'b.png: is not an image (text)' in line
  os.unlink(tmp_path / 'out' / 'b.png')
  os.mkfifo(tmp_path / 'out' / 'b.png')
  code, line = _refusal(out, truth)
  assert code == 65 and 'b.png: is not a regular file' in line
