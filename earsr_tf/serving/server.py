"""An HTTP server of TensorFlow Serving's REST shape, on kserve and uvicorn.

kserve's V1 routes, data plane and metrics. Its ModelServer around them is not
used: it listens on all addresses, and has V2 routes by which any client loads
and unloads models.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import logging
import signal
import socket
from typing import Any, Awaitable, Callable, Iterator, Mapping
import warnings

import fastapi
import kserve
from kserve.errors import InvalidInput
from kserve.errors import ModelNotFound
from kserve.protocol.dataplane import DataPlane
from kserve.protocol.rest.server import metrics_handler
from kserve.protocol.rest.v1_endpoints import register_v1_endpoints
import orjson
import prometheus_client
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
import tensorflow as tf
import uvicorn

from earsr_tf.serving import json_tensors
from earsr_tf.serving import refusal
from earsr_tf.serving import request_limits
from earsr_tf.serving import version_choice

THREADS = 32  # requests in work; more wait
_MAX_CONNECTIONS = 256  # beyond these: 503 at once
_BUSY = 503
_Handler = Callable[[fastapi.Request, Exception], Awaitable[JSONResponse]]

_VERSION = prometheus_client.Gauge(
    'earsr_model_version', 'Number of the version that is served.')


class ServedVersions(kserve.Model):
  """What kserve's routes call: the version in use, in a pool of threads."""

  def __init__(
      self, *, name: str, choice: version_choice.VersionChoice) -> None:
    """Takes the model's name in addresses, and the versions."""
    super().__init__(name)
    self._choice = choice
    self._pool = concurrent.futures.ThreadPoolExecutor(THREADS)
    self.ready = True
    _VERSION.set_function(self._number)

  async def predict(
      self, payload: Any, headers: Mapping[str, str] | None = None
  ) -> dict[str, Any]:
    """Answers the body of a :predict request.

    Args:
      payload: Parsed JSON, or the body where its type was not called JSON.
      headers: Of the request; not used.

    Returns:
      {'predictions': ...} or {'outputs': ...}.

    Raises:
      InvalidInput: If the request does not fit, or the graph refuses it.
      HTTPException: 503 if too many requests wait.
    """
    return await asyncio.get_running_loop().run_in_executor(
        self._pool, self._answer, payload)

  def _answer(self, payload: Any) -> dict[str, Any]:
    """See `predict`; runs in a thread."""
    version = self._choice.current
    try:
      if isinstance(payload, bytes):
        payload = orjson.loads(payload)
      signature, inputs, in_rows = json_tensors.read_request(
          payload, version.inputs)
      return json_tensors.answer(version.call(signature, inputs), in_rows)
    except orjson.JSONDecodeError as error:
      raise InvalidInput(f'the body is no JSON: {error}') from None
    except json_tensors.RequestError as error:
      raise InvalidInput(str(error)) from None
    except tf.errors.InvalidArgumentError as error:
      raise InvalidInput(refusal.sentence(error)) from None
    except UnicodeDecodeError:  # TensorFlow quotes bytes of a damaged file
      raise InvalidInput('a file or an example is damaged') from None
    except tf.errors.UnavailableError:
      raise HTTPException(_BUSY, 'too many requests wait; try later') from None

  def _number(self) -> float:
    """The version's number, NaN if its folder has none."""
    name = self._choice.current.folder.name
    return float(name) if name.isdigit() else float('nan')


def application(
    model: ServedVersions, max_body_bytes: int
) -> request_limits.RequestLimits:
  """Routes: /, /metrics, /v1/models, /v1/models/NAME and NAME:predict.

  Args:
    model: What is served.
    max_body_bytes: Greater requests are refused.

  Returns:
    The ASGI application.
  """
  registry = kserve.ModelRepository()
  registry.update(model)
  plane = DataPlane(model_registry=registry)
  app = fastapi.FastAPI(
      title='earsr_tf', docs_url=None, redoc_url=None, openapi_url=None)
  app.add_api_route('/', plane.live, methods=['GET'])
  app.add_api_route('/metrics', metrics_handler, methods=['GET'])
  register_v1_endpoints(app, plane, None)
  for kind, status in ((InvalidInput, 400), (ModelNotFound, 404)):
    app.add_exception_handler(kind, _handler(status))
  app.add_exception_handler(HTTPException, _http_error)
  return request_limits.RequestLimits(app=app, max_body_bytes=max_body_bytes)


def serve(app: request_limits.RequestLimits, listener: socket.socket,
          grace_seconds: int) -> None:
  """Serves until SIGTERM or SIGINT, then answers what is in work.

  Args:
    app: See `application`.
    listener: Bound and listening.
    grace_seconds: How long requests in work may take after the signal.
  """
  # kserve's answers are of a class that FastAPI would like to see replaced.
  warnings.filterwarnings('ignore', message='ORJSONResponse is deprecated')
  for name in ('uvicorn', 'kserve', 'kserve.trace'):
    logging.getLogger(name).setLevel(logging.WARNING)
  server = uvicorn.Server(uvicorn.Config(
      app, log_config=None, access_log=False, loop='asyncio',
      lifespan='off', limit_concurrency=_MAX_CONNECTIONS,
      timeout_graceful_shutdown=grace_seconds))
  with _signals_that_end_quietly():
    server.run(sockets=[listener])


@contextlib.contextmanager
def _signals_that_end_quietly() -> Iterator[None]:
  """uvicorn sends itself the signal again once it has stopped."""
  old = {number: signal.signal(number, lambda *_: None)
         for number in (signal.SIGTERM, signal.SIGINT)}
  try:
    yield
  finally:
    for number, handler in old.items():
      signal.signal(number, handler)


def _handler(status: int) -> _Handler:
  """An exception handler: {'error': sentence} under a status."""
  async def handle(_, error):
    return JSONResponse({'error': str(error)}, status)
  return handle


async def _http_error(
    _: fastapi.Request, error: HTTPException) -> JSONResponse:
  """As `_handler`, for errors that know their status."""
  return JSONResponse(
      {'error': str(error.detail)}, error.status_code, error.headers)
