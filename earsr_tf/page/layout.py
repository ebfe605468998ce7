"""What stands where on the page, and what happens when it is touched."""

from __future__ import annotations

import dataclasses
from typing import Any

import gradio as gr
import numpy as np

from earsr_tf.page import answers as answers_lib
from earsr_tf.page import framing
from earsr_tf.page import hearing
from earsr_tf.serving import export_manifest

STYLE = """
.gradio-container {max-width: 1180px !important; margin: 0 auto !important}
.hint p {font-size: .9em; opacity: .8}
.said p {min-height: 1.4em}
.tiles {gap: 10px}
.tile .image-container, .tile .image-frame, .tile button {width: 100%}
.tile img {width: 100%; height: auto; aspect-ratio: 1; object-fit: contain}
.hard img {image-rendering: pixelated}
.frame .image-container {height: calc(100% - 28px)}
.frame img {cursor: crosshair; width: auto; max-height: 100%}
.clear label[data-testid="block-label"] {position: static; width: 100%;
  border-width: 0 0 1px 0; border-radius: 0}
"""
_NOTICE = (
    'What comes out is a **plausible** face, not the real one: a guess that '
    'agrees with 8x8 pixels and sounds like the voice. It must not be used to '
    'identify anybody. All of it stays on this machine.')
_TILES = ('Input: 8x8', 'Bicubic', 'Image only', 'Voice only',
          'Image and voice')
_STATE_S = 3600  # a photograph is forgotten after so long
# Of every event: no entry in an interface for programs, which `serve` is for.
_QUIET = {'api_visibility': 'private', 'show_progress': 'minimal'}


@dataclasses.dataclass(frozen=True)
class _One:
  """The parts of the first tab that events speak of."""
  picture: gr.Image
  frame: gr.Image
  place: tuple[gr.Slider, gr.Slider, gr.Slider]
  face_text: gr.Markdown
  voice: gr.Audio
  heard: gr.Image
  voice_text: gr.Markdown
  strength: gr.Slider
  tiles: list[gr.Image]
  text: gr.Markdown
  files: list[gr.DownloadButton]


def build(answers: answers_lib.Answers, about: str) -> gr.Blocks:
  """Lays the page out.

  Args:
    answers: Does the work.
    about: Which model it is, in a line.

  Returns:
    The page; `server` starts it.
  """
  # Files of visitors are removed an hour after they came.
  with gr.Blocks(title='An ear for faces', analytics_enabled=False,
                 delete_cache=(600, _STATE_S)) as page:
    gr.Markdown('# An ear for faces\n' + _NOTICE)
    with gr.Tab('One face'):
      _wire_one(_lay_one(), answers)
    with gr.Tab('Faces and voices'):
      _lay_matrix(answers)
    gr.Markdown(about, elem_classes='hint')
  return page


def theme() -> gr.themes.Base:
  """gradio's own look, in fonts of the system and with legible small print."""
  return gr.themes.Default(
      font=['system-ui', 'sans-serif'], font_mono=['monospace']).set(
          block_info_text_color='*neutral_600',
          block_info_text_color_dark='*neutral_300',
          body_text_color_subdued='*neutral_600',
          body_text_color_subdued_dark='*neutral_300')


def _lay_one() -> _One:
  """The first tab: a face and a voice above, what is made of them below."""
  with gr.Row():
    with gr.Column(min_width=300):
      picture = gr.Image(
          label='Face', sources=['upload', 'webcam', 'clipboard'],
          type='filepath', height=300, buttons=[], elem_id='picture')
      face_text = _said('face_text')
    with gr.Column(min_width=300):
      frame = gr.Image(
          label='Frame: click to move it', interactive=False, height=300,
          format='png', buttons=[], elem_id='frame',
          elem_classes=['frame', 'clear'])
      place = _lay_place()
    with gr.Column(min_width=300):
      voice = gr.Audio(
          label='Voice, a second or longer', type='filepath', editable=False,
          sources=['upload', 'microphone'], buttons=[], elem_id='voice')
      heard = gr.Image(
          label='What is heard', interactive=False, format='png', buttons=[],
          elem_id='heard', elem_classes='clear', visible=False,
          alt_text='Waveform and spectrogram of the voice')
      voice_text = _said('voice_text')
  strength = _lay_strength('strength')
  tiles = _lay_tiles()
  text = _said('text')
  with gr.Row():
    files = [
        gr.DownloadButton(label, interactive=False, elem_id=name)
        for name, label in (('download', 'Download the face'),
                            ('download_all', 'Download all on one sheet'))]
  return _One(picture, frame, place, face_text, voice, heard, voice_text,
              strength, tiles, text, files)


def _lay_place() -> tuple[gr.Slider, gr.Slider, gr.Slider]:
  """Where the frame is, for those who do not click, and how large it is."""
  with gr.Accordion('Frame by hand', open=False):
    return tuple(
        gr.Slider(low, 100, value, step=0.1, label=label, elem_id=name)
        for name, label, low, value in (
            ('across', 'Centre from the left, %', 0, 50),
            ('down', 'Centre from the top, %', 0, 50),
            ('size', 'Size, % of the shorter side', 1, 100)))


