"""The right folder, where one too deep or too high in a tree was given."""

from __future__ import annotations

import itertools
import posixpath
import re

from earsr_tf.data import files as files_lib
from earsr_tf.data import manifest

PARTS = ('dev', 'test', '')
KINDS = ('mp4', 'frames', 'aac', 'wav', 'txt')

_TABLES = ('vox2_meta.csv', 'vox1_meta.csv', 'attributes.csv')
_DEEPEST = 4  # {dev}/{mp4}/<speaker>/<video>
_FILES_READ = 10_000  # of a folder that is no tree
_CLIP = re.compile(
    f'(?P<tree>.+?)/(?:(?:dev|test)/)?(?:{"|".join(KINDS)})/[^/]+/[^/]+/[^/]+')


def check_part(root: str, files: files_lib.Files) -> None:
  """Refuses `dev` or `test` of a tree whose other part or table is above.

  The people of the table would have no gender, and those of `test` would be
  missing: easily seen too late.

  Args:
    root: The folder that was given.
    files: Where it lies.

  Raises:
    DataError: Names the folder to give.
  """
  above, part = _above(root), _name(root)
  if part not in PARTS[:2] or not _holds_kinds(root, files):
    return
  table = [name for name in _TABLES if files.exists(f'{above}/{name}')]
  other = PARTS[1 - PARTS.index(part)]
  has_other = _holds_kinds(f'{above}/{other}', files)
  if not table and not has_other:
    return
  beside = ' and '.join(table + [other] * has_other)
  raise manifest.DataError(
      f'{root}: is one level too deep, without {beside} beside it; give '
      f'{above} (for this part alone with --subset={part}/)')


def hint(root: str, files: files_lib.Files) -> str:
  """Says which folder may be meant where one holds no clips.

  Args:
    root: The folder that was given.
    files: Where it lies.

  Returns:
    A clause such as ': is one level too deep; give TREE', or ''.
  """
  candidate, levels = root, 0
  while levels < _DEEPEST:
    candidate, levels = _above(candidate), levels + 1
    if _holds_kinds(candidate, files):
      if _name(candidate) in PARTS[:2]:
        candidate, levels = _above(candidate), levels + 1
      return f'is {_count(levels)} too deep; give {candidate}'
  try:
    for path in itertools.islice(files.walk(_plain(root), 8), _FILES_READ):
      found = _CLIP.fullmatch(path)
      if found:
        levels = found['tree'].count('/') + 1
        return (f'is {_count(levels)} too high; give '
                f'{posixpath.join(_plain(root), found["tree"])}')
  except manifest.DataError:
    pass  # a folder that cannot be listed: nothing can be said
  return ''


def _holds_kinds(root: str, files: files_lib.Files) -> bool:
  """Whether a folder, or `dev` or `test` in it, holds clips by kind."""
  places = (posixpath.join(root, part, kind)
            for part in PARTS for kind in KINDS)
  try:
    return any(path.count('/') in (2, 3)  # of a voice, or of an image
               for place in places
               for path in itertools.islice(files.walk(place, 4), 1))
  except manifest.DataError:
    return False


def _above(root: str) -> str:
  """The folder above, as near to what was typed as it goes."""
  if '://' in root:
    scheme, _, path = root.partition('://')
    return f'{scheme}://{posixpath.dirname(path.rstrip("/"))}'
  return posixpath.normpath(posixpath.join(root, '..'))


def _name(root: str) -> str:
  """What the folder itself is called, also where '.' was typed."""
  return posixpath.basename(
      _plain(root) if '://' in root else posixpath.abspath(root))


def _plain(root: str) -> str:
  """Without slashes at the end, unless that is all."""
  return root.rstrip('/') or '/'


def _count(levels: int) -> str:
  """'one level', '2 levels'."""
  return 'one level' if levels == 1 else f'{levels} levels'
