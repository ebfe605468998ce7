"""Tests of earsr_tf.durable."""

from __future__ import annotations

import hashlib
import os
import pathlib

import pytest

from earsr_tf import durable


def test_a_failed_write_leaves_the_old_file(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
  path = tmp_path / 'sub' / 'file'
  durable.write(path, b'old')

  def fail(*_: object) -> None:
    raise OSError('disk full')
  monkeypatch.setattr(os, 'replace', fail)
  with pytest.raises(OSError, match='disk full'):
    durable.write(path, b'new')
  assert path.read_bytes() == b'old'
  assert os.listdir(path.parent) == ['file']


def test_a_file_has_the_rights_that_the_user_set(
    tmp_path: pathlib.Path) -> None:
  mask = os.umask(0o027)
  try:
    durable.write(tmp_path / 'file', b'content')
  finally:
    os.umask(mask)
  assert (tmp_path / 'file').stat().st_mode & 0o777 == 0o640


def test_checksum_is_that_of_the_content(tmp_path: pathlib.Path) -> None:
  (tmp_path / 'file').write_bytes(b'abc' * 100000)
  assert durable.sha256(tmp_path / 'file') == hashlib.sha256(
      b'abc' * 100000).hexdigest()
