"""An export under way: what was asked for, and what became of each file."""
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from mmengine.config import Config

from lcvision import environment
from lcvision.deploy.export.examples import write_examples
from lcvision.deploy.export.formats import Format
from lcvision.deploy.export.graph import ExportGraph, Layout, make_graph
from lcvision.deploy.export.metadata import describe
from lcvision.deploy.network import raw_network
from lcvision.deploy.precision import lacking
from lcvision.exporting import int8, mixed, retraining
from lcvision.exporting.ladder import FileUnderTest, Verdict, verify
from lcvision.exporting.metric import LIMITS, own_metric, points
from lcvision.exporting.mixed import LayerGroup
from lcvision.exporting.original import Original, made_images, sample_images, training_images
from lcvision.exporting.quantisers import QUANTISERS, Quantiser
from lcvision.exporting.timing import measure_files
from lcvision.inference.trained_model import load_trained
from lcvision.tasks import TASKS

# Of int8's milliseconds: a bf16 that takes no more is recommended.
_AS_QUICK = 1.05
# Where a file goes once it has passed, its format, graph and precision.
Planned = tuple[Path, Format, str, str]


@dataclass
class ExportedFile:
    """A file and what was found of it.

    Attributes:
        path: Where it is, or would be had it passed.
        format: Its format.
        graph: 'net', 'boxes' or 'end2end'.
        precision: That it is computed in.
        size: Bytes, with the files beside it.
        verdict: Of levels 0 to 3.
        metric: Of level 4; None where there are no data.
        ms: Median milliseconds of one image; None where it was not measured.
    """

    path: Path
    format: str
    graph: str
    precision: str
    size: int
    verdict: Verdict
    metric: float | None = None
    ms: float | None = None

    @property
    def passed(self) -> bool:
        """Whether every level was passed, so that the file was delivered."""
        return self.verdict.failure is None


@dataclass
class ExportResult:
    """What an export made.

    Attributes:
        task: Of the model.
        files: In the order asked for, without mixtures that a plain precision is as quick as.
        notes: What is otherwise than asked for, a sentence each.
        metric: Of the model itself, on the data.
        eager_ms: Of the model itself, where files were measured.
        groups: Groups of layers, and what was measured of them for mixed precision.
    """

    task: str
    files: list[ExportedFile]
    notes: list[str] = field(default_factory=list)
    metric: float | None = None
    eager_ms: float | None = None
    groups: list[LayerGroup] = field(default_factory=list)

    @property
    def best(self) -> ExportedFile | None:
        """The quickest file that passed; None where none was measured."""
        return min((one for one in self.files if one.passed and one.ms is not None), key=lambda one: one.ms or 0.,
                   default=None)

    @property
    def failures(self) -> list[str]:
        """What is wrong with each file that did not pass."""
        return [one.verdict.failure for one in self.files if one.verdict.failure]


