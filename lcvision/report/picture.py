"""One picture of a task, fit for a slide."""
from collections.abc import Collection, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from lcvision.latency.record import SCOPES, LatencyRecord
from lcvision.latency.table import describe_machine, format_ms
from lcvision.papers import PAPER
from lcvision.report.assemble import TaskReport, in_view, timed
from lcvision.report.labels import leader, place_labels
from lcvision.report.names import DATA_NOT_RECORDED, engine_of
from lcvision.report.pareto import pareto_front, staircase
from lcvision.report.style import BEATEN, FRONT, INK, PAPER_COLOUR, PAPER_SOFT, SOFT, marker_of, save, scale_ms

_WIDTH, _HEIGHT = 13.3, 6.6
_SIZE, _LEFT = 10.5, 0.06
# Models without accuracy below points with accuracy.
_ROWS = 10


def draw_task(report: TaskReport, path: str | Path) -> str:
    """Draws the points of a task's ``view``, those of papers on a panel of their own, models without accuracy below.

    ``path`` is a .png file, whose folder is made. Returns what is in the picture, a line.
    """
    from matplotlib.figure import Figure
    points, rest = in_view(report.points, report.view), in_view(report.latency_only, report.view)
    rows = _strip_rows(rest, {point['model'] for point in points})
    shown = _ROWS if points else 3 * _ROWS
    more, rows = max(0, len(rows) - shown), rows[:shown]
    low = 0.75 + 0.27 * len(rows) if rows and points else 0.
    height = _HEIGHT + low if points else max(_HEIGHT, 2.4 + 0.27 * len(rows))
    figure = Figure(figsize=(_WIDTH, height))
    top, bottom = 1 - 1.55 / height, (0.95 + (low + 0.35 if low else 0)) / height
    ours = figure.add_axes((_LEFT, bottom, 0.52, top - bottom))
    papers = figure.add_axes((0.655, bottom, 0.33, top - bottom))
    conditions = _conditions(report.view)
    figure.text(_LEFT, 1 - 0.42 / height, f'{report.task.capitalize()}: {f"{report.metric} against " if points else ""}'
                'milliseconds on a CPU', fontsize=20, fontweight='bold', color=INK, va='center')
    figure.text(_LEFT, 1 - 0.80 / height, conditions[:1].upper() + conditions[1:], fontsize=12, color=SOFT, va='center')
    if points:
        _draw_ours(ours, points, report.metric)
        _legend(ours, points, rest)
        if rows:
            _draw_strip(figure.add_axes((0.23, 0.62 / height, 0.755, (low - 0.6) / height)), rows, more)
    else:
        ours.set_position((0.23, bottom, 0.385, top - bottom))
        _draw_strip(ours, rows, more)
        _legend(ours, [], rest)
    _draw_papers(papers, report)
    save(figure, path)
    elsewhere = len(report.points) + len(report.latency_only) - len(points) - len(rest)
    return (f"{len(points)} point{'s' * (len(points) != 1)}, {len(rest)} without accuracy, {conditions}"
            + f'; {elsewhere} under other conditions' * bool(elsewhere))


def draw_records(records: Sequence[LatencyRecord], environment: dict, path: str | Path) -> None:
    """Draws medians of one record or more, a row each, with p10-p90 span and 95 % interval, into a picture file."""
    from matplotlib.figure import Figure
    figure = Figure(figsize=(11, 1.8 + 0.36 * len(records)), layout='constrained')
    axes = figure.add_subplot()
    _draw_strip(axes, [(str(record), [timed(record)]) for record in records], 0)
    for place, record in enumerate(records):
        axes.plot(record.latency_ms.ci95, (place, place), color=INK, lw=2, zorder=4)
    axes.set_title('', loc='left')
    axes.set_xlabel(f'{axes.get_xlabel()} (point: median, hollow where noisy; line: 95 % interval; band: p10-p90)')
    figure.suptitle(describe_machine(environment)[0], fontsize=9.5, x=0.01, ha='left', color=INK)
    figure.savefig(path, dpi=150)


def _conditions(view: dict) -> str:
    threads = f"{view['threads']} thread{'s' if view['threads'] > 1 else ''}"
    data = {None: [], DATA_NOT_RECORDED: [DATA_NOT_RECORDED]}.get(view['data'], [f"on {view['data']}"])
    return ', '.join([*data, view['machine'], threads, SCOPES[view['scope']], 'one image at a time'])


