"""The pages lead somewhere: links, anchors, files, modules; no page is lost."""

from __future__ import annotations

import importlib.util
import pathlib
import re

import pytest

from tests import testing

DOCS = testing.ROOT / 'docs'
PAGES = sorted(DOCS.glob('*.md'))
_LINK = re.compile(r'\]\(([^)\s]+)\)')
_HEADING = re.compile(r'^#+ (.*)$', re.MULTILINE)
_FENCE = re.compile(r'^```.*?^```', re.MULTILINE | re.DOTALL)


def _anchors(page: pathlib.Path) -> set[str]:
  """What headings are called in links, as GitHub does."""
  text = _FENCE.sub('', page.read_text(encoding='utf-8'))
  return {
      re.sub(r'[^\w\- ]', '', heading.lower()).replace(' ', '-')
      for heading in _HEADING.findall(text)}


def _broken(page: pathlib.Path) -> list[str]:
  """The links of a page that lead nowhere."""
  found = []
  for link in _LINK.findall(page.read_text(encoding='utf-8')):
    if '://' in link:
      continue
    path, _, anchor = link.partition('#')
    target = page.parent / path if path else page
    if not target.exists() or anchor and anchor not in _anchors(target):
      found.append(link)
  return found


@pytest.mark.parametrize(
    'page', [*PAGES, testing.ROOT / 'README.md'], ids=lambda path: path.name)
def test_links_lead_somewhere(page: pathlib.Path) -> None:
  assert not _broken(page)


def test_a_broken_link_is_seen(tmp_path: pathlib.Path) -> None:
  page = tmp_path / 'page.md'
  page.write_text(
      '# A `b` & c\n```\n# no heading\n```\n[x](#a-b--c) [y](page.md) '
      '[z](https://example.org/z) [u](no.md) [v](#no-heading)\n')
  assert _broken(page) == ['no.md', '#no-heading']


def test_every_page_is_reached_from_the_index() -> None:
  reached, waiting = set(), [DOCS / 'index.md']
  while waiting:
    page = waiting.pop()
    if page not in reached:
      reached.add(page)
      links = _LINK.findall(page.read_text(encoding='utf-8'))
      paths = {DOCS / link.partition('#')[0] for link in links}
      waiting += [path for path in paths if path in PAGES]
  assert set(PAGES) - reached == set()


def _is_module(name: str) -> bool:
  try:
    return importlib.util.find_spec(name) is not None
  except ModuleNotFoundError:
    return False


@pytest.mark.parametrize('page', PAGES, ids=lambda path: path.name)
def test_commands_name_modules(page: pathlib.Path) -> None:
  named = set(re.findall(
      r'python -m ([\w.]+\w)', page.read_text(encoding='utf-8')))
  assert [name for name in sorted(named) if not _is_module(name)] == []


@pytest.mark.parametrize('page', PAGES, ids=lambda path: path.name)
def test_named_source_files_exist(page: pathlib.Path) -> None:
  files = [
      path.relative_to(testing.ROOT).as_posix()
      for folder in ('earsr_tf', 'pipelines', 'tools', 'tests', 'docs')
      for path in (testing.ROOT / folder).rglob('*.py')]
  named = set(re.findall(
      r'`([\w/]+\.py)`', page.read_text(encoding='utf-8')))
  assert [name for name in sorted(named) if not any(
      f'/{file}'.endswith(f'/{name}') for file in files)] == []
