"""Starts the page: on this machine only, and nothing is told to anybody."""

from __future__ import annotations

import os
import pathlib
import socket

from earsr_tf import cli
from earsr_tf import environment
from earsr_tf import trained_model
from earsr_tf.page import answers as answers_lib

HOST = '127.0.0.1'
# Read by gradio and by the client of a hub that it imports, when imported.
_OFFLINE = {
    'GRADIO_ANALYTICS_ENABLED': 'False', 'HF_HUB_OFFLINE': '1',
    'HF_HUB_DISABLE_TELEMETRY': '1'}
_WAITING = 16  # answers that wait for their turn
_VISITORS = 8  # whose pictures are kept in memory


def start(model: trained_model.TrainedModel, folder: pathlib.Path, *,
          port: int = 0, max_upload_mb: int = 64) -> tuple[object, str]:
  """Starts the page in threads of its own.

  Args:
    model: The model; it is loaded and asked once before the page is there.
    folder: For uploads and what can be downloaded; the caller removes it.
    port: TCP port; 0: any free one.
    max_upload_mb: Greater files are refused by the page, in MB.

  Returns:
    gradio's page, which has `close`, and its address.

  Raises:
    InputError: If the port cannot be used.
    ExportError: If the model is damaged.
  """
  port = _free(port)
  os.environ.update(_OFFLINE, GRADIO_TEMP_DIR=str(folder))
  environment.load_tensorflow()
  from starlette import middleware
  from starlette.middleware import trustedhost

  from earsr_tf.page import layout
  _warm_up(model)
  answers = answers_lib.Answers(model=model, folder=folder)
  page = layout.build(answers, _about(model))
  page.queue(max_size=_WAITING, default_concurrency_limit=1, api_open=False)
  # Other names for this address are what a foreign site would come by.
  guard = middleware.Middleware(
      trustedhost.TrustedHostMiddleware, allowed_hosts=[HOST, 'localhost'])
  _, address, _ = page.launch(
      server_name=HOST, server_port=port, share=False, inbrowser=False,
      quiet=True, prevent_thread_lock=True, max_file_size=max_upload_mb << 20,
      app_kwargs={'middleware': [guard]}, footer_links=[], run_history=False,
      ssr_mode=False, pwa=False, mcp_server=False, enable_monitoring=False,
      state_session_capacity=_VISITORS, css=layout.STYLE,
      theme=layout.theme())
  return page, address


def _free(port: int) -> int:
  """A port that nobody listens on."""
  with socket.socket() as probe:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
      probe.bind((HOST, port))
    except OSError as error:
      raise cli.InputError(
          f'--port={port}: cannot be listened on ({error.strerror}); name '
          'another', cli.USAGE) from None
    return probe.getsockname()[1]


def _warm_up(model: trained_model.TrainedModel) -> None:
  """Loads the weights; the first visitor need not wait for that."""
  import numpy as np

  from earsr_tf import comparison
  random = np.random.default_rng(0)
  low = model.reduce(
      random.integers(0, 256, (128, 128, 3), np.uint8), cli.notice)
  voice = random.uniform(-0.1, 0.1, 64_000).astype(np.float32)
  comparison.compare(model, low, voice)


def _about(model: trained_model.TrainedModel) -> str:
  """Which model it is."""
  facts = model.facts
  return ('Model: version {}, preset {}, trained on {}, exported {}. A model '
          'makes people as it has seen them: one that saw synthetic people '
          'makes synthetic faces.').format(
              model.version.name, facts.get('preset', '?'),
              facts.get('dataset', '?'), str(facts.get('date', '?'))[:10])
