"""Foreign sound, with limits: [n] int16 at 16 kHz, mono, or one line.

Decoded by ffmpeg in a child of its own (`child`), unless nothing is to be
decoded (`plain_wav`). Two things that people's files have are mended: lengths
that a pipe left open (`streamed_wav`), and two channels that cancel when they
are mixed.
"""

from __future__ import annotations

import os
import pathlib
import tempfile
from typing import Callable

import numpy as np

from earsr_tf.media import child
from earsr_tf.media import decoding
from earsr_tf.media import plain_wav
from earsr_tf.media import sniffing
from earsr_tf.media import streamed_wav

SAMPLE_RATE_HZ = decoding.SAMPLE_RATE_HZ
MIN_SECONDS = 1.0
SILENCE_PEAK = 10  # of 32768: -70 dB
MAX_AUDIO_BYTES = 64 << 20
MAX_VIDEO_BYTES = 512 << 20

Notice = Callable[[str], None]

# Only what is quieter than -36 dB once mixed is looked at again; channels
# cancel if one of them alone has 20 dB more.
_QUIET_PEAK = 512
_CANCELLED = 100.0


def read_audio(
    path: str | os.PathLike[str], max_seconds: float = 20.0,
    start: float = 0.0, notice: Notice | None = None) -> np.ndarray:
  """Reads the sound of an audio or video file: [n] int16, 16 kHz, mono.

  Channels are mixed. Where they cancel (a microphone wired in opposite phase),
  the louder of the two is taken. A WAV file from a pipe, which states no
  length, is read to its end.

  Args:
    path: WAV, FLAC, Ogg, MP3, AAC/M4A, AIFF, WMA, AMR, AU, CAF, or a video;
      at most 64 MB, video 512 MB.
    max_seconds: The rest is not read.
    start: Seconds to skip.
    notice: Told when one channel is taken.

  Raises:
    MediaError: If there is no sound in it or it is damaged.
  """
  check_sound(path)
  plain = None if start else plain_wav.read(path, max_seconds)
  if plain is not None:
    return plain
  with streamed_wav.completed(path) as whole:
    mixed = _decode(path, whole, max_seconds, start, channels=1)
  return uncancelled(path, mixed, max_seconds, start, notice=notice)


def read_audio_bytes(
    data: bytes, max_seconds: float = 20.0, start: float = 0.0, *,
    name: str = 'audio', notice: Notice | None = None) -> np.ndarray:
  """As `read_audio`, for a file in memory, such as the body of a request.

  Args:
    data: The file's bytes.
    max_seconds: The rest is not read.
    start: Seconds to skip.
    name: What it is called in errors and notices.
    notice: Told when one channel is taken.

  Raises:
    MediaError: If there is no sound in it or it is damaged.
  """
  with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, 'sound')
    path.write_bytes(data)
    try:
      return read_audio(
          path, max_seconds, start,
          notice and (lambda text: notice(text.replace(str(path), name))))
    except sniffing.MediaError as e:
      error = sniffing.MediaError(
          name, *e.args[1:], exit_code=e.exit_code)
  raise error


def uncancelled(
    path: str | os.PathLike[str], mixed: np.ndarray, max_seconds: float,
    start: float = 0.0, notice: Notice | None = None) -> np.ndarray:
  """Returns the mix of a file's channels, or the louder if they cancel.

  Args:
    path: The file.
    mixed: [n] int16, its channels mixed.
    max_seconds: As `mixed` was read.
    start: As `mixed` was read.
    notice: Told when one channel is taken.

  Returns:
    [n] int16.

  Raises:
    MediaError: If it is damaged.
  """
  if not mixed.size or np.abs(mixed.astype(np.int32)).max() >= _QUIET_PEAK:
    return mixed
  with streamed_wav.completed(path) as whole:
    pair = _decode(path, whole, max_seconds, start, channels=2)
  pair = pair[:pair.size // 2 * 2].reshape(-1, 2)
  powers = np.mean(np.square(pair, dtype=np.float64), axis=0)
  louder = int(np.argmax(powers))
  if powers[louder] <= _CANCELLED * max(
      1.0, np.mean(np.square(mixed, dtype=np.float64))):
    return mixed
  if notice:
    notice(f'{os.fspath(path)}: its channels cancel when they are mixed; the '
           f'{("left", "right")[louder]} one is used')
  return np.ascontiguousarray(pair[:, louder])


def check_sound(path: str | os.PathLike[str]) -> None:
  """Raises MediaError unless its first bytes and size may be of a sound."""
  kind = sniffing.sniff(path)
  if kind not in sniffing.SOUNDS + sniffing.VIDEOS:
    raise sniffing.MediaError(
        path, f'is not a sound file ({kind})',
        'give WAV, FLAC, Ogg, MP3, M4A, AIFF, WMA, AMR, AU, CAF or a video '
        'with sound')
  sniffing.check_bytes(
      path, MAX_VIDEO_BYTES if kind in sniffing.VIDEOS else MAX_AUDIO_BYTES)


def read_voice(
    path: str | os.PathLike[str], max_seconds: float = 20.0,
    start: float = 0.0) -> np.ndarray:
  """As `read_audio`, but refuses what cannot be a voice.

  Raises:
    MediaError: Also if it is shorter than a second or silent.
  """
  return check_voice(path, read_audio(path, max_seconds, start))


def check_voice(
    path: str | os.PathLike[str], samples: np.ndarray) -> np.ndarray:
  """Returns [n] int16 samples if they can be a voice, else MediaError."""
  seconds = samples.size / SAMPLE_RATE_HZ
  if seconds < MIN_SECONDS:
    raise sniffing.MediaError(
        path, f'has {seconds:.2f} s of sound',
        f'at least {MIN_SECONDS:g} s is needed')
  levels = samples.astype(np.float32)
  if np.abs(levels - levels.mean()).max() < SILENCE_PEAK:  # as in serving
    raise sniffing.MediaError(
        path, 'is silent', 'give a recording of a voice')
  return samples


def _decode(
    path: str | os.PathLike[str], whole: str, max_seconds: float,
    start: float, channels: int) -> np.ndarray:
  """[n] or [n * channels] int16 of a file whose complete copy is `whole`."""
  return decoding.to_samples(path, decoding.decode(
      path, child.Input(whole, start + max_seconds),
      decoding.sound_options(max_seconds, start=start, channels=channels),
      'no sound'))
