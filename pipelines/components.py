"""Components: what each step reads, writes and depends on; executors do it.

Every component has a parameter `code`, a hash of the sources it runs: the
metadata store's cache key holds inputs and parameters but no code, so an
edited trainer would count as done for ever. `settings` is the part of the
configuration that matters to the step, for the same reason.

This file has no `from __future__ import annotations`: the decorator reads the
annotations as objects.
"""

from tfx.dsl.component.experimental.annotations import InputArtifact
from tfx.dsl.component.experimental.annotations import OutputArtifact
from tfx.dsl.component.experimental.annotations import Parameter
from tfx.dsl.component.experimental.decorators import component

from pipelines import artifacts
from pipelines import executors
from pipelines import gates

_Tree = InputArtifact[artifacts.Tree]
_Shards = InputArtifact[artifacts.Shards]
_Stage = InputArtifact[artifacts.TrainedStage]
_Run = OutputArtifact[artifacts.TrainedStage]


@component
def MakeSynthetic(
    tree: OutputArtifact[artifacts.Tree], speakers: Parameter[int],
    videos: Parameter[int], clips: Parameter[int],
    open_share: Parameter[float], seed: Parameter[int],
    code: Parameter[str]) -> None:
  """Films SyntheticVox: `videos` videos of `clips` clips per speaker."""
  del code
  executors.make_synthetic(
      tree, speakers=speakers, videos=videos, clips=clips,
      open_share=open_share, seed=seed)


@component
def UseTree(
    tree: OutputArtifact[artifacts.Tree], path: Parameter[str],
    listing: Parameter[str]) -> None:
  """Takes a tree that exists; `listing` is a hash of names and sizes."""
  del listing
  executors.use_tree(tree, path=path)


@component
def Prepare(
    tree: _Tree, shards: OutputArtifact[artifacts.Shards],
    dataset: Parameter[str], code: Parameter[str]) -> None:
  """Decodes, splits and writes shards."""
  del code
  executors.prepare(tree, shards, dataset=dataset)


@component
def UseShards(
    shards: OutputArtifact[artifacts.Shards], path: Parameter[str],
    dataset: Parameter[str], sha256: Parameter[str]) -> None:
  """Takes shards that exist; `sha256` is their manifest's."""
  del sha256
  executors.use_shards(shards, path=path, dataset=dataset)


@component
def Validate(
    shards: _Shards, figures: OutputArtifact[artifacts.Figures],
    root: Parameter[str], settings: Parameter[str],
    code: Parameter[str]) -> None:
  """Compares the data with the schema and with those of the last run."""
  del settings, code
  gates.validate(shards, figures, root=root)


@component
def Generator(
    shards: _Shards, run: _Run, root: Parameter[str],
    settings: Parameter[str], code: Parameter[str]) -> None:
  """Stage 0: StyleGAN."""
  executors.train('generator', shards, run, (), root=root,
                  key=(settings, code))


@component
def Invert(
    shards: _Shards, generator: _Stage, run: _Run, root: Parameter[str],
    settings: Parameter[str], code: Parameter[str]) -> None:
  """Stage 1: Eq. (1)."""
  executors.train('invert', shards, run, (generator,), root=root,
                  key=(settings, code))


@component
def Finetune(
    shards: _Shards, generator: _Stage, invert: _Stage, run: _Run,
    root: Parameter[str], settings: Parameter[str],
    code: Parameter[str]) -> None:
  """Stage 2: Eq. (2)."""
  executors.train('finetune', shards, run, (generator, invert), root=root,
                  key=(settings, code))


@component
def LowRes(
    shards: _Shards, finetune: _Stage, run: _Run, root: Parameter[str],
    settings: Parameter[str], code: Parameter[str]) -> None:
  """Stage 3a: Eq. (3)."""
  executors.train('low_res', shards, run, (finetune,), root=root,
                  key=(settings, code))


@component
def Audio(
    shards: _Shards, finetune: _Stage, run: _Run, root: Parameter[str],
    settings: Parameter[str], code: Parameter[str]) -> None:
  """Stage 3b: Eq. (4)."""
  executors.train('audio', shards, run, (finetune,), root=root,
                  key=(settings, code))


@component
def Fusion(
    shards: _Shards, finetune: _Stage, low_res: _Stage, audio: _Stage,
    run: _Run, root: Parameter[str], settings: Parameter[str],
    code: Parameter[str]) -> None:
  """Stage 4: Eq. (5)."""
  executors.train('fusion', shards, run, (finetune, low_res, audio),
                  root=root, key=(settings, code))


@component
def Attributes(
    shards: _Shards, run: _Run, root: Parameter[str],
    settings: Parameter[str], code: Parameter[str]) -> None:
  """The classifiers that judge identity, gender and age."""
  executors.train('attributes', shards, run, (), root=root,
                  key=(settings, code))


@component
def Evaluate(
    shards: _Shards, generator: _Stage, invert: _Stage, finetune: _Stage,
    low_res: _Stage, audio: _Stage, fusion: _Stage,
    report: OutputArtifact[artifacts.Report], code: Parameter[str]) -> None:
  """Tables and figures of the paper."""
  del generator, invert, finetune, low_res, audio, code
  executors.evaluate(shards, fusion, report)


@component
def EvaluateWithClassifier(
    shards: _Shards, generator: _Stage, invert: _Stage, finetune: _Stage,
    low_res: _Stage, audio: _Stage, fusion: _Stage, attributes: _Stage,
    report: OutputArtifact[artifacts.Report], code: Parameter[str]) -> None:
  """The same, by judges that stage `attributes` has trained."""
  del generator, invert, finetune, low_res, audio, attributes, code
  executors.evaluate(shards, fusion, report)


@component
def Export(
    finetune: _Stage, low_res: _Stage, audio: _Stage, fusion: _Stage,
    model: OutputArtifact[artifacts.Model], code: Parameter[str]) -> None:
  """The SavedModel."""
  del finetune, low_res, audio, code
  executors.export(fusion, model)


@component
def Bless(
    report: InputArtifact[artifacts.Report],
    blessing: OutputArtifact[artifacts.Blessing], root: Parameter[str],
    settings: Parameter[str], code: Parameter[str]) -> None:
  """Judges the evaluation; apart from it, so that a threshold costs nothing."""
  del settings, code
  gates.bless(report, blessing, root=root)


@component
def InfraValidate(
    model: InputArtifact[artifacts.Model],
    blessing: OutputArtifact[artifacts.InfraBlessing],
    code: Parameter[str]) -> None:
  """Tries the export in a process that knows nothing of this project."""
  del code
  gates.infra_validate(model, blessing)


@component
def Push(
    model: InputArtifact[artifacts.Model],
    blessing: InputArtifact[artifacts.Blessing],
    infra: InputArtifact[artifacts.InfraBlessing],
    pushed: OutputArtifact[artifacts.Pushed], root: Parameter[str],
    target: Parameter[str], code: Parameter[str]) -> None:
  """Copies a blessed model to where a server looks for versions."""
  del code
  gates.push(model, blessing, infra, pushed, root=root, target=target)


@component
def SuperResolve(
    shards: _Shards, report: InputArtifact[artifacts.Report],
    model: InputArtifact[artifacts.Model],
    samples: OutputArtifact[artifacts.Samples], root: Parameter[str],
    people: Parameter[int], code: Parameter[str]) -> None:
  """Held-out people through the exported model, and the final picture."""
  del code
  executors.super_resolve(
      shards, report, model, samples, root=root, people=people)
