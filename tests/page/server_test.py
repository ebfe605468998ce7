"""The page as its visitors meet it: in a headless Chromium.

The model is a fake one whose faces tell what they were made of; what is
computed is held against it.
"""

from __future__ import annotations

import http.client
import os
import pathlib
import shutil
import socket
from typing import Any, Iterator
import urllib.parse

import numpy as np
from PIL import Image
import pytest

from earsr_tf import cli
from tests.cli import media_files
from tests.page import fake_model

pytest.importorskip(
    'gradio', reason='the extra `page` is not installed (gradio)')

from earsr_tf.page import framing
from earsr_tf.page import server

_CHROMIUM = next(filter(None, map(shutil.which, (
    'chromium', 'chromium-browser', 'google-chrome'))), None)
_WAIT_MS = 120_000
_LIMIT_MB = 1


@pytest.fixture(name='asked', scope='module')
def _asked() -> Iterator[set[str]]:
  """Names and addresses that this process asks for or connects to."""
  asked: set[str] = set()
  with pytest.MonkeyPatch.context() as patch:
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def spy_name(host: Any, *rest: Any, **options: Any) -> Any:
      asked.add(str(host))
      return look_up(host, *rest, **options)

    def spy_address(self: socket.socket, address: Any) -> None:
      if isinstance(address, tuple):
        asked.add(str(address[0]))
      connect(self, address)

    patch.setattr(socket, 'getaddrinfo', spy_name)
    patch.setattr(socket.socket, 'connect', spy_address)
    yield asked


@pytest.fixture(name='address', scope='module')
def _address(asked: set[str], tmp_path_factory: pytest.TempPathFactory
             ) -> Iterator[str]:
  """Where the page is."""
  del asked  # must watch from the start
  with pytest.MonkeyPatch.context() as patch:
    patch.setattr(framing, 'can_find', lambda: False)
    patch.setattr(os, 'environ', os.environ.copy())
    page, address = server.start(
        fake_model.FakeModel(), tmp_path_factory.mktemp('page'),
        max_upload_mb=_LIMIT_MB)
    yield address
    page.close(verbose=False)


@pytest.fixture(name='browser', scope='module')
def _browser(address: str, tmp_path_factory: pytest.TempPathFactory
             ) -> Iterator[Any]:
  """The page in Chromium, with a microphone that hums and a camera."""
  playwright = pytest.importorskip(
      'playwright.sync_api', reason='playwright is not installed')
  if _CHROMIUM is None:
    pytest.skip('there is no Chromium here')
  hum = media_files.voice(tmp_path_factory.mktemp('microphone') / 'hum.wav')
  with playwright.sync_playwright() as driver:
    chromium = driver.chromium.launch(
        executable_path=_CHROMIUM, args=[
            '--no-sandbox', '--use-fake-ui-for-media-stream',
            '--use-fake-device-for-media-stream',
            f'--use-file-for-fake-audio-capture={hum}'])
    page = chromium.new_page(viewport={'width': 1280, 'height': 1200})
    page.set_default_timeout(_WAIT_MS)
    page.hosts, page.errors = set(), []
    page.on('request', lambda request: page.hosts.add(
        urllib.parse.urlsplit(request.url).hostname))
    page.on('pageerror', lambda error: page.errors.append(str(error)))
    page.goto(address)
    page.get_by_text('It must not be used to identify anybody').wait_for()
    yield page
    chromium.close()


def _give(page: Any, part: str, *files: str) -> None:
  page.set_input_files(f'#{part} input[type=file]', list(files))


def _wait_for(page: Any, part: str, text: str) -> str:
  """What a part says once it says this."""
  found = page.locator(f'#{part}').get_by_text(text)
  found.wait_for()
  return found.inner_text()


def _downloaded(page: Any, button: str) -> np.ndarray:
  with page.expect_download() as download:
    page.click(f'#{button}')
  with Image.open(download.value.path()) as image:
    return np.asarray(image.convert('RGB'))


