"""The data suite of tools/benchmark: prepare, tf.data, memory."""

from __future__ import annotations

from concurrent import futures
import contextlib
import functools
import logging
import multiprocessing
import os
import pathlib
import re
import subprocess
import tempfile
from typing import Any, Callable, Iterator
from unittest import mock

from tools.benchmark import measurement

PARTS = ('prepare', 'records', 'memory')

_CLIPS_PER_S = 1000  # the target, on two cores
_BATCH, _BATCHES = 32, 12
_PLANNED = (1_000, 10_000)
_STUB_BYTES = 100_000


def measure(options: measurement.Options) -> Iterator[measurement.Row]:
  """Measures the parts that are asked for; yields rows as they are known.

  Args:
    options: What to measure, and how often.
  """
  parts = options.parts or PARTS
  with tempfile.TemporaryDirectory() as scratch:
    if {'prepare', 'records'} & set(parts):
      _quieten()
      tree = options.input or _make_tree(f'{scratch}/tree')
      data = f'{scratch}/data'
      commands = _prepare_once(tree, data)
      if 'prepare' in parts:
        yield from _prepare_rows(tree, scratch, commands, options.rounds)
      if 'records' in parts:
        yield from _record_rows(data, options.rounds)
  if 'memory' in parts:
    yield from _memory_rows()


def _make_tree(folder: str) -> str:
  """A small SyntheticVox."""
  from earsr_tf.data.datasets import synthetic
  synthetic.make_tree(folder, speakers=16, seed=1)
  return folder


def _quieten() -> None:
  """Loads TensorFlow; Beam keeps to itself what is not installed."""
  from earsr_tf import environment
  environment.load_tensorflow()
  logging.getLogger('apache_beam').setLevel(logging.ERROR)


def _ingest(
    tree: str, output: str, workers: int, subset: tuple[str, ...] = ()) -> int:
  """Prepares a tree; returns the number of clips."""
  from pipelines.ingest import prepare
  manifest = prepare.run(tree, output, options=prepare.Options(
      workers=workers, overwrite=True, min_frames_per_speaker=0,
      subset=subset))
  return manifest.rejected + sum(
      s.records for split in manifest.splits.values() for s in split)


