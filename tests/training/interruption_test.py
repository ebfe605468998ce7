"""Tests of earsr_tf.training.interruption with real signals."""

from __future__ import annotations

import os
import signal

import pytest

from earsr_tf.training import interruption


@pytest.fixture(autouse=True)
def _sigint_is_heard():
  """A shell may have started the tests in the background, deaf to SIGINT."""
  before = signal.signal(signal.SIGINT, signal.default_int_handler)
  yield
  signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_is_a_wish(number: signal.Signals) -> None:
  before = signal.getsignal(number)
  with interruption.StopRequest() as stop:
    assert stop.name == ''
    os.kill(os.getpid(), number)
    assert stop.name == number.name
    assert signal.getsignal(number) == before  # a second one acts at once
  assert signal.getsignal(number) == before


def test_the_second_interrupt_acts_at_once() -> None:
  with pytest.raises(KeyboardInterrupt):
    with interruption.StopRequest():
      os.kill(os.getpid(), signal.SIGINT)
      os.kill(os.getpid(), signal.SIGINT)


def test_an_ignored_signal_stays_ignored() -> None:
  before = signal.signal(signal.SIGINT, signal.SIG_IGN)
  try:
    with interruption.StopRequest() as stop:
      os.kill(os.getpid(), signal.SIGINT)
      assert stop.name == ''
    assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
  finally:
    signal.signal(signal.SIGINT, before)
