"""A picture of a search: who was in for how long."""
from pathlib import Path
from typing import Any

from lcvision.report.style import BEATEN, FRONT, INK, PAPER_COLOUR, SOFT, plain_frame, save
from lcvision.tasks import task_of_metrics

_WIDTH, _HEIGHT, _DPI = 5.6, 3.5, 130
_GAP = 0.055  # between two names, of the panel's height


def draw_curves(outcome: dict[str, Any], path: str | Path) -> None:
    """Draws the accuracy of every candidate after each epoch, one panel per group.

    Thick lines are what the tournament saw, thin ones what was trained beyond it; vertical lines are eliminations.
    ``outcome`` is as ``search.json`` has it, ``path`` a .png file, whose folder is made.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    groups = outcome['groups']
    columns = 1 if len(groups) == 1 else 2 if len(groups) <= 4 else 4
    rows = -(-len(groups) // columns)
    figure = Figure(figsize=(max(_WIDTH * columns, 8), _HEIGHT * rows + 0.6), layout='constrained')
    FigureCanvasAgg(figure)
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, group in zip(panels, groups):
        _draw_group(axes, group, outcome['epochs_per_round'])
    for axes in panels[len(groups):]:
        axes.set_axis_off()
    task = task_of_metrics([outcome['metric']])
    title = f"{task.title if task else outcome['metric']} after each epoch"
    seeds = f", mean of {outcome['seeds']} seeds" * (outcome['seeds'] > 1)
    figure.suptitle(f'{title[:1].upper()}{title[1:]}{seeds}: champions in blue', fontsize=14, color=INK,
                    fontweight='bold')
    save(figure, path, _DPI)


def _draw_group(axes: Any, group: dict[str, Any], per_round: int) -> None:
    from matplotlib.ticker import MaxNLocator
    best = group['full']['order'][0] if 'full' in group else None
    ends: dict[int, list[tuple[float, str, str]]] = {}
    for row in group['members']:
        champion, curve = row['name'] == group['champion'], row['curve']
        colour = FRONT if champion else PAPER_COLOUR if row['name'] == best else BEATEN
        played = per_round * (len(group['stages']) - 1 if row['out'] is None else row['out'])
        epochs = range(1, len(curve) + 1)
        axes.plot(epochs, curve, color=colour, lw=1, zorder=2 + champion)
        axes.plot(epochs[:played], curve[:played], color=colour, lw=2.4, zorder=3 + champion, marker='o', ms=3.5)
        if curve:
            ends.setdefault(len(curve), []).append((curve[-1], row['title'], SOFT if colour == BEATEN else colour))
    low, high = axes.get_ylim()
    for epoch, names in ends.items():
        floor = low
        for value, text, colour in sorted(names):
            floor = max(value, floor)
            axes.annotate(text, (epoch, floor), (6, 0), textcoords='offset points', fontsize=9, color=colour,
                          va='center')
            floor += _GAP * (high - low)
    for turn in range(1, len(group['stages'])):
        axes.axvline(turn * per_round + 0.5, color=SOFT, lw=0.8, ls=':')
    note = f'; best at the end: {best}' if best and best != group['champion'] else ''
    axes.set_title(f"group {group['group']}: {group['champion'] or 'not decided'}{note}", fontsize=11, color=INK,
                   loc='left')
    axes.set_xlabel('epoch', fontsize=9.5, color=SOFT)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlim(0.5, max(ends, default=1) * 1.12 + 0.5)
    plain_frame(axes, 9)
    axes.spines['left'].set_visible(False)
    axes.spines['bottom'].set_color(BEATEN)
