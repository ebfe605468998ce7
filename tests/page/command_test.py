"""python -m earsr_tf.page: starts, says where, ends cleanly, or a sentence."""

from __future__ import annotations

import os
import pathlib
import re
import signal
import tempfile
import threading
import time
import urllib.request

import pytest

from earsr_tf import cli
from earsr_tf import environment
from earsr_tf import trained_model
from earsr_tf.page import __main__ as command
from tests.page import fake_model


def test_without_gradio_it_says_what_to_install(monkeypatch):
  monkeypatch.setattr(environment, 'missing', lambda packages: ['gradio'])
  with pytest.raises(cli.InputError, match='needs gradio; run: pip install'):
    command.run('absent')


def test_a_missing_model_is_named(monkeypatch):
  monkeypatch.setattr(environment, 'missing', lambda packages: [])
  with pytest.raises(ValueError, match='absent: no such folder'):
    command.run('absent')


def test_it_shows_the_page_until_a_signal_and_leaves_nothing(
    monkeypatch, tmp_path, capsys):
  pytest.importorskip('gradio', reason='the extra `page` is not installed')
  monkeypatch.setattr(trained_model, 'load', lambda _: fake_model.FakeModel())
  monkeypatch.setattr(tempfile, 'tempdir', str(tmp_path))
  monkeypatch.setattr(os, 'environ', os.environ.copy())
  said, seen = [], []

  def visit() -> None:
    """Waits for the address, looks at the page and ends it."""
    while not said:
      time.sleep(0.1)
    [address] = re.findall(r'http://127\.0\.0\.1:\d+/', said[0])
    with urllib.request.urlopen(address, timeout=60) as answer:
      seen.append(answer.read())
    seen.append(sorted(p.name[:11] for p in tmp_path.iterdir()))
    os.kill(os.getpid(), signal.SIGTERM)
  monkeypatch.setattr(
      'builtins.print', lambda *words, **options: said.append(words[0]))
  before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
  visitor = threading.Thread(target=visit)
  visitor.start()
  try:
    command.run('models', port=0)
  finally:
    visitor.join()
    for number, handler in before.items():
      signal.signal(number, handler)
  assert f'shows {pathlib.Path("models", "7")}; Ctrl-C ends it' in said[0]
  assert b'An ear for faces' in seen[0]
  assert 'earsr_page_' in seen[1] and not list(tmp_path.glob('earsr_page_*'))