def _draw_ours(axes: Any, points: Sequence[dict], metric: str) -> None:
    front = pareto_front(points)
    _axes(axes, points, metric)
    axes.set_title('Measured here', fontsize=12, fontweight='bold', color=FRONT, loc='left', pad=8)
    corners = staircase([(points[i]['median'], points[i]['accuracy']) for i in front], axes.get_xlim()[1])
    axes.plot(*zip(*corners), color=FRONT, lw=1.6, alpha=0.45, zorder=1)
    lines = [(*start, *end) for start, end in pairwise(corners)]
    for i, point in enumerate(points):
        colour, order = (FRONT, 4) if i in front else (BEATEN, 2)
        y = point['accuracy']
        left, right = _mark(axes, point, y, colour, 9 if i in front else 7, mew=1.6, zorder=order)
        axes.plot((point['low'], point['high']), (y, y), color=colour, lw=2, zorder=order, solid_capstyle='butt')
        if point['spread']:
            axes.plot((point['median'],) * 2, point['spread'], color=colour, lw=1.2, zorder=order)
        lines.append((left, y, right, y))
    labels = [(points[i]['median'], points[i]['accuracy'], _label(points[i], points), i in front)
              for i in _named(front, points)]
    annotate(axes, labels, [(point['median'], point['accuracy']) for point in points], FRONT, _SIZE, lines)


def _mark(axes: Any, point: dict, y: float, colour: str, size: float, zorder: int = 2,
          mew: float = 1.) -> tuple[float, float]:
    """Draws a median in its band from p10 to p90, whose ends are returned; hollow where noisy."""
    ends = point['p10'] or point['low'], point['p90'] or point['high']
    axes.plot(ends, (y, y), color=colour, lw=5, alpha=0.25, solid_capstyle='butt', zorder=zorder)
    axes.plot(point['median'], y, marker_of(point['engine']), color=colour, ms=size, mew=mew, zorder=zorder + 1,
              markerfacecolor='white' if point['noisy'] else colour)
    return ends


def _named(front: list[int], points: Sequence[dict]) -> list[int]:
    """One point of each model: the first on the front, else its fastest."""
    chosen: dict[str, int] = {}
    for i in [*front, *sorted(range(len(points)), key=lambda i: points[i]['median'])]:
        chosen.setdefault(points[i]['name'], i)
    return list(chosen.values())


def _label(point: dict, points: Sequence[dict]) -> str:
    extra = [point['engine_name']] if len({other['engine'] for other in points}) > 1 else []
    extra += [point['precision']] if len({other['precision'] for other in points}) > 1 else []
    return ', '.join([point['label'], *extra]) + ('*' if point['noisy'] else '')


def _draw_papers(axes: Any, report: TaskReport) -> None:
    _axes(axes, report.paper, report.metric)
    axes.set_title(f'{PAPER}, on another machine', fontsize=12, fontweight='bold', color=PAPER_COLOUR, loc='left',
                   pad=22)
    axes.text(0, 1.018, report.paper_source, fontsize=8.5, color=SOFT, transform=axes.transAxes)
    for row in report.paper:
        colour = PAPER_COLOUR if row['front'] or row['distilled'] else PAPER_SOFT
        axes.plot(row['ms'], row['accuracy'], 'X', color=colour, ms=8, mew=1.2, zorder=3,
                  markerfacecolor='white' if row['distilled'] else colour, markeredgecolor=colour)
    order = sorted(report.paper, key=lambda row: (not row['front'], not row['distilled'], row['ms']))
    # Distilled models sit right above their undistilled twins, whose labels have the whole name.
    labels = [(row['ms'], row['accuracy'], row['model'].split(' ', row['distilled'])[-1], row['front'])
              for row in order]
    annotate(axes, labels, [(row['ms'], row['accuracy']) for row in report.paper], PAPER_COLOUR, 8.5)


def _strip_rows(points: Sequence[dict], known: Collection[str]) -> list[tuple[str, list[dict]]]:
    """Points by model and precision, the fastest first; those of models that have an accuracy elsewhere come last."""
    several = len({point['precision'] for point in points}) > 1
    rows: dict[str, list[dict]] = {}
    for point in sorted(points, key=lambda point: (point['model'] in known, point['median'])):
        rows.setdefault(point['name'] + f", {point['precision']}" * several, []).append(point)
    return list(rows.items())


