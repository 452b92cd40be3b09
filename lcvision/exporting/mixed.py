"""A precision for each group of layers, chosen by measuring on this machine."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lcvision.exporting.quantisers import Quantiser, this_cpu
from lcvision.timing.rounds import Budget, measure_rounds, quietly

_BUDGET = Budget(samples=60, max_seconds=1.5, warmup_seconds=.5, rounds=10)
# What a change must save to be believed, and how much slower than the best a start may be.
_GAIN, _HOPEFUL = .99, 1.25

State = dict[str, str]
"""The precision of each group."""


@dataclass
class LayerGroup:
    """What was measured of a group of layers.

    Attributes:
        name: Of the group.
        layers: How many it has.
        ms: Milliseconds of the whole network with this group alone in another precision, by precision.
        chosen: Its precision in the end.
    """

    name: str
    layers: int
    ms: dict[str, float]
    chosen: str


def search(trial: Quantiser, image: bytes, floats: Sequence[str],
           progress: Callable[[str], object]) -> tuple[State, list[LayerGroup]]:
    """Finds the quickest precisions: from each single precision that is quick enough, one group after the other is
    changed while that saves time. What is quickest is decided between all results and single precisions, in turns.

    Args:
        trial: Makes the candidates; the sensitive groups stay in float.
        image: Image file to run on.
        floats: What this CPU has of 'fp32' and 'bf16'.
        progress: Told what is going on.
    """
    return _Search(trial, image, floats, progress).run()


class _Search:
    def __init__(self, trial: Quantiser, image: bytes, floats: Sequence[str], progress: Callable[[str], object]):
        self.trial, self.image, self.floats, self.progress = trial, image, floats, progress
        self.groups = {layer.group: layer.fixed for layer in trial.layers}
        self._x = trial.input(image)
        self._quantised: dict[frozenset[str], Any] = {}

    def run(self) -> tuple[State, list[LayerGroup]]:
        """The quickest state, and the groups."""
        singles = [dict.fromkeys(self.groups, number) for number in self.floats]
        singles += [{group: number if fixed else 'int8' for group, fixed in self.groups.items()}
                    for number in self.floats]
        self.progress(f'measuring {len(self.groups)} groups of layers in {", ".join((*self.floats, "int8"))}')
        times = self.times(*singles)
        count = len(self.floats)
        places = [int(np.argmin(part)) + start for part, start in ((times[:count], 0), (times[count:], count))]
        found = [self.descend(singles[place], times[place]) for place in places
                 if times[place] < _HOPEFUL * min(times)]
        candidates = [*singles, *(state for state, _ in found)]
        times = self.times(*candidates)
        times[len(singles):] /= _GAIN  # a single precision is simpler
        best = candidates[int(times.argmin())]
        rows = next((rows for state, rows in found if state == best), found[0][1])
        for row in rows:
            row.chosen = best[row.name]
        return best, rows

    def descend(self, start: State, ms: float) -> tuple[State, list[LayerGroup]]:
        """Changes groups one by one, those first that alone save most."""
        rows, shares = [], {}
        for group, fixed in self.groups.items():
            taken = {start[group]: ms}
            for number in (*self.floats, *(() if fixed else ('int8',))):
                if number not in taken:
                    one, other = self.times({**start, group: number}, start)
                    shares[group, number] = one / other
                    taken[number] = ms * one / other
            rows.append(LayerGroup(group, self.trial.count({group}), taken, start[group]))
        current = start
        for (group, number), share in sorted(shares.items(), key=lambda item: item[1]):
            if share < _GAIN:
                changed = {**current, group: number}
                one, other = self.times(changed, current)
                current = changed if one < _GAIN * other else current
        return current, rows

    def times(self, *states: State) -> np.ndarray:
        """Median milliseconds of each, in turns."""
        runs = [self._run(state) for state in states]
        series = quietly(lambda: measure_rounds(runs, _BUDGET), self.trial.file.threads)
        return np.array([np.median(one.samples_ms) for one in series])

    def _run(self, state: State) -> Callable[[], object]:
        ops = frozenset(self.trial.ops({group for group, number in state.items() if number == 'int8'}))
        if ops not in self._quantised:
            self._quantised[ops] = self.trial.quantised({*ops}, [self.image], quick=True)
        run = self.trial.running(replace(mixed_graph(self.trial, state), converted=self._quantised[ops]))
        return lambda: run(self._x)


def mixed_graph(trial: Quantiser, state: State) -> Any:
    """The file's graph with the precision, the exact layers and the metadata of a state, before it is quantised."""
    rest = 'bf16' if 'bf16' in state.values() else 'fp32'
    exact = trial.ops({group for group, number in state.items() if number == 'fp32'}) if rest == 'bf16' else set()
    graph, precision = trial.file.graph, f'mixed-{rest}'
    return replace(graph, precision=precision, exact=frozenset(exact), metadata={
        **(graph.metadata or {}), 'precision': precision,
        'mixed': {'groups': state, **this_cpu()}})