def _face(tmp_path: pathlib.Path) -> tuple[str, np.ndarray]:
  """A wide picture as a file, and what the model sees of its centre."""
  y, x = np.mgrid[:100, :200]
  image = np.stack([x, 2 * y, x + y // 2], -1).astype(np.uint8)
  path = tmp_path / 'wide.png'
  Image.fromarray(image).save(path)
  return str(path), fake_model.FakeModel().reduce(image[:, 50:150])


@pytest.mark.slow
def test_a_face_and_a_voice_make_a_face_that_can_be_kept(browser, tmp_path):
  face, low = _face(tmp_path)
  _give(browser, 'picture', face)
  _wait_for(browser, 'text', 'There is no voice yet')
  _give(browser, 'voice', media_files.voice(tmp_path / 'voice.wav'))
  _wait_for(browser, 'text', '3 faces in')
  browser.locator('#heard img').wait_for()
  shown = browser.locator('#tile0 img')
  assert shown.evaluate(
      'i => [i.naturalWidth, i.naturalHeight, i.complete]') == [8, 8, True]
  assert shown.evaluate(
      'i => getComputedStyle(i).imageRendering') == 'pixelated'
  assert shown.evaluate('i => i.clientWidth') > 120
  made = _downloaded(browser, 'download')
  np.testing.assert_array_equal(made[::16, ::16, :2], low[..., :2])
  assert 10 < made[0, 0, 2] < 60  # 100 times the peak of the voice
  # Without the voice's weight the blue is gone; with half as much again it is
  # half as much again.
  strength = browser.locator('#strength input[type=number]')
  for value, factor in (('1.5', 1.5), ('0', 0.0)):
    before = browser.locator('#tile4 img').get_attribute('src')
    strength.fill(value)
    strength.press('Tab')
    browser.wait_for_function(
        'before => document.querySelector("#tile4 img").src != before',
        arg=before)
    browser.wait_for_timeout(500)
    blue = int(_downloaded(browser, 'download')[0, 0, 2])
    assert abs(blue - factor * made[0, 0, 2]) <= 1
  assert _downloaded(browser, 'download_all').shape[1] > 5 * 192


@pytest.mark.slow
def test_the_frame_follows_a_click(browser, tmp_path):
  face, _ = _face(tmp_path)
  _give(browser, 'picture', face)
  _wait_for(browser, 'face_text', 'The square in the centre is framed')
  box = browser.locator('#frame img').bounding_box()
  before = browser.locator('#tile0 img').get_attribute('src')
  browser.mouse.click(box['x'] + 0.9 * box['width'],
                      box['y'] + 0.5 * box['height'])
  browser.wait_for_function(
      'before => document.querySelector("#tile0 img").src != before',
      arg=before)
  browser.wait_for_timeout(500)
  made = _downloaded(browser, 'download')
  # The right half: its first block shows columns 100 to 112.
  assert abs(int(made[0, 0, 0]) - 106) <= 1


@pytest.mark.slow
def test_a_bad_file_gets_a_sentence(browser, tmp_path):
  text = tmp_path / 'letter.png'
  text.write_text('Dear Sir or Madam')
  _give(browser, 'picture', str(text))
  _wait_for(browser, 'face_text', 'letter.png: is not an image (text)')
  browser.locator('#tile0 img').wait_for(state='detached')
  short = media_files.voice(tmp_path / 'short.wav', seconds=0.5)
  browser.locator('#voice').get_by_label('Clear', exact=True).click()
  _give(browser, 'voice', short)
  _wait_for(browser, 'voice_text', 'at least one second is needed')
  _give(browser, 'picture', _face(tmp_path)[0])
  assert _wait_for(browser, 'text', 'There is no voice yet').startswith(
      '1 face in ')


@pytest.mark.slow
def test_a_microphone_and_a_camera_serve_as_well(browser):
  browser.locator('#voice').get_by_label('Record audio').click()
  browser.locator('#voice button:visible', has_text='Record').click()
  browser.wait_for_timeout(3000)
  browser.locator('#voice button:visible', has_text='Stop').click()
  browser.locator('#heard img').wait_for()
  browser.locator('#picture').get_by_label('Remove Image').click()
  browser.locator('#picture').get_by_label('Capture from camera').click()
  browser.get_by_text('Click to Access Webcam').click()
  browser.locator('#picture').get_by_label('capture photo').click()
  _wait_for(browser, 'text', '3 faces in')
  assert browser.locator('#frame img').evaluate('i => i.naturalWidth') == 480


@pytest.mark.slow
def test_every_face_meets_every_voice(browser, tmp_path):
  browser.get_by_role('tab', name='Faces and voices').click()
  _give(browser, 'matrix_faces', *(
      media_files.face(tmp_path / f'{level}.png',
                       Image.new('RGB', (64, 64), (level, 0, 0)))
      for level in (60, 200)))
  _give(browser, 'matrix_voices', *(
      media_files.voice(tmp_path / f'{name}.wav') for name in 'abc'))
  for part in ('matrix_faces', 'matrix_voices'):
    browser.locator(f'#{part}').get_by_label('Remove this file').or_(
        browser.locator(f'#{part} tr.file')).last.wait_for()
  browser.click('#mix')
  _wait_for(browser, 'matrix_text', '6 faces in')
  sheet = _downloaded(browser, 'matrix_download')
  assert (sheet[..., 0] == 200).sum() >= 3 * 144 * 144


@pytest.mark.slow
def test_nothing_left_the_machine_and_nothing_broke(browser, asked):
  assert browser.hosts - {None} == {server.HOST}
  assert {name for name in asked if name not in (
      server.HOST, 'localhost', 'None', '')} == set()
  assert browser.errors == []


def _status(address: str, path: str, **headers: str) -> int:
  connection = http.client.HTTPConnection(
      urllib.parse.urlsplit(address).netloc, timeout=60)
  try:
    connection.request('GET', path, headers=headers)
    return connection.getresponse().status
  finally:
    connection.close()


def test_other_names_of_this_machine_are_refused(address):
  assert _status(address, '/') == 200
  assert _status(address, '/', Host='evil.example') == 400


def test_a_file_over_the_limit_is_refused(address):
  body = b'\r\n'.join((
      b'--x', b'Content-Disposition: form-data; name="files"; filename="a.png"',
      b'', bytes((_LIMIT_MB << 20) + 1), b'--x--', b''))
  connection = http.client.HTTPConnection(
      urllib.parse.urlsplit(address).netloc, timeout=60)
  try:
    connection.request('POST', '/gradio_api/upload', body, {
        'Content-Type': 'multipart/form-data; boundary=x'})
    assert connection.getresponse().status == 413
  finally:
    connection.close()


def test_a_port_in_use_is_named(tmp_path):
  with socket.socket() as taken:
    taken.bind((server.HOST, 0))
    taken.listen()
    port = taken.getsockname()[1]
    with pytest.raises(cli.InputError, match=f'--port={port}: cannot be'):
      server.start(fake_model.FakeModel(), tmp_path, port=port)
