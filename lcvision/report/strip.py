"""Models that have milliseconds but no accuracy, a row each."""
from collections.abc import Collection, Sequence
from typing import Any

from lcvision.latency.table import format_ms
from lcvision.report.style import INK, SOFT, marker_of, scale_milliseconds

ROWS = 10
"""Rows of a picture that shows points with accuracy as well."""


def strip_rows(points: Sequence[dict], known: Collection[str] = ()) -> list[tuple[str, list[dict]]]:
    """Groups points by model and precision.

    Args:
        points: Without accuracy.
        known: Models that have an accuracy in another precision or size; they come last.

    Returns:
        Name and points of each row, that of the quickest point first.
    """
    several = len({point['precision'] for point in points}) > 1
    rows: dict[str, list[dict]] = {}
    for point in sorted(points, key=lambda point: (point['model'] in known, point['median'])):
        rows.setdefault(f"{point['name']}, {point['precision']}" if several else point['name'], []).append(point)
    return list(rows.items())


def draw_strip(axes: Any, rows: Sequence[tuple[str, list[dict]]], points: Sequence[dict]) -> None:
    """Draws the milliseconds of each model's points on a line.

    Args:
        axes: Where.
        rows: As :func:`strip_rows` gives them, maybe only the first.
        points: All of them: the heading says how many rows are left out.
    """
    scale_milliseconds(axes, [point for _, found in rows for point in found], 9.5)
    # Room for the number left of the quickest point.
    left, right = axes.get_xlim()
    axes.set_xlim(left / 1.3 if axes.get_xscale() == 'log' else left - 0.07 * (right - left), right)
    for place, (_, found) in enumerate(rows):
        for point in found:
            axes.plot((point['p10'] or point['low'], point['p90'] or point['high']), (place, place), color=SOFT, lw=5,
                      alpha=0.22, solid_capstyle='butt')
            axes.plot(point['median'], place, marker_of(point['engine']), color=SOFT, ms=6,
                      markerfacecolor='white' if point['noisy'] else SOFT)
        start = found[0]['p10'] or found[0]['low']
        axes.annotate(format_ms(found[0]['median']), (start, place), (-7, 0), textcoords='offset points', ha='right',
                      va='center', fontsize=8.5, color=SOFT)
    total = len(strip_rows(points))
    more = f', {total - len(rows)} more on the page' if total > len(rows) else ''
    axes.set_title(f'Latency only: accuracy was not measured{more}', fontsize=11, fontweight='bold', color=INK,
                   loc='left')
    axes.set_yticks(range(len(rows)), [name for name, _ in rows], fontsize=9.5, color=INK)
    axes.set_ylim(len(rows) - 0.4, -0.6)
