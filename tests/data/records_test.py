"""A record goes in and comes out, outside and inside a graph."""

from __future__ import annotations

import dataclasses
import math

import pytest
import tensorflow as tf

from earsr_tf.data import keys
from earsr_tf.data import records

RECORD = records.ClipRecord(
    speaker='id1', video='-x_Y', clip='00001', split='d_pre', gender=-1,
    age=31.5, frames=(b'one', b'two'), voice=b'wave')


def test_decode_inverts_encode():
  assert records.decode(records.encode(RECORD)) == RECORD


def test_the_same_record_gives_the_same_bytes():
  assert records.encode(RECORD) == records.encode(RECORD)
  other = dataclasses.replace(RECORD, frames=(b'one',))
  assert records.encode(RECORD) != records.encode(other)


def test_parse_gives_what_is_asked_for_and_nothing_else():
  serialized = tf.constant(records.encode(RECORD))
  assert set(records.parse(serialized, [keys.IMAGE_HIGH])) == {records.FRAMES}
  assert set(records.parse(serialized, [keys.WAVEFORM])) == {records.VOICE}
  assert records.parse(serialized, [keys.INDEX]) == {}
  found = tf.function(lambda s: records.parse(s, keys.ALL))(serialized)
  assert found[records.FRAMES].numpy().tolist() == [b'one', b'two']
  assert found[records.VOICE].numpy() == b'wave'
  assert found[keys.SPEAKER].numpy() == b'id1'
  assert found[keys.CLIP].numpy() == b'id1/-x_Y/00001'
  assert found[keys.GENDER].numpy() == -1
  assert found[keys.GENDER].dtype == tf.int32
  assert found[keys.AGE].numpy() == 31.5


def test_unknown_age_stays_unknown():
  record = dataclasses.replace(RECORD, age=math.nan)
  assert math.isnan(records.decode(records.encode(record)).age)


def test_wrong_use_is_refused():
  with pytest.raises(ValueError, match='at least one frame'):
    records.encode(dataclasses.replace(RECORD, frames=()))
  with pytest.raises(ValueError, match="unknown input 'image'"):
    records.parse(tf.constant(b''), ['image'])
