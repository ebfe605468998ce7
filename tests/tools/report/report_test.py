"""One page says what a run left, and what it did not."""

from __future__ import annotations

import io
import json
import pathlib
import re
import subprocess
import sys

import numpy as np
from PIL import Image
import pytest

from earsr_tf import cli
from earsr_tf import config_json
from earsr_tf import presets
from earsr_tf.training.monitoring import summaries
from tests import run_folder
from tests import testing
from tools.report import evaluations
from tools.report import events as events_lib
from tools.report import run_files
from tools.report import run_page
from tools.report import run_settings
from tools.report import stage_section

EVIL = '<script>alert("x")</script>'


def _write(folder: pathlib.Path, name: str, *, seed: int = 1000,
           lines: str = '', finished: bool = True) -> pathlib.Path:
  """A stage's folder with what is not TensorFlow's."""
  stage = folder / name
  (stage / 'checkpoints').mkdir(parents=True)
  config = json.loads(json.dumps(config_json.to_json(presets.get('tiny'))))
  config['seed'] = seed
  (stage / 'config.json').write_text(json.dumps({
      'stage': name, 'equation': 'Eq. (2)', 'config': config,
      'command': f'train {EVIL}', 'manifest_sha256': 'a' * 64, 'replicas': 1,
      'versions': {'python': '3.11.7'}, 'inputs': {'invert': f'{name}-f'}}))
  (stage / 'metrics.jsonl').write_text(lines)
  if finished:
    (stage / 'finished.json').write_text(json.dumps({
        'checkpoint': 'ckpt-32', 'images': 32, 'step': 8, 'skipped': 3,
        'rollbacks': 2, 'seconds': 407.0}))
  return stage


def _line(images: int, **values: float | None) -> str:
  return json.dumps({
      'step': images // 4, 'images': images,
      **{key.replace('__', '/'): value for key, value in values.items()}
      }) + '\n'


@pytest.fixture(name='runs')
def _runs(tmp_path: pathlib.Path) -> pathlib.Path:
  """A finished `finetune` with pictures, and `audio` in progress."""
  runs = tmp_path / 'runs'
  stage = _write(runs, 'finetune')
  reporter = summaries.Reporter(
      folder=stage, stage='finetune', images=0, total_images=32, log_every=60)
  for i, weight in enumerate((1.0, 0.5, 0.5, 0.25), 1):
    reporter.scalars(i, 8 * i, {
        'loss/finetune/l1': 0.5 / i, 'loss/finetune/total': 0.5 / i,
        'weight/finetune/weight_distance': weight, 'skipped': 0})
    reporter.preview(8 * i, {
        'image_high': np.full([2, 8, 8, 3], i / 4.0),
        'low': np.zeros([2, 4, 4, 3])})
  for images, value in ((12, 0.5), (28, 0.25)):
    reporter.note(images, 'weight/finetune/weight_distance',
                  f'lambda_t halved to {value} (halving 1) at {images} images')
  reporter.close()
  _write(runs, 'audio', seed=7, finished=False, lines=_line(
      8, loss__audio__code_l1=0.5, timing__images_per_s=4.0) + '{"step": 3, \n'
      + _line(16, loss__audio__code_l1=None, timing__images_per_s=8.0)
      + '{"images": "many"}\n{"step": 4, "ima')
  return runs


def test_the_page_has_everything_and_needs_nothing(runs: pathlib.Path) -> None:
  page = run_page.make(str(runs))
  assert '<script' not in page and '&lt;script&gt;' in page
  assert not re.search(r'(src|href)="(?!data:|#)', page)
  assert not re.search(r'url\((?!#)', page) and '@import' not in page
  assert page.count('data:image/png;base64,') == 3
  for text in ('6 min 47 s', 'not trained', '1 of 7 stages are finished',
               'in progress or stopped: 16 of 16 images', 'finetune-f',
               'loss/finetune/l1 over images', 'a' * 64, 'lambda_t halved'):
    assert text in page, text
  # It is the same as its only term.
  assert 'loss/finetune/total' not in page


def test_damaged_lines_are_named_and_left_out(runs: pathlib.Path) -> None:
  stage = run_files.read_stage(runs, 'audio')
  assert [row['images'] for row in stage.rows] == [8.0, 16.0]
  assert stage.rows[1]['loss/audio/code_l1'] is None
  assert stage.problems == [
      'metrics.jsonl: lines 2, 4 damaged and left out',
      'metrics.jsonl: the last line, 5, is not whole and left out']
  assert stage.recorded_seconds() == 8 / 4 + 8 / 8
  assert all(text in run_page.make(str(runs)) for text in stage.problems)


@pytest.mark.parametrize('line', [
    b'\xff\xfe', b'[1]', b'7', b'{"images": null}', b'{"images": true}',
    b'{"images": -4}', b'{}', b'{"images": 1, "loss": [2]}', b'[' * 100_000])
