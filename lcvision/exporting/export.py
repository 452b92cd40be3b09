"""Exports a trained model to files, verifies them, and delivers those that passed."""
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from mmengine.config import Config

from lcvision import environment
from lcvision.config import config_name, load_config
from lcvision.datasets.sources import use_source
from lcvision.deploy.export.examples import write_examples
from lcvision.deploy.export.formats import Format, select_formats
from lcvision.deploy.export.graph import ExportGraph, Layout, check_graph, make_graph
from lcvision.deploy.export.metadata import describe, image_steps
from lcvision.deploy.input_size import find_input_size
from lcvision.deploy.precision import check_cpu, lacking
from lcvision.errors import UserError, plain_errors
from lcvision.exporting import int8
from lcvision.exporting.ladder import FileUnderTest, Verdict, verify
from lcvision.exporting.metric import LIMITS, own_metric, points
from lcvision.exporting.original import Original, made_images, sample_images, training_images
from lcvision.exporting.timing import measure_files
from lcvision.inference.trained_model import load_trained
from lcvision.tasks import TASKS
from lcvision.training.launch import quiet_warnings

INPUTS = ('float', 'uint8')
PRECISIONS = ('fp32', 'bf16', 'int8')
# Of int8's milliseconds: a bf16 that takes no more is recommended.
_AS_QUICK = 1.05


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
        files: In the order asked for.
        notes: What is otherwise than asked for, a sentence each.
        metric: Of the model itself, on the data.
        eager_ms: Of the model itself, where files were measured.
    """

    task: str
    files: list[ExportedFile]
    notes: list[str] = field(default_factory=list)
    metric: float | None = None
    eager_ms: float | None = None

    @property
    def best(self) -> ExportedFile | None:
        """The quickest file that passed; None where none was measured."""
        return min((one for one in self.files if one.passed and one.ms is not None), key=lambda one: one.ms or 0.,
                   default=None)

    @property
    def failures(self) -> list[str]:
        """What is wrong with each file that did not pass."""
        return [one.verdict.failure for one in self.files if one.verdict.failure]


@plain_errors()
@quiet_warnings()
def export(config: str | Path | Config, checkpoint: str | Path, *, out: str | Path,
           to: str | Sequence[str] = ('onnx', 'openvino', 'pt2'), graph: str = 'end2end',
           data: str | Path | None = None, input: str = 'float', dynamic: str | None = None,
           precision: str | Sequence[str] = 'fp32', max_drop: float = .5, measure: bool = True,
           cfg_options: dict | None = None, progress: Callable[[str], object] = lambda text: None) -> ExportResult:
    """Exports a trained model, verifies each file against it, and delivers those that are the same.

    Args:
        config: Path or name of a config, or the config itself.
        checkpoint: .pth or .safetensors; read as data, nothing in it is executed.
        out: Folder of the files; one of the same name is replaced if it was written here, too.
        to: Formats, see ``lcvision.deploy.export.formats``.
        graph: 'net' gives raw maps, 'boxes' all boxes and scores of a detector, 'end2end' final results.
        data: 'sample' or a folder, whose images are compared and evaluated; None for parts of a photograph.
        input: 'float' takes normalised images (N, 3, H, W), 'uint8' bytes (N, H, W, 3).
        dynamic: 'batch' or 'size' lets that differ from image to image; None for one image of one size.
        precision: 'fp32', 'bf16', 'int8' or several; int8 is for OpenVINO, with the others to compare.
        max_drop: Points of the task's metric that int8 may lose.
        measure: Whether files are timed.
        cfg_options: Entries of the config to override.
        progress: Told what is going on.

    Raises:
        UserError: Something asked for cannot be done; nothing has been written then.
    """
    asked = load_config(config, cfg_options)
    precisions = _listed(precision)
    formats = select_formats(_listed(to))
    _check_request(input, precisions)
    if 'int8' in precisions:
        int8.check_request(formats, data, dynamic, max_drop)
    config = load_config(asked)
    if data:
        use_source(config, str(data), 'int8' in precisions)
    image_steps(config)
    model, meta = load_trained(config, checkpoint)
    check_graph(model, graph, dynamic)
    original = Original(config, model, meta['classes'], find_input_size(config))
    if input == 'uint8' and original.fixed and original.pipeline.steps.fixed_shape() != original.size:
        raise UserError(f'{config_name(asked)} pads its images to {original.size[0]}x{original.size[1]} after '
                        'normalisation, which bytes cannot hold: take --input float')
    rule = original.normalisation
    mean, std = (None if x is None else x.flatten().tolist() for x in (rule.mean, rule.std))
    layout = Layout(original.size, input == 'uint8', mean, std, dynamic)
    name = Path(config_name(asked)).stem
    plan, notes = _plan(Path(out), name, formats, precisions, graph, layout)
    result = ExportResult(original.task.name, [], notes)
    metric = None
    if data:
        progress('evaluating the model')
        result.metric = own_metric(asked, checkpoint, data)
        metric = dict(name=TASKS[result.task].metric, value=round(result.metric, 6), data=Path(data).resolve().name)
    with _workshop(Path(out)) as folder:
        graphs: dict[str, ExportGraph] = {}
        files = []
        for target, kind, held, number in plan:
            if held not in graphs:
                progress(f'making the graph {held}')
                graphs[held] = make_graph(model, original.network, held, layout)
            made = replace(graphs[held], precision=number)
            made.metadata = describe(made, model, config, original.classes, rule, metric)
            progress(f'writing {target.name}')
            file = FileUnderTest(folder / target.name, kind, made, original, environment.usable_threads())
            if number == 'int8':
                def lost(file: FileUnderTest = file) -> tuple[float, float]:
                    value = own_metric(asked, checkpoint, str(data), file)
                    return value, points((result.metric or 0.) - value, result.task)
                result.notes.append('int8: ' + int8.quantise(
                    file, training_images(config, int8.CALIBRATION_IMAGES), Path(str(data)).resolve().name, max_drop,
                    lost, progress))
            files.append(_written(file, target, result))
        _climb(files, result, asked, checkpoint, data, config, measure, max_drop, progress)
        _deliver(files, result)
    return result


@contextmanager
def _workshop(out: Path) -> Iterator[Path]:
    """A folder within ``out`` that is gone afterwards, and ``out`` with it if it was made and stayed empty."""
    made = not out.exists()
    try:
        out.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix='.lcvision-export-', dir=out)
    except OSError as error:
        raise UserError(f'--out {out} cannot be written ({error.strerror}): give another folder') from error
    try:
        with folder as name:
            yield Path(name)
    finally:
        if made and not any(out.iterdir()):
            out.rmdir()


def _listed(names: str | Sequence[str]) -> list[str]:
    return [name.strip() for name in (names.split(',') if isinstance(names, str) else names) if name.strip()]


def _check_request(given: str, precisions: list[str]) -> None:
    if given not in INPUTS:
        raise UserError(f'--input {given} is neither float nor uint8: give one of them')
    for precision in precisions:
        if precision not in PRECISIONS:
            raise UserError(f'files cannot be exported in {precision!r}: give {" or ".join(PRECISIONS)}')
        check_cpu(precision)
    if not precisions:
        raise UserError(f'no precision named: give {" or ".join(PRECISIONS)}')


Planned = tuple[Path, Format, str, str]


def _plan(out: Path, name: str, formats: Sequence[Format], precisions: Sequence[str], graph: str,
          layout: Layout) -> tuple[list[Planned], list[str]]:
    """The files to write, with format, graph and precision, and what cannot be had.

    Raises:
        UserError: None can be written, or one would replace a file that was not written here.
    """
    plan: list[Planned] = []
    notes = []
    for kind in formats:
        held = graph if graph in kind.graphs else kind.graphs[0]
        if held != graph:
            notes.append(f"{kind.name} is offered for the graph '{held}' only: what follows is done by Predictor")
        # What int8 gains and loses shows beside the others.
        compared = 'int8' in precisions and 'int8' in kind.precisions
        for precision in [one for one in PRECISIONS if one in precisions or (compared and not lacking(one))]:
            reason = kind.refusal(layout, precision)
            if reason:
                notes.append(f'{kind.name} is left out in {precision}: {reason}')
            else:
                plan.append((out / f'{name}_{held}_{precision}{kind.suffix}', kind, held, precision))
    if not plan:
        raise UserError(f'nothing can be exported: {"; ".join(notes)}')
    for target, kind, *_ in plan:
        for path in (target, *(target.with_suffix(suffix) for suffix in kind.beside)):
            if path.exists() and not _ours(target, kind):
                raise UserError(f'{path} is there and was not written by an export: move it, or give another --out')
    return plan, notes


def _ours(target: Path, kind: Format) -> bool:
    try:
        return target.is_file() and bool(kind.read_metadata(target))
    except UserError:
        return False


def _written(file: FileUnderTest, target: Path, result: ExportResult) -> FileUnderTest:
    if file.graph.precision != 'int8':
        file.kind.write(file.graph, file.path)
    size = sum(path.stat().st_size for path in _parts(file))
    result.files.append(ExportedFile(target, file.kind.name, file.graph.kind, file.graph.precision, size, Verdict()))
    return file


def _parts(file: FileUnderTest) -> list[Path]:
    # The one that is opened comes last: it is there only when all of it is.
    return [*(file.path.with_suffix(suffix) for suffix in file.kind.beside), file.path]


def _climb(files: Sequence[FileUnderTest], result: ExportResult, asked: Config, checkpoint: str | Path,
           data: str | Path | None, config: Config, measure: bool, max_drop: float,
           progress: Callable[[str], object]) -> None:
    """Levels 0 to 5 of all files."""
    original = files[0].original
    encoded, made = sample_images(config if data else None), made_images(original.size)
    for file, one in zip(files, result.files, strict=True):
        progress(f'verifying {file.path.name}')
        one.verdict = verify(file, encoded, made)
        if one.passed and data and result.metric is not None:
            known = file.metadata.get('int8')
            one.metric = known['metric'] if known else own_metric(asked, checkpoint, data, file)
            off = points(one.metric - result.metric, result.task)
            limit = {**LIMITS, 'int8': max_drop}[one.precision]
            if not (-off if one.precision == 'int8' else abs(off)) <= limit:
                best = ', the best of what was tried' if one.precision == 'int8' else ''
                one.verdict.failure = (f'{one.path.name}: level 4, {TASKS[result.task].metric} is {off:+.2f} points '
                                       f"off the model's{best} ({limit:g} is allowed)")
    if not any(one.verdict.compared for one in result.files if one.passed and one.precision == 'fp32'):
        result.notes.append('the model finds nothing on the images, so that no result was compared: give --data with '
                            'images like those it was trained on')
    passed = [pair for pair in zip(files, result.files, strict=True) if pair[1].passed]
    if measure and passed:
        progress('measuring')
        case = original.case([original.fit(original.pipeline.steps.decode(encoded[0]))])
        result.eager_ms, *times = measure_files(original, [file for file, _ in passed], case, passed[0][0].threads)
        for (_, one), ms in zip(passed, times, strict=True):
            one.ms = ms
        _recommend(result)


def _recommend(result: ExportResult) -> None:
    """Says so where int8 gains nothing over bf16, which needs no calibration and loses less."""
    for one in result.files:
        for other in result.files:
            if (one.precision, other.precision, other.format) == ('int8', 'bf16', one.format) and one.ms and other.ms \
                    and other.ms <= _AS_QUICK * one.ms:
                result.notes.append(f'use bf16: {other.ms:.2f} ms against {one.ms:.2f} of int8, without calibration')


def _deliver(files: Sequence[FileUnderTest], result: ExportResult) -> None:
    for file, one in zip(files, result.files, strict=True):
        for path in _parts(file) if one.passed else ():
            os.replace(path, one.path.parent / path.name)  # noqa: PTH105
    ready = [one.path for one in result.files if one.passed and one.graph == 'end2end']
    for name in write_examples(ready[0].parent) if ready else ():
        result.notes.append(f'{name} was changed since it was written, and stays: move it to get that of this version')