@dataclass
class Job:
    """An export under way: what was asked for, and what came of it so far."""

    asked: Config
    checkpoint: str | Path
    data: str | Path | None
    original: Original
    max_drop: float
    progress: Callable[[str], object]
    result: ExportResult
    qat: bool = False
    _models: dict[tuple[str, ...], Any] = field(default_factory=dict)
    files: list[tuple[FileUnderTest, ExportedFile]] = field(default_factory=list)

    def metric(self, file: FileUnderTest | None = None) -> float:
        """The metric of a file, or of the model itself."""
        return own_metric(self.asked, self.checkpoint, str(self.data), file)

    def write(self, plan: Sequence[Planned], layout: Layout, folder: Path) -> None:
        """Writes the files to a folder."""
        original, metric = self.original, None
        graphs: dict[str, ExportGraph] = {}
        if self.result.metric is not None:
            metric = dict(name=TASKS[self.result.task].metric, value=round(self.result.metric, 6), data=self._data_name)
        for target, kind, held, precision in plan:
            if held not in graphs:
                self.progress(f'making the graph {held}')
                graphs[held] = make_graph(original.model, original.network, held, layout)
            made = replace(graphs[held], precision=precision)
            made.metadata = describe(made, original.model, original.config, original.classes, original.normalisation,
                                     metric)
            self.progress(f'writing {target.name}')
            file = FileUnderTest(folder / target.name, kind, made, original, environment.usable_threads())
            if precision not in ('int8', 'mixed'):
                kind.write(made, file.path)
            elif not self._quantise(file):
                continue
            size = sum(path.stat().st_size for path in _parts(file))
            one = ExportedFile(target, kind.name, made.kind, file.graph.precision, size, Verdict())
            self.files.append((file, one))
            self.result.files.append(one)

    @property
    def _data_name(self) -> str:
        return Path(str(self.data)).resolve().name

    def _quantise(self, file: FileUnderTest) -> bool:
        """Writes a file in int8 or mixed precision; False where a single precision is quicker than any mixture."""
        def lost() -> tuple[float, float]:
            value = self.metric(file)
            return value, points((self.result.metric or 0.) - value, self.result.task)
        images = training_images(self.original.config, int8.CALIBRATION_IMAGES)
        trial = QUANTISERS[file.kind.name](file, images, self._data_name)
        floats = {layer.group for layer in trial.layers if layer.fixed}
        if file.graph.precision == 'mixed':
            usable = [one for one in ('fp32', 'bf16') if not lacking(one)]
            state, self.result.groups = mixed.search(trial, images[0], usable, self.progress)
            if len({*state.values()}) == 1:
                self.result.notes.append(f'no mixture is quicker than {state[trial.layers[0].group]} here: use '
                                         f'{state[trial.layers[0].group]}')
                return False
            file.graph = mixed.mixed_graph(trial, state)
            file.metadata = file.graph.metadata or {}
            floats = {group for group, number in state.items() if number != 'int8'}
        if len(floats) < len({layer.group for layer in trial.layers}):
            train = partial(self._trained, trial) if self.qat and file.graph.precision == 'int8' else None
            trial, floats = int8.quantise(trial, floats, self.max_drop, lost, self.progress, train)
            file.graph, file.metadata = trial.file.graph, trial.file.metadata
        else:
            file.kind.write(file.graph, file.path)
        self.result.notes.append(f'{file.path.name}: {trial.sentence(floats)}')
        return True

    def _trained(self, trial: Quantiser, floats: set[str]) -> Quantiser:
        """Writes the same file with weights that are trained for int8, except in some groups."""
        layers = tuple(layer.name for layer in trial.layers if layer.group not in floats)
        self.progress(f'training {len(layers)} layers for int8, {retraining.STEPS} steps')
        original, held = self.original, trial.file.graph
        if layers not in self._models:
            with tempfile.TemporaryDirectory() as folder:
                checkpoint = retraining.retrain(self.asked, self.checkpoint, str(self.data), layers, folder)
                self._models[layers] = load_trained(original.config, checkpoint)[0]
        model = self._models[layers]
        made = make_graph(model, raw_network(model, original.size), held.kind, held.layout)
        made = replace(made, precision=held.precision)
        made.metadata = describe(made, model, original.config, original.classes, original.normalisation,
                                 (held.metadata or {}).get('metric'))
        twin = QUANTISERS[trial.file.kind.name](replace(trial.file, graph=made), trial.encoded, trial.data)
        twin.training = {'training': {'steps': retraining.STEPS, 'batch': retraining.BATCH}}
        return twin

    def climb(self, measure: bool) -> None:
        """Levels 0 to 5 of all files."""
        encoded = sample_images(self.original.config if self.data else None)
        made = made_images(self.original.size)
        for file, one in self.files:
            self.progress(f'verifying {file.path.name}')
            one.verdict = verify(file, encoded, made)
            if one.passed and self.result.metric is not None:
                self._judge(file, one, self.result.metric)
        if not any(one.verdict.compared for one in self.result.files if one.passed and one.precision == 'fp32'):
            self.result.notes.append('the model finds nothing on the images, so that no result was compared: give '
                                     '--data with images like those it was trained on')
        if measure and any(one.passed for one in self.result.files):
            self.progress('measuring')
            self._measure(encoded[0])

    def _judge(self, file: FileUnderTest, one: ExportedFile, wanted: float) -> None:
        """Level 4: the metric is the model's."""
        known = file.metadata.get('int8')
        one.metric = known['metric'] if known else self.metric(file)
        off = points(one.metric - wanted, self.result.task)
        limit, single = LIMITS.get(one.precision, self.max_drop), one.precision in LIMITS
        if not (abs(off) if single else -off) <= limit:
            best = '' if single else ', the best of what was tried'
            one.verdict.failure = (f'{one.path.name}: level 4, {TASKS[self.result.task].metric} is {off:+.2f} points '
                                   f"off the model's{best} ({limit:g} is allowed)")

    def _measure(self, image: bytes) -> None:
        """Level 5: milliseconds of what passed."""
        original = self.original
        passed = [pair for pair in self.files if pair[1].passed]
        case = original.case([original.fit(original.pipeline.steps.decode(image))])
        self.result.eager_ms, *times = measure_files(original, [file for file, _ in passed], case, passed[0][0].threads)
        for (_, one), ms in zip(passed, times, strict=True):
            one.ms = ms
        _recommend(self.result)

    def deliver(self) -> None:
        """Moves what passed to its place, with examples beside it."""
        for file, one in self.files:
            for path in _parts(file) if one.passed and one in self.result.files else ():
                os.replace(path, one.path.parent / path.name)  # noqa: PTH105
        ready = [one.path for one in self.result.files if one.passed and one.graph == 'end2end']
        for name in write_examples(ready[0].parent) if ready else ():
            self.result.notes.append(f'{name} was changed since it was written, and stays: move it to get that of this '
                                     'version')


def _parts(file: FileUnderTest) -> list[Path]:
    # The one that is opened comes last: it is there only when all of it is.
    return [*(file.path.with_suffix(suffix) for suffix in file.kind.beside), file.path]


def _recommend(result: ExportResult) -> None:
    """Says so where calibration gains nothing over a plain precision; a mixture that is not quicker is left out."""
    for one in [one for one in result.files if one.precision not in LIMITS and one.ms]:
        mixture = one.precision != 'int8'
        others = [other for other in result.files if other.format == one.format and other is not one and other.ms and
                  (mixture or other.precision in LIMITS)]
        quickest = min(others, key=lambda other: other.ms or 0., default=one)
        if quickest is not one and (quickest.ms or 0.) <= (one.ms or 0.) * (1 if mixture else _AS_QUICK):
            what = f'{one.path.name}, which is not written' if mixture else 'int8, without calibration'
            result.notes.append(f'use {quickest.precision}: {quickest.ms:.2f} ms against {one.ms:.2f} of {what}')
            if mixture:
                result.files.remove(one)
