"""Who trains next, and who is out: all of it follows from the results so far."""
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import NamedTuple

from lcvision.search.criterion import Curve, average, mean_curve


class Unit(NamedTuple):
    """What is trained at once: a round (from 1) of a run (``seed``, from 0) of the candidate at a place of the pool."""

    candidate: int
    round: int
    seed: int

    def __str__(self) -> str:
        return f'c{self.candidate:03}-s{self.seed}-r{self.round:03}'

    @classmethod
    def parse(cls, text: str) -> 'Unit | None':
        """The unit of a name; None where it is no unit's."""
        found = re.fullmatch(r'c(\d+)-s(\d+)-r(\d+)', text)
        return cls(int(found[1]), int(found[3]), int(found[2])) if found else None


Results = Mapping[Unit, Curve]
"""Accuracy after each epoch of a finished unit."""


@dataclass(frozen=True)
class Rules:
    """What a tournament is played by.

    Attributes:
        groups: Places of the candidates that compete with each other.
        loads: See :func:`lcvision.search.groups.loads`; of two equally good candidates the lighter stays.
        epochs: Length of the whole training, which the schedule is made for.
        epochs_per_round: Epochs between two eliminations.
        seeds: Runs of each candidate, over which the criterion is averaged.
    """

    groups: Sequence[Sequence[int]]
    loads: Sequence[float]
    epochs: int
    epochs_per_round: int
    seeds: int = 1

    @property
    def rounds(self) -> int:
        """Rounds of a whole training."""
        return math.ceil(self.epochs / self.epochs_per_round)

    def end(self, round_: int) -> int:
        """The epoch that a round ends with."""
        return min(round_ * self.epochs_per_round, self.epochs)

    def length(self, round_: int) -> int:
        """Epochs of a round; the last one may be shorter."""
        return self.end(round_) - self.end(round_ - 1)


@dataclass(frozen=True)
class Goals:
    """What is wanted beside the champions.

    Attributes:
        champions: Whether the champions train to the end.
        full: Places of the groups whose members all train to the end, which shows whether the right one has won.
    """

    champions: bool = False
    full: frozenset[int] = field(default_factory=frozenset)


def eliminations(size: int) -> list[int]:
    """How many are in at each round, and at last the one that stays: 8, 4, 2, 1."""
    sizes = [size]
    while sizes[-1] > 1:
        sizes.append(sizes[-1] - sizes[-1] // 2)
    return sizes


def curve(rules: Rules, results: Results, candidate: int, rounds: int) -> list[float]:
    """A candidate's accuracies up to a round, averaged over its seeds."""
    return mean_curve([list(chain.from_iterable(results[Unit(candidate, turn, seed)] for turn in range(1, rounds + 1)))
                       for seed in range(rules.seeds)])


def stages(rules: Rules, group: Sequence[int], results: Results) -> list[list[int]]:
    """Who is in at the start of each round: first all of the group, last those that are in now.

    A round counts once all of its results are there; the group is decided when one is left.
    """
    found = [list(group)]
    while len(found[-1]) > 1 and all(unit in results for unit in _units(rules, found[-1], len(found))):
        scores = {one: average(curve(rules, results, one, len(found))) for one in found[-1]}
        best = sorted(found[-1], key=lambda one: (-scores[one], rules.loads[one], one))
        stay = set(best[:len(best) - len(best) // 2])
        found.append([one for one in found[-1] if one in stay])
    return found


def next_units(rules: Rules, results: Results, goals: Goals | None = None) -> list[Unit]:
    """What can be trained now; nothing when all is done.

    Groups do not wait for each other. What the goals add comes behind what the tournament needs.
    """
    goals, needed, added = goals or Goals(), [], []
    for place, group in enumerate(rules.groups):
        in_turn = stages(rules, group, results)
        if len(in_turn[-1]) > 1:
            needed += [unit for unit in _units(rules, in_turn[-1], len(in_turn)) if unit not in results]
        further = group if place in goals.full else in_turn[-1] if goals.champions and len(in_turn[-1]) == 1 else ()
        added += [unit for one in further for unit in _continuations(rules, one, results)]
    return list(dict.fromkeys(needed + added))


def counted_units(rules: Rules, results: Results) -> list[Unit]:
    """Units that the eliminations so far stand on, and those that have to follow before the next."""
    return [unit for group in rules.groups for turn, members in enumerate(stages(rules, group, results), 1)
            if len(members) > 1 for unit in _units(rules, members, turn)]


def planned_epochs(rules: Rules, goals: Goals | None = None) -> int:
    """Model-epochs of the whole tournament, with what the goals add; they do not depend on who wins."""
    goals, total = goals or Goals(), 0
    for place, group in enumerate(rules.groups):
        sizes = eliminations(len(group))
        for turn in range(1, rules.rounds + 1):
            playing = sizes[turn - 1] if turn < len(sizes) else int(goals.champions)
            total += rules.length(turn) * (len(group) if place in goals.full else playing)
    return total * rules.seeds


def units_in_round(rules: Rules, round_: int) -> int:
    """How many units of a round there can be at most, were all groups to play it at once."""
    sizes = (eliminations(len(group)) for group in rules.groups)
    return rules.seeds * sum(one[min(round_, len(one)) - 1] for one in sizes)


def still_trains(rules: Rules, results: Results, goals: Goals) -> set[int]:
    """Candidates that are in, champions included, or that train to the end whatever happens."""
    inside: Iterable[Sequence[int]] = (
        group if place in goals.full else stages(rules, group, results)[-1] for place, group in enumerate(rules.groups))
    return set(chain.from_iterable(inside))


def _units(rules: Rules, members: Sequence[int], round_: int) -> list[Unit]:
    return [Unit(one, round_, seed) for one in members for seed in range(rules.seeds)]


def _continuations(rules: Rules, candidate: int, results: Results) -> Iterator[Unit]:
    """The first round of each seed that is missing."""
    for seed in range(rules.seeds):
        missing = (unit for turn in range(1, rules.rounds + 1) if (unit := Unit(candidate, turn, seed)) not in results)
        yield from list(missing)[:1]