def _draw_strip(axes: Any, rows: Sequence[tuple[str, list[dict]]], more: int) -> None:
    scale_ms(axes, [point for _, found in rows for point in found], 9.5)
    # Room for the number left of the fastest point.
    left, right = axes.get_xlim()
    axes.set_xlim(left / 1.3 if axes.get_xscale() == 'log' else left - 0.07 * (right - left), right)
    for place, (_, found) in enumerate(rows):
        lefts = [_mark(axes, point, place, SOFT, 6)[0] for point in found]
        axes.annotate(format_ms(found[0]['median']), (lefts[0], place), (-7, 0), textcoords='offset points',
                      ha='right', va='center', fontsize=8.5, color=SOFT)
    axes.set_title('Latency only: accuracy was not measured' + f', {more} more on the page' * bool(more), fontsize=11,
                   fontweight='bold', color=INK, loc='left')
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=9.5, color=INK)
    axes.set_ylim(len(rows) - 0.4, -0.6)


def _axes(axes: Any, points: Sequence[dict], metric: str) -> None:
    scale_ms(axes, points, 11)
    values = [point['accuracy'] for point in points]
    span = max(max(values) - min(values), 4.)
    axes.set_ylim(max(0., min(values) - 0.14 * span), min(100., max(values) + 0.14 * span))
    axes.set_ylabel(f'{metric} (%)', fontsize=11, color=SOFT)


def annotate(axes: Any, labels: Sequence[tuple[float, float, str, bool]], marks: Sequence[tuple[float, float]],
             colour: str, size: float, lines: Sequence[tuple[float, float, float, float]] = ()) -> None:
    """Writes labels beside their points, those that find no room are left out.

    Args:
        axes: Of matplotlib, with its final scales.
        labels: Place, text and whether it is a bold one in ``colour``; the first ones choose first.
        marks, lines: Points and lines that no label should cover.
        colour, size: Of the text, in points.
    """
    dpi = axes.figure.dpi
    spots = axes.transData.transform([label[:2] for label in labels])
    half = 0.055 * dpi
    obstacles = [(x - half, y - half, x + half, y + half) for x, y in axes.transData.transform(marks)]
    ends = axes.transData.transform([line[:2] for line in lines] + [line[2:] for line in lines]) if lines else []
    bands = [(min(a[0], b[0]) - 3, min(a[1], b[1]) - 6, max(a[0], b[0]) + 3, max(a[1], b[1]) + 6)
             for a, b in zip(ends[:len(lines)], ends[len(lines):], strict=True)]
    frame = axes.get_window_extent()
    texts = [axes.text(0, 0, text, fontsize=size, color=colour if main else SOFT,
                       fontweight='bold' if main else 'normal', va='bottom', zorder=6, clip_on=False)
             for _, _, text, main in labels]
    extents = [text.get_window_extent() for text in texts]
    gap = 0.085 * dpi
    boxes = place_labels([tuple(spot) for spot in spots], [(box.width, box.height) for box in extents],
                         (frame.x0, frame.y0, frame.x1, frame.y1), obstacles, bands, gap)
    back = axes.transData.inverted()
    for text, spot, box in zip(texts, spots, boxes, strict=True):
        if box is None:
            text.remove()
            continue
        text.set_position(back.transform(box[:2]))
        end = leader(tuple(spot), box, gap)
        if end:
            axes.plot(*zip(back.transform(spot), back.transform(end)), color=BEATEN, lw=0.7, zorder=1)


def _legend(axes: Any, points: Sequence[dict], rest: Sequence[dict]) -> None:
    from matplotlib.lines import Line2D
    engines = list(dict.fromkeys(point['engine'] for point in (*points, *rest)))
    marks = [Line2D([], [], color=INK, marker=marker_of(name), ls='', ms=7, label=engine_of(name)) for name in engines]
    if points:
        marks += [Line2D([], [], color=FRONT, lw=2, alpha=0.6, label='Pareto front'),
                  Line2D([], [], color=BEATEN, marker='o', ls='', ms=7, label='beaten')]
    if any(point['spread'] for point in points):
        marks.append(Line2D([], [], color=INK, marker='|', ls='', ms=9, label='all seeds'))
    if any(point['noisy'] for point in (*points, *rest)):
        marks.append(Line2D([], [], color=INK, marker='o', markerfacecolor='white', ls='', ms=7, label='* noisy'))
    # Half an inch below the axis, however high the picture is.
    below = -0.5 / (axes.get_position().height * axes.figure.get_figheight())
    axes.legend(handles=marks, loc='upper left', bbox_to_anchor=(0, below), ncols=6, frameon=False, fontsize=9.5,
                labelcolor=SOFT, handletextpad=0.4, columnspacing=1.4, borderaxespad=0.2)
