"""Colours and marks of the pictures; the page's stylesheet and script have the same."""
from collections.abc import Sequence
from typing import Any

from lcvision.deploy.engines import ENGINES, Engine

# Okabe and Ito's blue and vermilion, which the colour-blind tell apart, and greys.
FRONT, PAPER_COLOUR, BEATEN = '#0072B2', '#D55E00', '#9AA5B1'
INK, SOFT, GRID = '#1F2933', '#616E7C', '#E4E7EB'
PAPER_SOFT = '#F0B48A'

LOG_FROM = 6.
"""Quotient of the largest and smallest milliseconds from which on their axis is logarithmic."""


def marker_of(engine: str) -> str:
    """matplotlib's marker for an engine; those that are not known here share one."""
    return ENGINES.get(engine, Engine).marker


def limits(points: Sequence[dict]) -> tuple[float, float, bool]:
    """Ends of the axis of milliseconds, and whether it is logarithmic.

    Args:
        points: With ``median`` and, where known, ``p10``, ``p90``, ``low`` and ``high``; at least one.
    """
    low = min(min(point['median'], point.get('p10') or point['median']) for point in points)
    high = max(max(point['median'], point.get('p90') or point['median'], point.get('high') or 0) for point in points)
    if high / low >= LOG_FROM:
        return low / 1.25, high * 1.5, True
    span = high - low or high / 2
    return max(0., low - 0.12 * span), high + 0.25 * span, False


def scale_milliseconds(axes: Any, points: Sequence[dict], size: float) -> None:
    """Gives a picture its axis of milliseconds and its plain frame.

    Args:
        axes: Where.
        points: As for :func:`limits`.
        size: Of the axis's name, in points.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
    left, right, logarithmic = limits(points)
    if logarithmic:
        axes.set_xscale('log')
        mantissas = (1, 1.5, 2, 3, 4, 5, 7) if right / left < 20 else (1, 2, 5)
        axes.xaxis.set_major_locator(FixedLocator([m * 10. ** e for e in range(-3, 6) for m in mantissas]))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_minor_formatter(NullFormatter())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f'{x:g}'))
    axes.set_xlim(left, right)
    axes.set_xlabel('ms for one image' + (', logarithmic' if logarithmic else ''), fontsize=size, color=SOFT)
    axes.tick_params(colors=SOFT, labelsize=size - 1, length=0)
    axes.grid(color=GRID, lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[['top', 'right', 'left']].set_visible(False)
    axes.spines['bottom'].set_color(BEATEN)
