"""Pages that tools write: one file, no script, nothing from elsewhere.

A template of templates/ extends page.html, which is readable in light and dark,
and fills its blocks `title` and `body`, and `style` if it needs rules of its
own.
"""

from __future__ import annotations

from typing import Any

import jinja2


def render(name: str, **values: Any) -> str:
  """Fills a template in; every string in `values` is escaped.

  Args:
    name: Of the template, such as 'run.html'.
    **values: What it names; `markupsafe.Markup` stands as it is.

  Returns:
    The whole page.

  Raises:
    jinja2.UndefinedError: If the template names something else.
  """
  environment = jinja2.Environment(
      autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True,
      lstrip_blocks=True, keep_trailing_newline=True,
      loader=jinja2.PackageLoader('tools.pages'))
  environment.filters['thousands'] = '{:,}'.format
  return environment.get_template(name).render(**values)
