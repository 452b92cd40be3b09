"""How far a search is: a table that stays on a terminal, a line for each finished unit elsewhere."""
import sys
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from lcvision.search.criterion import average
from lcvision.search.folder import Folder
from lcvision.search.outcome import finished_rounds
from lcvision.search.plan import Plan
from lcvision.search.tournament import Goals, Results, Unit, curve, planned_epochs, stages

_SECONDS = 0.5


class Progress:
    """Shows groups, rounds, who is in and the time left.

    Args:
        before: Model-epochs that were there when this process began, which tell nothing about its speed.
    """

    def __init__(self, before: int = 0):
        self._start, self._before, self._known, self._drawn = time.monotonic(), before, -1, 0.
        self._live: Any = None
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live
            self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
            self._live.start()

    def update(self, folder: Folder, goals: Goals, running: list[str]) -> None:
        """Draws anew, on a terminal twice a second, elsewhere when a unit has finished."""
        now = time.monotonic()
        if self._live and now - self._drawn < _SECONDS:
            return
        if not self._live and len(folder.refresh()) == self._known:
            return
        results = folder.curves()
        self._drawn, self._known = now, len(results)
        done, total = trained_epochs(folder.plan, results), planned_epochs(folder.plan.rules, goals)
        left = max(0, total - done)
        rate = (now - self._start) / (done - self._before) if done > self._before else None
        eta = f', ETA {timedelta(seconds=round(rate * left))}' if rate else ''
        names = ', '.join(f'{folder.plan.members[unit.candidate].name} round {unit.round}'
                          for unit in map(Unit.parse, sorted(running)) if unit)
        head = f'{done} of {total} model-epochs{eta}' + f'; training {names}' * bool(names)
        if self._live:
            self._live.update(_table(folder.plan, results, head), refresh=True)
        else:
            self._print(head)

    def tell(self, text: str) -> None:
        """Prints a sentence."""
        if self._live:
            self._live.console.print(text, markup=False, highlight=False)
        else:
            self._print(text)

    def close(self) -> None:
        """Gives the bottom of the terminal back."""
        if self._live:
            self._live.stop()

    def _print(self, text: str) -> None:
        print(f'[{time.monotonic() - self._start:6.0f} s] {text}', file=sys.stderr, flush=True)


def trained_epochs(plan: Plan, results: Results) -> int:
    """Model-epochs of all finished units."""
    return sum(plan.rules.length(unit.round) for unit in results)


def _table(plan: Plan, results: Results, head: str) -> Any:
    from rich.table import Table
    table = Table(title=head, title_justify='left', box=None, pad_edge=False)
    for name in ('group', 'round', 'in, with the mean accuracy so far', 'out'):
        table.add_column(name, overflow='fold')
    for place, group in enumerate(plan.rules.groups):
        if len(group) > 1:
            in_turn = stages(plan.rules, group, results)
            out = [one for one in group if one not in in_turn[-1]]
            table.add_row(str(place), 'done' if len(in_turn[-1]) == 1 else str(len(in_turn)),
                          _named(plan, results, in_turn[-1]), _named(plan, results, out), style='' if out else None)
        else:
            table.add_row(str(place), '', _named(plan, results, group), '')
    return table


def _named(plan: Plan, results: Results, members: Sequence[int]) -> str:
    texts = []
    for one in members:
        rounds = finished_rounds(plan, results, one)
        score = f' {average(curve(plan.rules, results, one, rounds)):.4g}' if rounds else ''
        texts.append(plan.members[one].title + score)
    return ', '.join(texts)
