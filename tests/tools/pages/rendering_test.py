"""Templates are filled in, with every string escaped."""

from __future__ import annotations

import pathlib
import re

import jinja2
import markupsafe
import pytest

from tools import pages
from tools.pages import rendering

TEMPLATES = pathlib.Path(pages.__file__).parent / 'templates'


def test_strings_are_escaped_and_markup_is_not() -> None:
  item = {'name': '<b>"x"</b>', 'problems': ['<i>'], 'figures': [],
          'text': markupsafe.Markup('<p>y</p>')}
  part = rendering.render('evaluation.html', item=item)
  assert '&lt;b&gt;&#34;x&#34;&lt;/b&gt;' in part and '<p>&lt;i&gt;</p>' in part
  assert '<p>y</p>' in part


def test_a_name_that_is_missing_is_an_error() -> None:
  with pytest.raises(jinja2.UndefinedError, match='item'):
    rendering.render('evaluation.html')


def test_pages_need_nothing_from_elsewhere_and_know_the_dark() -> None:
  for path in TEMPLATES.glob('*.html'):
    text = path.read_text('utf-8')
    assert not re.search(r'<script|https?:|@import|\|\s*safe', text), path
  page = (TEMPLATES / 'page.html').read_text('utf-8')
  light, dark = page.split('prefers-color-scheme: dark')
  for name in ('--faint', '--bar', '--bad'):
    assert f'{name}: #' in light and f'{name}: #' in dark.partition('body')[0]
