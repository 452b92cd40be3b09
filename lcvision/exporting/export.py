"""Exports a trained model to files, verifies them, and delivers those that passed."""
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mmengine.config import Config

from lcvision.config import config_name, load_config
from lcvision.datasets.sources import use_source
from lcvision.deploy.export.formats import Format, select_formats
from lcvision.deploy.export.graph import Layout, check_graph
from lcvision.deploy.export.metadata import image_steps
from lcvision.deploy.input_size import find_input_size
from lcvision.deploy.precision import check_cpu, lacking
from lcvision.errors import UserError, plain_errors
from lcvision.exporting import int8
from lcvision.exporting.job import ExportResult, Job, Planned
from lcvision.exporting.metric import LIMITS
from lcvision.exporting.original import Original
from lcvision.files import writing
from lcvision.inference.trained_model import load_trained
from lcvision.training.launch import quiet_warnings

INPUTS = ('float', 'uint8')
PRECISIONS = ('fp32', 'bf16', 'int8', 'mixed')


@plain_errors()
@quiet_warnings()
def export(config: str | Path | Config, checkpoint: str | Path, *, out: str | Path,
           to: str | Sequence[str] = ('onnx', 'openvino', 'pt2'), graph: str = 'end2end',
           data: str | Path | None = None, input: str = 'float', dynamic: str | None = None,
           precision: str | Sequence[str] = 'fp32', max_drop: float = .5, qat: bool = False, measure: bool = True,
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
        precision: 'fp32', 'bf16', 'int8', 'mixed' or several; the last two are written with the others to compare, and
            'mixed', for OpenVINO, takes for each group of layers what is quickest here.
        max_drop: Points of the task's metric that int8 and mixed may lose.
        qat: Whether weights are trained for int8 where they lose more.
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
    calibrated = [one for one in precisions if one in ('int8', 'mixed')]
    for one in calibrated:
        int8.check_request(one, formats, data, dynamic, max_drop)
    if qat and 'int8' not in calibrated:
        raise UserError(f"--qat trains for int8, and --precision is {','.join(precisions)}: add int8, or "
                        'leave out --qat')
    config = load_config(asked)
    if data:
        use_source(config, str(data), bool(calibrated))
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
    plan, notes = _plan(Path(out), Path(config_name(asked)).stem, formats, precisions, graph, layout)
    job = Job(asked, checkpoint, data, original, max_drop, progress, ExportResult(original.task.name, [], notes), qat)
    if data:
        progress('evaluating the model')
        job.result.metric = job.metric()
    with _workshop(Path(out)) as folder:
        job.write(plan, layout, folder)
        job.climb(measure)
        job.deliver()
    return job.result


@contextmanager
def _workshop(out: Path) -> Iterator[Path]:
    """A folder within ``out`` that is gone afterwards, and ``out`` with it if it was made and stayed empty."""
    made = not out.exists()
    with writing(f'--out {out}'):
        out.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix='.lcvision-export-', dir=out)
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
        # What int8 and mixed gain and lose shows beside the others.
        compared = [one for one in ('int8', 'mixed') if one in precisions and one in kind.precisions]
        for precision in [one for one in PRECISIONS if one in precisions or (
                compared and one in kind.precisions and one in LIMITS and not lacking(one))]:
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
