"""Colours and marks of the pictures, which the page's stylesheet and script share, and what all pictures have."""
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lcvision.deploy.engines import ENGINES, Engine

# Okabe and Ito's blue and vermilion, which the colour-blind tell apart, and greys.
FRONT, PAPER_COLOUR, BEATEN = '#0072B2', '#D55E00', '#9AA5B1'
INK, SOFT, GRID = '#1F2933', '#616E7C', '#E4E7EB'
PAPER_SOFT = '#F0B48A'
# Quotient of the largest and smallest milliseconds from which on their axis is logarithmic.
_LOG_FROM = 6.


def marker_of(engine: str) -> str:
    """matplotlib's marker for an engine; those that are not known here share one."""
    return ENGINES.get(engine, Engine).marker


def save(figure: Any, path: str | Path, dpi: int = 150) -> None:
    """Writes a picture, whose folder is made; the same points give the same file."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=dpi, metadata={'Software': None}, facecolor='white')  # without the program's name


def limits(points: Sequence[dict]) -> tuple[float, float, bool]:
    """Ends of the axis of milliseconds, and whether it is logarithmic.

    The points, at least one, have ``median`` and, where known, ``p10``, ``p90``, ``low`` and ``high``.
    """
    low = min(min(point['median'], point.get('p10') or point['median']) for point in points)
    high = max(max(point['median'], point.get('p90') or point['median'], point.get('high') or 0) for point in points)
    if high / low >= _LOG_FROM:
        return low / 1.25, high * 1.5, True
    span = high - low or high / 2
    return max(0., low - 0.12 * span), high + 0.25 * span, False


def scale_ms(axes: Any, points: Sequence[dict], size: float) -> None:
    """Gives a picture its axis of milliseconds, named in ``size`` points, and its plain frame; see :func:`limits`."""
    left, right, logarithmic = limits(points)
    if logarithmic:
        axes.set_xscale('log')
        plain_ticks(axes.xaxis, range(-3, 6), (1, 1.5, 2, 3, 4, 5, 7) if right / left < 20 else (1, 2, 5))
    else:
        axes.xaxis.set_major_formatter('{x:g}')
    axes.set_xlim(left, right)
    axes.set_xlabel('ms for one image' + (', logarithmic' if logarithmic else ''), fontsize=size, color=SOFT)
    plain_frame(axes, size - 1)
    axes.spines['left'].set_visible(False)
    axes.spines['bottom'].set_color(BEATEN)


def plain_ticks(axis: Any, powers: Sequence[int], mantissas: Sequence[float]) -> None:
    """Marks a logarithmic axis at plain numbers, ``mantissas`` times the ``powers`` of ten."""
    from matplotlib.ticker import FixedLocator, NullLocator
    axis.set_major_locator(FixedLocator([mantissa * 10. ** power for power in powers for mantissa in mantissas]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter('{x:g}')


def plain_frame(axes: Any, size: float | None = None) -> None:
    """Grey numbers in ``size`` points, a grid behind the points, no frame above and to the right."""
    axes.tick_params(colors=SOFT, length=0, **(dict(labelsize=size) if size else {}))
    axes.grid(color=GRID, lw=0.8)
    axes.set_axisbelow(True)
    axes.spines[['top', 'right']].set_visible(False)
