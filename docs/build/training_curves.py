"""Accuracy over the epochs of training runs: out of a run's log, and into a picture."""
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from lcvision.errors import UserError
from lcvision.report.style import BEATEN, save
from lcvision.tasks import TASKS

STATUSES = ('reference', 'retrained', 'smoke')


@dataclass(frozen=True)
class Panel:
    """One diagram of a chart.

    Attributes:
        title: Above it.
        x: Key of a point: 'epoch', 'iter' or 'minutes'.
        y: A metric, as a run's log names it.
        floor: The metric of a predictor that sees no image, drawn as a line; None where there is none.
    """

    title: str
    x: str
    y: str
    floor: str | None = None


CHARTS = {
    'detection': (Panel('AP at IoU .50 to .95', 'epoch', 'coco/bbox_mAP'),
                  Panel('AP at IoU .50', 'epoch', 'coco/bbox_mAP_50')),
    'segmentation': (Panel('mIoU', 'iter', 'mIoU', floor='mIoU_position'), Panel('pixel accuracy', 'iter', 'aAcc')),
    'classification': (Panel('top-1, by the time trained', 'minutes', 'accuracy/top1'),
                       Panel('top-1, by the images seen', 'epoch', 'accuracy/top1')),
}
"""Task to the two diagrams of its chart, side by side."""

_AXES = {'epoch': 'epochs', 'iter': 'iterations', 'minutes': 'minutes of training'}
_KEYS = ('name', 'config', 'source', 'status', 'points')
# Okabe and Ito's colours, which the colour-blind tell apart, without the yellow that is lost on white.
_COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')
_REFERENCE_LINES = ('--', ':', '-.')


