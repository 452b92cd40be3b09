"""What a multiply-add costs in each family of networks."""
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lcvision.latency.record import LatencyRecord
from lcvision.latency.table import format_count, format_ms
from lcvision.report.names import engine_of, model_of
from lcvision.report.style import BEATEN, INK, SOFT, plain_frame, plain_ticks, save

# Beginning of a config's name, the family's name and its colour (Okabe and Ito's); other models are grey.
_FAMILIES = (
    ('pplcnet', 'PP-LCNet', '#0072B2'),
    ('elite', 'EfficientNet-eLite', '#D55E00'),
    ('hf', 'EfficientNet-HF', '#E69F00'),
    ('seesaw_shuffle', 'Seesaw-shuffle', '#009E73'),
    ('seesaw_share_v1', 'Seesaw-share v1', '#CC79A7'),
    ('mobilenetv1', 'MobileNetV1', BEATEN),
    ('mobilenetv2', 'MobileNetV2', BEATEN),
    ('mobilenetv3', 'MobileNetV3', BEATEN),
    ('shufflenetv2', 'ShuffleNetV2', BEATEN),
)
_OWN = 5
_LINES = ('--', ':', '-.', (0, (1, 4)), (0, (6, 3, 1, 3, 1, 3)))
_APART = 9.


def families_table(records: Sequence[LatencyRecord]) -> list[list[str]]:
    """Lays out a benchmark of classifiers, a row each.

    Args:
        records: All at one input size.

    Returns:
        Rows, the first of which is the head: parameters, multiply-adds, milliseconds of each engine and number of
        threads, and the multiply-adds of a second of the quickest on one thread.
    """
    kinds = sorted({(record.threads, record.engine) for record in records})
    head = ['model', 'params', 'MACs', *(f'ms, {engine_of(engine)}, {threads} thr' for threads, engine in kinds),
            f'GMAC/s, {kinds[0][0]} thr']
    rows = []
    for stem, found in _by_name(records).items():
        ms = {(record.threads, record.engine): record for record in found}
        quickest = min(record.latency_ms.median for record in found if record.threads == kinds[0][0])
        rows.append([model_of(stem), format_count(found[0].params), format_count(found[0].macs),
                     *(_cell(ms[kind]) if kind in ms else '-' for kind in kinds),
                     f"{(found[0].macs or 0) / quickest / 1e6:.0f}"])
    return [head, *rows]


def draw_families(records: Sequence[LatencyRecord], path: str | Path) -> None:
    """Draws milliseconds against multiply-adds, a panel for each number of threads; areas are parameters.

    Args:
        records: As for :func:`families_table`.
        path: A picture file; its folder is made.
    """
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    threads = sorted({record.threads for record in records})
    engines = sorted({record.engine for record in records})
    # The last engine's line is whole and its points are filled.
    lines = [*_LINES[:len(engines) - 1], '-']
    figure = Figure(figsize=(13.3, 6.8), layout='constrained')
    panels = figure.subplots(1, len(threads), sharex=True, sharey=True, squeeze=False)[0]
    for axes, count in zip(panels, threads, strict=True):
        here = [record for record in records if record.threads == count]
        # First of all: labels keep their distance in pixels.
        _frame(axes, records, f'{count} thread{"s" if count > 1 else ""}')
        named: list[Any] = []
        for place, engine in enumerate(engines):
            for start, _, colour in _FAMILIES:
                found = sorted((record for record in here if record.engine == engine and _of(record, start)),
                               key=lambda record: record.macs or 0)
                _draw_family(axes, found, colour, lines[place], place == len(engines) - 1, named)
    panels[0].set_ylabel('ms for one image, logarithmic', fontsize=11, color=SOFT)
    shown = [family for family in _FAMILIES[:_OWN] if any(_of(record, family[0]) for record in records)]
    marks = [Line2D([], [], color=colour, marker='o', lw=2, label=name) for _, name, colour in shown]
    if any(_of(record, start) for record in records for start, _, _ in _FAMILIES[_OWN:]):
        marks.append(Line2D([], [], color=BEATEN, marker='o', lw=2, label='MobileNet, ShuffleNet'))
    marks += [Line2D([], [], color=INK, ls=lines[place], marker='o', lw=1.4, label=engine_of(engine),
                     markerfacecolor=INK if place == len(engines) - 1 else 'white')
              for place, engine in enumerate(engines)]
    figure.legend(handles=marks, loc='outside lower center', ncols=len(marks), frameon=False, fontsize=10,
                  labelcolor=SOFT, columnspacing=1.4, handletextpad=0.5)
    figure.suptitle(f'What a multiply-add costs: classifiers at {records[0].size}, one image at a time', fontsize=17,
                    fontweight='bold', color=INK, x=0.012, ha='left')
    save(figure, path)


def _draw_family(axes: Any, found: Sequence[LatencyRecord], colour: str, line: Any, filled: bool,
                 named: list[Any]) -> None:
    x, y = [(record.macs or 0) / 1e6 for record in found], [record.latency_ms.median for record in found]
    axes.plot(x, y, line, color=colour, lw=2 if filled else 1.3, alpha=0.8, zorder=2)
    axes.scatter(x, y, s=[14 + 22 * (record.params or 0) / 1e6 for record in found], edgecolors=colour, linewidths=1.3,
                 facecolors=colour if filled else 'white', zorder=3)
    if filled and found:
        for place, offset in [(0, (8, -10)), (-1, (11, -5))][:len(found)]:
            # Two families at one point share the label of the first.
            spot = axes.transData.transform((x[place], y[place]))
            if all(abs(spot - other).max() > _APART for other in named):
                named.append(spot)
                axes.annotate(model_of(found[place].name), (x[place], y[place]), offset, fontsize=8.5,
                              textcoords='offset points', color=SOFT if colour == BEATEN else colour)


def _frame(axes: Any, records: Sequence[LatencyRecord], title: str) -> None:
    axes.set(xscale='log', yscale='log')
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis, range(-1, 4), (1, 2, 5))
    macs = [(record.macs or 0) / 1e6 for record in records]
    axes.set_xlim(min(macs) / 1.2, max(macs) * 2.2)
    ms = [record.latency_ms.median for record in records]
    axes.set_ylim(min(ms) / 1.3, max(ms) * 1.3)
    axes.set_title(title, fontsize=12, fontweight='bold', color=INK, loc='left')
    axes.set_xlabel('million multiply-adds, logarithmic; areas: parameters', fontsize=11, color=SOFT)
    plain_frame(axes)


def _by_name(records: Sequence[LatencyRecord]) -> dict[str, list[LatencyRecord]]:
    found: dict[str, list[LatencyRecord]] = {}
    for record in records:
        found.setdefault(record.name, []).append(record)
    return found


def _of(record: LatencyRecord, start: str) -> bool:
    return record.name.startswith(start)


def _cell(record: LatencyRecord) -> str:
    return format_ms(record.latency_ms.median) + ('\\*' if record.noisy else '')