def test_any_damage_is_only_a_line(tmp_path: pathlib.Path, line: bytes
                                   ) -> None:
  stage = _write(tmp_path, 'low_res')
  (stage / 'metrics.jsonl').write_bytes(line + b'\n' + _line(8).encode())
  read = run_files.read_stage(tmp_path, 'low_res')
  assert len(read.rows) == 1 and len(read.problems) == 1
  assert 'line 1 damaged' in read.problems[0]


def test_huge_numbers_are_not_finite(tmp_path: pathlib.Path) -> None:
  _write(tmp_path, 'low_res', lines=(
      '{"images": 1, "a": NaN, "b": 1e999, "c": 1e300, "d": 1e-300}\n'
      f'{{"images": 2, "a": {"9" * 400}}}\n'))
  first, = run_files.read_stage(tmp_path, 'low_res').rows
  assert first == {'images': 1.0, 'a': None, 'b': None, 'c': None, 'd': 0.0}


def test_facts_of_a_finished_stage(runs: pathlib.Path) -> None:
  facts = stage_section.facts(run_files.read_stage(runs, 'finetune'))
  assert (facts['images'], facts['steps'], facts['skipped steps'],
          facts['rollbacks'], facts['duration']) == (
              '32', '8', '3', '2', '6 min 47 s')
  assert facts['phases'] == (
      '16 images, batch 4, 16 px; 16 images, batch 4, 128 px')


def test_halvings_stand_where_the_notes_say(runs: pathlib.Path) -> None:
  events = events_lib.read(runs / 'finetune' / 'train')
  name = 'weight/finetune/weight_distance'
  assert [(note.images, note.tag) for note in events.notes] == [
      (12, name), (28, name)]
  rows = run_files.read_stage(runs, 'finetune').rows
  marks = stage_section.halvings(name, rows, events.notes)
  assert [(mark.images, mark.value) for mark in marks] == [
      (12.0, 0.5), (28.0, 0.25)]
  # Without notes they stand at the rows that show them.
  rows[3][name] = 0.125
  marks = stage_section.halvings(name, rows, [])
  assert [(mark.images, mark.value) for mark in marks] == [
      (16.0, 0.5), (32.0, 0.125)]
  assert 'halved 2 times up to 32 images' in marks[1].text


def test_pictures_are_the_first_the_middle_and_the_last(
    runs: pathlib.Path) -> None:
  events = events_lib.read(runs / 'finetune' / 'train')
  pictures = events.pictures('preview/image_high|low')
  assert [picture.images for picture in pictures] == [8, 24, 32]
  path, at, length = events.places['preview/image_high|low'][24]
  data = path.read_bytes()
  start = data.index(b'\x89PNG', at, at + length)
  grid = np.asarray(Image.open(io.BytesIO(data[start:])))
  # 2 rows of 8, 2 columns; 0.75 and 0 in [-1, 1] are 0.875 and 0.5 in [0, 1],
  # which TensorFlow multiplies by 255.5 and cuts: 223.6 and 127.8.
  assert grid.shape == (16, 16, 3)
  assert grid[0, 0, 0] == 223 and grid[0, 8, 0] == 127


def test_a_torn_event_file_is_read_as_far_as_it_goes(runs: pathlib.Path
                                                     ) -> None:
  path, = (runs / 'finetune' / 'train').iterdir()
  path.write_bytes(path.read_bytes()[:-3])
  events = events_lib.read(path.parent)
  assert len(events.notes) == 1 and len(events.problems) == 1
  assert 'is not whole' in events.problems[0]
  path.write_bytes(b'\x05' + bytes(11) + b'wrong' + bytes(4))
  assert 'Error parsing' in events_lib.read(path.parent).problems[0]
  assert 'Error parsing' in run_page.make(str(runs))


def test_large_pictures_become_jpeg() -> None:
  noise = np.random.default_rng(0).integers(
      0, 256, [300, 300, 3], dtype=np.uint8)
  stream = io.BytesIO()
  Image.fromarray(noise).save(stream, 'PNG')
  assert len(stream.getvalue()) > 200_000
  assert events_lib.inline(stream.getvalue()).startswith(
      'data:image/jpeg;base64,')
  with pytest.raises(ValueError, match='cannot be decoded'):
    events_lib.inline(stream.getvalue()[:1000])


def test_differences_and_what_is_shared(runs: pathlib.Path) -> None:
  stages = [run_files.read_stage(runs, name)
            for name in run_files.stage_names(runs)]
  assert [stage.name for stage in stages] == ['finetune', 'audio']
  problems: list[str] = []
  assert run_settings.differences(stages, problems) == [{
      'name': 'seed', 'preset': 'tiny', 'stages': 'audio',
      'usual': '1000', 'value': '7'}]
  shared = run_settings.shared(stages)
  assert shared['versions'] == 'python 3.11.7' and shared['replicas'] == '1'
  assert 'seed' not in shared and 'inputs' not in shared
  stages[0].config['preset'] = 'huge'
  run_settings.differences(stages, problems)
  assert problems == [
      'stage finetune: preset huge is unknown to this version']