def read_curve(path: str | Path) -> dict:
    """Reads a curve.

    Args:
        path: A JSON file with ``name`` (of the legend), ``config`` (name of our config; curves of one config share a
            colour), ``source`` (where the numbers are from), ``status`` (one of :data:`STATUSES`) and ``points``, each
            with the metrics of one of :data:`CHARTS` and what its panels have as x.

    Raises:
        UserError: It is missing, is no JSON, or is not made as said.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f'no curve {path}: write it with python -m docs.build --curve RUN_DIR {path} --name NAME')
    try:
        curve = json.loads(path.read_text())
    except ValueError as error:
        raise UserError(f'{path} is not JSON: {error}') from error
    missing = [key for key in _KEYS if key not in curve]
    if missing:
        raise UserError(f'{path} lacks {", ".join(missing)}: a curve has {", ".join(_KEYS)}')
    if curve['status'] not in STATUSES:
        raise UserError(f"{path} has the status {curve['status']!r}: a curve is {', '.join(STATUSES)}")
    if not curve['points'] or task_of_curve(curve) is None:
        ways = '; or '.join(', '.join(_needed(chart)) for chart in CHARTS.values())
        raise UserError(f'{path}: give points, each with {ways}')
    return curve


def task_of_curve(curve: dict) -> str | None:
    """The task whose chart a curve belongs to, None where its points fit none.

    Args:
        curve: With ``points``.
    """
    return next((task for task, chart in CHARTS.items()
                 if all(key in point for point in curve['points'] for key in _needed(chart))), None)


def extract_curve(run: str | Path, name: str, source: str | None = None, status: str = 'retrained') -> dict:
    """Takes the curve of a run of ``tools/train.py`` out of its log.

    Args:
        run: The run's folder; of a resumed run the parts are joined, and an epoch done twice counts as in the last.
        name: What the legend calls it.
        source: Where the numbers are from; None names the config.
        status: One of :data:`STATUSES`.

    Returns:
        What :func:`read_curve` reads. ``minutes`` of a point are its iterations times the first decile of the logged
        steps: what training takes when nothing else runs, validation apart.

    Raises:
        UserError: The folder has no log, or its log no evaluation.
    """
    run = Path(run)
    logs = sorted(run.glob('*/vis_data/scalars.json'))
    if not logs:
        raise UserError(f'{run} holds no */vis_data/scalars.json: give the --work-dir of a run of tools/train.py')
    points: dict[int, dict] = {}
    seconds: list[float] = []
    for log in logs:
        iteration, epochs = 0, False
        for line in _lines(log):
            if 'iter' in line:
                iteration, epochs = line['iter'], epochs or 'epoch' in line
                seconds.append(line.get('time', 0.))
            metrics = _values(line)
            if metrics:
                place = dict(epoch=line['step'], iter=iteration) if epochs else dict(iter=line['step'])
                points[line['step']] = {**place, **metrics}
    if not points:
        raise UserError(f'{run} has no evaluation yet: wait for one, or train with a smaller train_cfg.val_interval')
    step = sorted(seconds)[len(seconds) // 10] if seconds else 0.
    for point in points.values():
        point['minutes'] = round(step * point['iter'] / 60, 2)
    config = next((path.stem for path in sorted(run.glob('*.py'))), run.name)
    return dict(name=name, config=config, source=source or f'a run of tools/train.py with {config}',
                status=status, points=[points[step] for step in sorted(points)])


def draw_curves(curves: Sequence[dict], path: str | Path) -> None:
    """Draws the chart of a task, our curves as solid lines and the reference's broken.

    Args:
        curves: As :func:`read_curve` gives them, at least one, all of one task.
        path: A picture file; its folder is made.

    Raises:
        ValueError: The curves have no chart in common.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    tasks = sorted({str(task_of_curve(curve)) for curve in curves})
    if len(tasks) > 1 or tasks[0] not in CHARTS:
        raise ValueError(f'curves of one task are drawn together, got those of {", ".join(tasks)}')
    chart = CHARTS[tasks[0]]
    figure = Figure(figsize=(9, 3.9 + 0.12 * len(curves)), layout='constrained')
    panels = figure.subplots(1, 2)
    for axes, panel in zip(panels, chart, strict=True):
        for curve, style in _styled(curves):
            points = curve['points']
            axes.plot([p[panel.x] for p in points], [p[panel.y] for p in points], label=curve['name'], **style)
        if panel.floor:
            axes.axhline(curves[0]['points'][-1][panel.floor], color=BEATEN, ls='--', lw=1.2,
                         label='most frequent class of each position, without the image')
        last = max(point[panel.x] for curve in curves for point in curve['points'])
        axes.set_title(panel.title, fontsize=11, loc='left')
        axes.set(xlabel=_AXES[panel.x], xlim=(0, last * 1.03), ylim=(0, None))
        axes.yaxis.set_major_formatter(PercentFormatter(TASKS[tasks[0]].whole, decimals=0, symbol=' %'))
        axes.grid(alpha=0.25)
        axes.spines[['top', 'right']].set_visible(False)
    figure.legend(*panels[0].get_legend_handles_labels(), loc='outside lower center', ncols=2, fontsize=9,
                  frameon=False, handlelength=3)
    save(figure, path)


def _needed(chart: Sequence[Panel]) -> tuple[str, ...]:
    return (*dict.fromkeys(panel.x for panel in chart), *_metrics(chart))


def _metrics(chart: Sequence[Panel]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for panel in chart for name in (panel.y, panel.floor) if name))


def _values(line: dict) -> dict[str, float] | None:
    chart = next((chart for chart in CHARTS.values() if all(name in line for name in _metrics(chart))), None)
    return chart and {name: round(line[name], 4) for name in _metrics(chart)}


def _styled(curves: Sequence[dict]) -> Iterator[tuple[dict, dict]]:
    configs = list(dict.fromkeys(curve['config'] for curve in curves))
    broken: defaultdict[str, Iterator[str]] = defaultdict(lambda: cycle(_REFERENCE_LINES))
    # Ours first: the legend names it before what it is compared with.
    for curve in sorted(curves, key=lambda c: (configs.index(c['config']), c['status'] == 'reference')):
        style = dict(color=_COLOURS[configs.index(curve['config']) % len(_COLOURS)], marker='o', ms=4, lw=2.2)
        if curve['status'] == 'reference':
            style.update(linestyle=next(broken[curve['config']]), lw=1.5, ms=3)
        yield curve, style


def _lines(log: Path) -> Iterator[dict]:
    for text in log.read_text().splitlines():
        try:
            yield json.loads(text)
        except ValueError:  # a run that was killed, or goes on, leaves half a line
            continue