@contextlib.contextmanager
def _recorded(commands: list[list[str]]) -> Iterator[None]:
  """Notes the command of every child that is started."""
  original = subprocess.Popen

  @functools.wraps(original)
  def popen(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """Notes the command, then starts it."""
    commands.append(list(command))
    return original(command, **options)

  with mock.patch.object(subprocess, 'Popen', popen):
    yield


def _prepare_once(tree: str, output: str) -> list[list[str]]:
  """Prepares a tree; returns the ffmpeg commands that this took."""
  commands = []
  with _recorded(commands):
    _ingest(tree, output, 1)
  # What a child writes to its other pipes goes to stdout, and from there away.
  return [[re.sub(r'^pipe:\d+$', 'pipe:1', word) for word in command]
          for command in commands if 'ffmpeg' in os.path.basename(command[0])]


def _prepare_rows(
    tree: str, scratch: str, commands: list[list[str]], rounds: int
) -> list[measurement.Row]:
  """Prepare against the same ffmpeg commands with nothing around them."""
  paths = sorted(pathlib.Path(tree).rglob('*.mp4'))
  clips = len(paths)

  def ffmpeg(workers: int) -> int:
    """Runs all commands; returns the number of clips."""
    with futures.ThreadPoolExecutor(workers) as pool:
      list(pool.map(lambda command: subprocess.run(
          command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
          stderr=subprocess.DEVNULL, check=False), commands))
    return clips

  prepare = functools.partial(_ingest, tree, f'{scratch}/again')
  rates = measurement.rounds({
      'start': lambda: prepare(
          1, (paths[0].relative_to(tree).as_posix(),)),
      **{f'{name} {workers}': functools.partial(case, workers)
         for workers in (1, 2) for name, case in (
             ('bare', ffmpeg), ('prepare', prepare))}}, rounds)
  start = rates['start']
  row = measurement.Row
  rows = [row('prepare, a run of one clip', 1 / start.wall, 's')]
  for workers in (1, 2):
    bare, rate = rates[f'bare {workers}'], rates[f'prepare {workers}']
    plural = f'{workers} worker{"s"[:workers > 1]}'
    rows += [
        row(f'ffmpeg alone, {plural}', bare.wall, 'clips/s',
            per_core=bare.per_core),
        row(f'prepare, {plural}', rate.wall, 'clips/s',
            per_core=rate.per_core),
        row(f'prepare / ffmpeg alone, {plural}', rate.wall / bare.wall, 'x',
            '>= 0.8', rate.per_core / bare.per_core),
        row(f'the same for each more clip, {plural}',
            _marginal(clips, rate.wall, start.wall) / bare.wall, 'x', '>= 0.8',
            _marginal(clips, rate.per_core, start.per_core) / bare.per_core)]
  rows.append(row('prepare, 2 workers / 1 worker',
                  rates['prepare 2'].wall / rates['prepare 1'].wall, 'x'))
  return rows


def _marginal(clips: int, rate: float, start: float) -> float:
  """Clips/s once a run has begun.

  Args:
    clips: Clips of a run.
    rate: Its clips/s.
    start: Those of a run of one clip.
  """
  return (clips - 1) / (clips / rate - 1 / start)


def _record_rows(data: str, rounds: int) -> list[measurement.Row]:
  """tf.data from shards and from memory, and its parts one by one."""
  from earsr_tf.data import batching
  from earsr_tf.data import keys
  from earsr_tf.data import manifest as manifest_lib
  manifest = manifest_lib.read_manifest(data)
  wanted = {'frame': (keys.IMAGE_HIGH,), 'voice': (keys.WAVEFORM,),
            'frame + voice': (keys.IMAGE_HIGH, keys.WAVEFORM)}
  cases = {}
  for place, memory in (('shards', 0), ('memory', 1 << 40)):
    made = {name: batching.make_dataset(
        manifest, splits=manifest_lib.TRAINING_SPLITS, inputs=inputs,
        batch_size=_BATCH, seed=1, memory_bytes=memory)
            for name, inputs in wanted.items()}
    cases.update({f'from {place}: {name}': _drain(each)
                  for name, each in made.items()})
    cases[f'from {place}: frame + voice + spectrogram'] = _drain(
        _with_spectrogram(made['frame + voice']))
  cases.update(_part_cases(manifest))
  for case in cases.values():
    case()  # traces, fills caches
  rates = measurement.rounds(cases, rounds)
  return [measurement.Row(
      name, rate.wall, 'clips/s',
      f'>= {_CLIPS_PER_S}' if name.endswith('+ spectrogram') else '',
      rate.per_core) for name, rate in rates.items()]


def _drain(dataset: Any) -> Callable[[], int]:
  """Takes batches of an endless dataset, going on where it was left."""
  batches = iter(dataset)

  def take() -> int:
    """Takes some batches; returns the number of clips."""
    for _ in range(_BATCHES):
      next(batches)
    return _BATCH * _BATCHES
  return take


def _with_spectrogram(dataset: Any) -> Any:
  """Adds what the audio encoder does first, on the same two threads."""
  from earsr_tf.data import keys
  from earsr_tf.ops import spectrogram
  return dataset.map(
      lambda batch: {**batch, 'spectrogram': spectrogram.log_spectrogram(
          batch[keys.WAVEFORM])}, num_parallel_calls=2).prefetch(1)


def _part_cases(manifest: Any) -> dict[str, Callable[[], int]]:
  """What each step alone reaches on two threads."""
  import tensorflow as tf

  from earsr_tf.data import audio
  from earsr_tf.data import image
  from earsr_tf.data import keys
  from earsr_tf.data import manifest as manifest_lib
  from earsr_tf.data import records
  from earsr_tf.data import stream
  from earsr_tf.ops import spectrogram
  both = (keys.IMAGE_HIGH, keys.WAVEFORM)
  files = [f'{manifest.data_dir}/{s.file}'
           for s in manifest.shards(manifest_lib.TRAINING_SPLITS)]
  stored = tf.data.TFRecordDataset(files).cache().repeat()
  options = tf.data.Options()
  options.threading.private_threadpool_size = 2
  options.threading.max_intra_op_parallelism = 1

  def over(source: tf.data.Dataset, part: Callable[..., tf.Tensor]) -> Any:
    """A case: one part over a source, on two threads."""
    return _drain(source.map(part, num_parallel_calls=2).batch(
        _BATCH).with_options(options))

  parsed = stored.map(lambda r: records.parse(r, both)).take(200).cache(
      ).repeat().enumerate()
  waves = tf.data.Dataset.from_tensors(tf.random.stateless_uniform(
      [spectrogram.NUM_SAMPLES], [1, 2], -1, 1)).repeat()
  return {
      'part: parse': over(
          stored, lambda r: records.parse(r, both)[records.VOICE]),
      'part: PNG': over(parsed, lambda i, e: image.decode_frame(
          e[records.FRAMES][0], manifest.image_size)),
      'part: voice segment': over(parsed, lambda i, e: audio.draw_voice(
          e[records.VOICE], stream.key(1, stream.SEGMENT, i))),
      'part: spectrogram, clip by clip': over(
          waves, lambda w: spectrogram.log_spectrogram(w[tf.newaxis])[0]),
      'part: spectrogram, 32 clips at once': _drain(waves.batch(_BATCH).map(
          spectrogram.log_spectrogram, num_parallel_calls=2).with_options(
              options))}


def prepare_memory(clips: int, record_bytes: int) -> tuple[float, float]:
  """Memory in MB before, and at most while clips are prepared but not decoded.

  Everything else is done: a tree of that many (empty) files is listed, planned,
  written and sealed. Run it in a process of its own.

  Args:
    clips: Files in the tree.
    record_bytes: Size of what stands for a decoded clip.
  """
  _quieten()
  from pipelines.ingest import prepare
  from pipelines.ingest import shard
  stub = bytes(record_bytes), 8
  with tempfile.TemporaryDirectory() as folder:
    for i in range(clips):
      name = f'id{i // 100:05d}/video{i // 10 % 10:06d}/{i % 10:05d}'
      for path in (f'{folder}/dev/mp4/{name}.mp4',
                   f'{folder}/dev/aac/{name}.m4a'):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        pathlib.Path(path).touch()
    with mock.patch.object(shard, '_decode', lambda *_: stub):
      measurement.restart_peak_memory()
      before = measurement.peak_memory()
      prepare.run(folder, f'{folder}/out', 'voxceleb2', prepare.Options(
          workers=2, shards=16, min_frames_per_speaker=1))
  return before, measurement.peak_memory()


def _memory_rows() -> list[measurement.Row]:
  """Prepare but for decoding, of few and of many clips."""
  context = multiprocessing.get_context('spawn')
  rows, grown = [], {}
  for clips in _PLANNED:
    with futures.ProcessPoolExecutor(1, mp_context=context) as pool:
      before, after = pool.submit(
          prepare_memory, clips, _STUB_BYTES).result()
    grown[clips] = after - before
    rows.append(measurement.Row(
        f'prepare {clips:,} clips but for decoding: memory above '
        f'{before:.0f} MB at the start', after - before, 'MB'))
  few, many = _PLANNED
  rows.append(measurement.Row(
      'each more clip', 1024 * (grown[many] - grown[few]) / (many - few),
      'kB', 'flat'))
  return rows
