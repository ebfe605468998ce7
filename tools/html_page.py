"""The frame of the pages that tools write: one file, no script, light and dark.

A page's template begins with {% extends 'page' %} and fills the blocks `title`
and `body`, and `style` if it needs rules of its own.
"""

from __future__ import annotations

from typing import Any

import jinja2

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{% block title %}{% endblock %}</title>
<style>
:root { color-scheme: light dark; --faint: #767676; --line: #8884;
  --bar: #4a7fb5; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .6rem; }
.faint { color: var(--faint); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line);
  text-align: right; font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
figure { margin: 0; font-size: .75rem; line-height: 1.3;
  overflow-wrap: anywhere; }
figure img { width: 100%; display: block; border-radius: 3px; }
{% block style %}
{% endblock %}
</style>
</head>
<body>
{% block body %}
{% endblock %}
</body>
</html>
"""


def render(template: str, **values: Any) -> str:
  """Fills a template in; every string in `values` is escaped.

  Args:
    template: Of the page, in Jinja's language.
    **values: What it names.

  Returns:
    The whole page.

  Raises:
    jinja2.UndefinedError: If the template names something else.
  """
  environment = jinja2.Environment(
      autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
      lstrip_blocks=True, keep_trailing_newline=True,
      loader=jinja2.DictLoader({'page': _PAGE}))
  return environment.from_string(template).render(**values)
