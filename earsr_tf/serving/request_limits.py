"""Bounds of a request before any of it is parsed, and a count of answers.

An ASGI layer: what is too large is refused from its Content-Length, or where
there is none as soon as too much has come.
"""

from __future__ import annotations

from typing import Any, Awaitable, Callable

import prometheus_client
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

ANSWERS = prometheus_client.Counter(
    'earsr_answers', 'HTTP answers by status.', ['status'])
_TOO_LARGE = 413
_CLOSE = {'connection': 'close'}  # the rest of the body stays unread

_Scope = dict[str, Any]
_Receive = Callable[[], Awaitable[dict[str, Any]]]
_Send = Callable[[dict[str, Any]], Awaitable[None]]
_App = Callable[[_Scope, _Receive, _Send], Awaitable[None]]


class RequestLimits:
  """Stands before an ASGI application."""

  def __init__(self, *, app: _App, max_body_bytes: int) -> None:
    """Takes what comes next, and the greatest body of a request."""
    self._app = app
    self._max_body_bytes = max_body_bytes

  async def __call__(
      self, scope: _Scope, receive: _Receive, send: _Send) -> None:
    """Answers a request, or refuses it."""
    if scope['type'] != 'http':
      await self._app(scope, receive, send)
      return
    received = 0

    async def bounded_receive():
      """The next part of the body; HTTPException when it is too much."""
      nonlocal received
      message = await receive()
      received += len(message.get('body', b''))
      if received > self._max_body_bytes:
        raise HTTPException(_TOO_LARGE, self._reason(), _CLOSE)
      return message

    async def counted_send(message):
      """Notes the status."""
      if message['type'] == 'http.response.start':
        ANSWERS.labels(status=str(message['status'])).inc()
      await send(message)

    if _content_length(scope) > self._max_body_bytes:
      refusal = JSONResponse({'error': self._reason()}, _TOO_LARGE, _CLOSE)
      await refusal(scope, receive, counted_send)
    else:
      await self._app(scope, bounded_receive, counted_send)

  def _reason(self) -> str:
    """What is wrong with a body."""
    return (f'the request is larger than {self._max_body_bytes} bytes; send '
            'fewer or smaller files')


def _content_length(scope: _Scope) -> int:
  """What the request says of its length; 0 if it says nothing."""
  for name, value in scope['headers']:
    if name == b'content-length' and value.isdigit():
      return int(value)
  return 0
