"""HDR (PQ, HLG) of foreign videos and pictures: made SDR, or refused.

Decoded as if it were SDR, an HDR video is grey and flat: a white of 203 cd/m2
(BT.2408) comes out as level 146. Here that white becomes 231, what is darker
than 190 stays as it is, and highlights above are pressed together.
"""

from __future__ import annotations

import os
import struct

from earsr_tf.media import child
from earsr_tf.media import sniffing

_NAMES = {16: 'PQ', 18: 'HLG'}  # ITU-T H.273
_COLOUR = b'colrnclx'  # then primaries and transfer, 16 bits each
_CAN_BE_HDR = (  # codecs with 10 bits, as MP4 and Matroska name them
    b'hvc1', b'hev1', b'dvh1', b'dvhe', b'av01', b'vp09', b'V_MPEGH',
    b'V_AV1', b'V_VP9', b'apch', b'apcn', b'ap4h')
_GAIN_MAP = b'tmap'  # a picture of today's phones: SDR, and what makes it HDR
_LOOKED_AT = 1 << 20  # bytes at the beginning and at the end
_TO_SDR = (
    'zscale=t=linear:npl=203,format=gbrpf32le,zscale=p=bt709,'
    'tonemap=mobius:param=0.6:desat=0,'
    'zscale=t=bt709:m=bt709:r=tv,format=yuv420p,')


def to_sdr(path: str | os.PathLike[str]) -> str:
  """ffmpeg's filters that make a video SDR; '' if it is.

  The file's own bytes tell whether its codec can carry HDR at all; only then
  ffmpeg is asked.

  Args:
    path: A video.

  Returns:
    Filters, with a comma behind the last.
  """
  if not any(name in _ends(path) for name in _CAN_BE_HDR):
    return ''
  try:  # as MP4, whose header names the transfer wherever ffmpeg found it
    [header] = child.run([child.Input(os.fspath(path), 30.0)], [(
        '-map', '0:v:0', '-c:v', 'copy', '-frames:v', '1', '-f', 'mp4',
        '-movflags', 'frag_keyframe+empty_moov')])
  except child.ChildError:  # what is wrong with it is told where it is decoded
    return ''
  return _TO_SDR if _transfer(bytes(header)) in _NAMES else ''


def check_picture(path: str | os.PathLike[str], kind: str, data: bytes) -> None:
  """Refuses HDR pictures, which Pillow would decode as if they were SDR.

  Args:
    path: The picture.
    kind: What it is; only HEIC and AVIF can be HDR.
    data: Its bytes.

  Raises:
    MediaError: If it is PQ or HLG.
  """
  head = data[:_LOOKED_AT]
  name = _NAMES.get(_transfer(head))
  if kind in ('HEIC', 'AVIF') and name and _GAIN_MAP not in head:
    raise sniffing.MediaError(
        path, f'is an HDR picture ({name})', 'save it as JPEG')


def _transfer(data: bytes) -> int:
  """H.273's number of the transfer that a header names; 0 if it names none."""
  at = data.find(_COLOUR)
  if at < 0 or len(data) < at + len(_COLOUR) + 4:
    return 0
  return struct.unpack_from('>H', data, at + len(_COLOUR) + 2)[0]


def _ends(path: str | os.PathLike[str]) -> bytes:
  """The first and the last bytes of a file, where headers are."""
  with open(path, 'rb') as file:
    head = file.read(_LOOKED_AT)
    file.seek(max(0, os.stat(path).st_size - _LOOKED_AT))
    return head + file.read(_LOOKED_AT)