def _lay_tiles() -> list[gr.Image]:
  """The pictures side by side."""
  with gr.Row(elem_classes='tiles'):
    return [
        gr.Image(
            label=label, interactive=False, format='png', min_width=150,
            buttons=[], elem_id=f'tile{number}', alt_text=label,
            elem_classes=['tile', 'clear', 'hard'][:2 + (number == 0)])
        for number, label in enumerate(_TILES)]


def _said(name: str) -> gr.Markdown:
  """A place for sentences."""
  return gr.Markdown(elem_classes='said', elem_id=name)


def _wire_one(one: _One, answers: answers_lib.Answers) -> None:
  """What the first tab does."""
  framed = gr.State(time_to_live=_STATE_S)
  voice = gr.State(time_to_live=_STATE_S)
  on_frame = [framed, one.frame, *one.place]
  make = {
      'fn': lambda *given: _tiles(answers.one(*given)),
      'inputs': [framed, voice, one.strength],
      'outputs': [*one.tiles, one.text, *one.files],
      'trigger_mode': 'always_last', **_QUIET}

  def open_face(payload: dict[str, Any] | None) -> list[Any]:
    """Of a picture that was given, or taken away."""
    face, said = answers.face(payload and payload['path'])
    return [*_frame(face), said]

  def open_voice(path: str | None) -> list[Any]:
    """Of a voice that was given, or taken away."""
    levels, said = answers.voice(path)
    return [levels, _heard(levels), said]

  def click(face: framing.Framed | None, event: gr.SelectData) -> list[Any]:
    """Of a place in the picture."""
    return _frame(face and framing.choose(face, *event.index))

  def slide(face: framing.Framed | None, *place: float) -> list[Any]:
    """Of the frame by hand; leaves the sliders alone."""
    return _frame(face and framing.place(face, *place))[:2]

  # Not preprocessed: gradio would open the picture itself, without limits.
  one.picture.change(
      open_face, one.picture, [*on_frame, one.face_text], preprocess=False,
      **_QUIET).then(**make)
  one.voice.change(
      open_voice, one.voice, [voice, one.heard, one.voice_text],
      **_QUIET).then(**make)
  one.frame.select(click, framed, on_frame, **_QUIET).then(**make)
  for slider in one.place:
    slider.input(slide, [framed, *one.place], on_frame[:2],
                 trigger_mode='always_last', **_QUIET).then(**make)
  one.strength.change(**make)


def _lay_matrix(answers: answers_lib.Answers) -> None:
  """The second tab: several faces with several voices."""
  most = answers_lib.MOST
  gr.Markdown(
      f'Up to {most} faces and {most} voices; every face is made with every '
      'voice.', elem_classes='hint')
  with gr.Row():
    faces, voices = (
        gr.File(label=label, file_count='multiple', height=200,
                elem_id=f'matrix_{name}')
        for name, label in (('faces', 'Faces'), ('voices', 'Voices')))
  strength = _lay_strength('matrix_strength')
  button = gr.Button('Mix', variant='primary', elem_id='mix')
  text = _said('matrix_text')
  sheet = gr.Image(
      label='A row per face, a column per voice', interactive=False,
      format='png', buttons=['fullscreen'], elem_id='sheet',
      elem_classes='clear')
  file = gr.DownloadButton(
      'Download the sheet', interactive=False, elem_id='matrix_download')

  def mix(*given: Any) -> list[Any]:
    """Of faces, voices and a strength."""
    made = answers.matrix(*given)
    return [made.sheet, made.text, _download(made.file)]

  button.click(mix, [faces, voices, strength], [sheet, text, file], **_QUIET)


def _lay_strength(name: str) -> gr.Slider:
  """How much the voice counts."""
  return gr.Slider(
      0.0, export_manifest.MAX_STRENGTH, 1.0, step=0.05, elem_id=name,
      label='Voice strength',
      info='0: the image alone; 1: as in the paper; more exaggerates')


def _frame(face: framing.Framed | None) -> list[Any]:
  """State, picture and sliders of a face."""
  if face is None:
    return [None, None, 50, 50, 100]
  return [face, framing.drawn(face), *(round(v, 1) for v in face.place)]


def _heard(voice: np.ndarray | None) -> dict[str, Any]:
  """The picture of a voice, hidden where there is none."""
  if voice is None:
    return gr.update(value=None, visible=False)
  return gr.update(value=hearing.drawn(voice), visible=True)


def _tiles(answer: answers_lib.Answer) -> list[Any]:
  """Tiles, text and downloads of an answer."""
  made = answer.made
  tiles: list[np.ndarray | None] = [None] * len(_TILES)
  if made is not None:
    tiles = [made.low, made.bicubic, made.image_alone, made.voice_alone,
             made.fused]
  return [*tiles, answer.text,
          *(_download(path) for path in answer.files or (None, None))]


def _download(path: str | None) -> dict[str, Any]:
  """A button that can be pressed where there is a file."""
  return gr.update(value=path, interactive=path is not None)