def test_data_of_another_run_is_named(runs: pathlib.Path,
                                      tmp_path: pathlib.Path) -> None:
  page = run_page.make(str(runs), run_folder.write_data(tmp_path / 'data'))
  assert 'These are not the data of\nfinetune, audio' in page
  assert '<td>d_pre</td><td>2</td>' in page


def _pipeline(runs: pathlib.Path) -> pathlib.Path:
  root = runs.parent
  (root / 'metadata.sqlite').touch()
  (root / 'times.json').write_text(json.dumps({'total_seconds': 9.0, 'steps': [
      {'name': 'Audio', 'seconds': 2.0, 'state': 'COMPLETE'},
      {'name': 'Invert', 'seconds': 8.0, 'state': 'CACHED'}]}))
  for number in ('9', '10'):
    folder = root / 'artifacts' / 'Evaluate' / 'report' / number
    folder.mkdir(parents=True)
    (folder / 'evaluation.json').write_text('{"format": 0}')
    Image.new('RGB', (4, 4)).save(folder / 'fig6.png')
  return root


def test_a_pipeline_is_found_from_both_sides(runs: pathlib.Path) -> None:
  root = _pipeline(runs)
  for folder in (root, runs):
    place = run_files.locate(str(folder))
    assert place.runs.resolve() == runs.resolve()
    assert place.pipeline.resolve() == root.resolve()
    assert [path.name for path in evaluations.folders(place)] == ['10']
    page = run_page.make(str(folder))
    assert 'width:25.0%' in page and 'alt="fig6"' in page
    assert 'evaluation.json is of another form' in page


def test_markdown_becomes_html_and_nothing_but_tables_and_words() -> None:
  html = evaluations.html(
      f'`a`, {EVIL} ![x](http://x/y.png) [y](http://x)\n\n| M | x |\n'
      '|---|---:|\n| (a) E_h | <b> |\n\n## Not evaluated\n\n- one\n- two\n')
  assert '<' not in re.sub(
      '</?(p|h3|ul|li|code|table|t[rhd]|thead|tbody)( style="[^"]*")?>', '',
      html)
  for part in ('<code>a</code>', '[y](http://x)', '<td>(a) E_h</td>',
               '<h3>Not evaluated</h3>', '<li>two</li>', '&lt;b&gt;</td>'):
    assert part in html, part


def test_a_value_below_its_floor_is_coloured(
    runs: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
  monkeypatch.setattr(
      evaluations.tables, 'markdown',
      lambda results: '# E\n\n| M | PSNR |\n|---|---:|\n| F | 20.00< |\n')
  (runs / 'evaluation.json').write_text('{"format": 1}')
  page = run_page.make(str(runs))
  assert re.search(r'<td[^>]* class="below"[^>]*>20\.00&lt;</td>', page)
  assert '<td>F</td>' in page


@pytest.mark.parametrize('part, message', [
    ('nowhere', 'no such folder'), ('.', 'holds no run'),
    ('runs/finetune', 'is one stage of a run')])
def test_a_folder_that_is_no_run_ends_with_one_sentence(
    runs: pathlib.Path, part: str, message: str) -> None:
  folder = runs.parent / part if part != '.' else runs / 'audio' / 'checkpoints'
  with pytest.raises(cli.InputError, match=message) as error:
    run_files.locate(str(folder))
  assert error.value.exit_code == cli.MISSING_INPUT


def test_the_command(runs: pathlib.Path) -> None:
  done = testing.run_module('tools.report', str(runs))
  assert done.returncode == 0, done.stderr
  page = (runs / 'report.html').read_text(encoding='utf-8')
  assert page.endswith('</html>\n') and done.stdout.startswith(
      f'{runs / "report.html"}: 0.')
  (runs / 'file').write_text('')
  done = testing.run_module(
      'tools.report', str(runs), f'--output={runs / "file" / "x.html"}')
  assert done.returncode == cli.CANNOT_CREATE
  assert re.fullmatch(r'error: .*cannot be written.*\n', done.stderr)


def test_no_tensorflow_is_needed(runs: pathlib.Path) -> None:
  code = ('import sys; from tools.report import run_page; '
          'run_page.make(sys.argv[1]); print("tensorflow" in sys.modules)')
  done = subprocess.run(
      [sys.executable, '-c', code, str(runs)], cwd=testing.ROOT, text=True,
      capture_output=True, check=False, timeout=100)
  assert done.stdout == 'False\n', done.stderr
