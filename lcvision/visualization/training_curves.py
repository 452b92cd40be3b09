"""Accuracy over the epochs of training runs: out of a run's log, and into a picture."""
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import cycle
from pathlib import Path

from lcvision.errors import UserError

STATUSES = ('reference', 'retrained', 'smoke')
METRICS = {'AP': 'coco/bbox_mAP', 'AP50': 'coco/bbox_mAP_50'}
"""Metric of a point to its name in a run's log."""

_KEYS = ('name', 'config', 'source', 'status', 'points')
# Okabe and Ito's colours, which the colour-blind tell apart, without the yellow that is lost on white.
_COLOURS = ('#0072B2', '#D55E00', '#009E73', '#CC79A7', '#E69F00', '#56B4E9', '#000000')
_REFERENCE_LINES = ('--', ':', '-.')


def read_curve(path: str | Path) -> dict:
    """Reads a curve.

    Args:
        path: A JSON file with ``name`` (of the legend), ``config`` (name of our config; curves of one config share a
            colour), ``source`` (where the numbers are from), ``status`` (one of :data:`STATUSES`) and ``points``, each
            with ``epoch``, ``iter``, ``AP`` and ``AP50`` in 0..1.

    Raises:
        UserError: It is missing, is no JSON, or is not made as said.
    """
    path = Path(path)
    if not path.is_file():
        raise UserError(f'no curve {path}: write it with tools/make_docs.py --curve RUN_DIR {path} --name NAME')
    try:
        curve = json.loads(path.read_text())
    except ValueError as error:
        raise UserError(f'{path} is not JSON: {error}') from error
    missing = [key for key in _KEYS if key not in curve]
    if missing:
        raise UserError(f'{path} lacks {", ".join(missing)}: a curve has {", ".join(_KEYS)}')
    if curve['status'] not in STATUSES:
        raise UserError(f"{path} has the status {curve['status']!r}: a curve is {', '.join(STATUSES)}")
    if not curve['points'] or any(key not in p for p in curve['points'] for key in ('epoch', 'iter', *METRICS)):
        raise UserError(f'{path}: give points, each with epoch, iter, {", ".join(METRICS)}')
    return curve


def extract_curve(run: str | Path, name: str, source: str | None = None, status: str = 'retrained') -> dict:
    """Takes the curve of a run of ``tools/train.py`` out of its log.

    Args:
        run: The run's folder; of a resumed run the parts are joined, and an epoch done twice counts as in the last.
        name: What the legend calls it.
        source: Where the numbers are from; None names the config.
        status: One of :data:`STATUSES`.

    Returns:
        What :func:`read_curve` reads.

    Raises:
        UserError: The folder has no log, or its log no evaluation.
    """
    run = Path(run)
    logs = sorted(run.glob('*/vis_data/scalars.json'))
    if not logs:
        raise UserError(f'{run} holds no */vis_data/scalars.json: give the --work-dir of a run of tools/train.py')
    points: dict[int, dict] = {}
    for log in logs:
        iteration = 0
        for line in _lines(log):
            iteration = line.get('iter', iteration)
            if all(metric in line for metric in METRICS.values()):
                metrics = {short: line[metric] for short, metric in METRICS.items()}
                points[line['step']] = dict(epoch=line['step'], iter=iteration, **metrics)
    if not points:
        raise UserError(f'{run} has no evaluation yet: wait for one, or train with a smaller train_cfg.val_interval')
    config = next((path.stem for path in sorted(run.glob('*.py'))), run.name)
    return dict(name=name, config=config, source=source or f'a run of tools/train.py with {config}',
                status=status, points=[points[epoch] for epoch in sorted(points)])


def draw_curves(curves: Sequence[dict], path: str | Path) -> None:
    """Draws AP and AP50 over epochs, ours as solid lines and the reference's broken.

    Args:
        curves: As :func:`read_curve` gives them, at least one.
        path: A picture file; its folder is made.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure = Figure(figsize=(9, 3.9 + 0.12 * len(curves)), layout='constrained')
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 2)
    last = max(point['epoch'] for curve in curves for point in curve['points'])
    for axes, metric in zip(panels, METRICS, strict=True):
        for curve, style in _styled(curves):
            axes.plot([p['epoch'] for p in curve['points']], [p[metric] for p in curve['points']], label=curve['name'],
                      **style)
        axes.set_title({'AP': 'AP at IoU .50 to .95', 'AP50': 'AP at IoU .50'}[metric], fontsize=11, loc='left')
        axes.set(xlabel='epoch', xlim=(0, last * 1.03), ylim=(0, None))
        axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=' %'))
        axes.grid(alpha=0.25)
        axes.spines[['top', 'right']].set_visible(False)
    figure.legend(*panels[0].get_legend_handles_labels(), loc='outside lower center', ncols=2, fontsize=9,
                  frameon=False, handlelength=3)
    # Without the name of the program, the same curves give the same file.
    figure.savefig(path, dpi=150, metadata={'Software': None})


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
