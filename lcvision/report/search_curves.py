"""A picture of a search: who was in for how long."""
from pathlib import Path
from typing import Any

from lcvision.report.style import BEATEN, FRONT, GRID, INK, PAPER_COLOUR, SOFT

_WIDTH, _HEIGHT, _COLUMNS, _DPI = 4.4, 3.2, 4, 150


def draw_curves(outcome: dict[str, Any], path: str | Path) -> None:
    """Draws the accuracy of every candidate after each epoch, a panel a group.

    Thick lines are what the tournament saw, thin ones what was trained beyond it; vertical lines are eliminations.

    Args:
        outcome: As ``search.json`` has it.
        path: A .png file; its folder is made.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    groups = outcome['groups']
    columns = min(_COLUMNS, len(groups))
    rows = -(-len(groups) // columns)
    figure = Figure(figsize=(max(_WIDTH * columns, 8), _HEIGHT * rows + 0.6), layout='constrained')
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, group in zip(panels, groups):
        _draw_group(axes, group, outcome)
    for axes in panels[len(groups):]:
        axes.set_axis_off()
    seeds = f", mean of {outcome['seeds']} seeds" * (outcome['seeds'] > 1)
    figure.suptitle(f"{outcome['metric']} after each epoch{seeds}; champions in blue", fontsize=13, color=INK,
                    fontweight='bold')
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=_DPI, metadata={'Software': None}, facecolor='white')


def _draw_group(axes: Any, group: dict[str, Any], outcome: dict[str, Any]) -> None:
    per_round, best = outcome['epochs_per_round'], _best(group)
    for row in group['members']:
        champion = row['name'] == group['champion']
        colour = FRONT if champion else PAPER_COLOUR if row['name'] == best else BEATEN
        played = len(row['curve']) if row['out'] is None else row['out'] * per_round
        epochs = range(1, len(row['curve']) + 1)
        axes.plot(epochs, row['curve'], color=colour, lw=0.9, zorder=2 + champion)
        axes.plot(epochs[:played], row['curve'][:played], color=colour, lw=2.2, zorder=3 + champion, marker='o', ms=3)
        if row['curve']:
            axes.annotate(row['title'], (len(row['curve']), row['curve'][-1]), (4, 0), textcoords='offset points',
                          fontsize=7.5, color=colour if champion else SOFT, va='center')
    for turn in range(1, len(group['stages'])):
        axes.axvline(turn * per_round + 0.5, color=SOFT, lw=0.8, ls=':')
    note = f"; best at the end: {best}" if best and best != group['champion'] else ''
    axes.set_title(f"group {group['group']}: {group['champion'] or 'not decided'}{note}", fontsize=9.5, color=INK,
                   loc='left')
    axes.set_xlabel('epoch', fontsize=8.5, color=SOFT)
    axes.tick_params(colors=SOFT, labelsize=8, length=0)
    axes.grid(color=GRID, lw=0.8)
    axes.margins(x=0.18)
    axes.spines[['top', 'right', 'left']].set_visible(False)
    axes.spines['bottom'].set_color(BEATEN)


def _best(group: dict[str, Any]) -> str | None:
    """Who is best at the end, where the whole group was trained to it."""
    return group['full']['order'][0] if 'full' in group else None
