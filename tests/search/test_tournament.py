"""Who trains next and who is out."""
import random

import pytest

from lcvision.search.tournament import (
    Goals,
    Rules,
    Unit,
    eliminations,
    next_units,
    planned_epochs,
    stages,
    still_trains,
)


def reference(curves, loads, group, per_round):
    """The paper's steps 2 to 4 for one group, written down again; curves by candidate, the mean of its seeds."""
    alive, history, epochs = list(group), [list(group)], 0
    while len(alive) > 1:
        epochs += per_round
        score = {one: sum(curves[one][:epochs]) / epochs for one in alive}
        ascending = sorted(alive, key=lambda one: (score[one], -loads[one], -one))
        gone = ascending[:len(ascending) // 2]
        alive = [one for one in alive if one not in gone]
        history.append(alive)
    return history


def train(rules, curves, results, units):
    for unit in units:
        span = slice(rules.end(unit.round - 1), rules.end(unit.round))
        results[unit] = curves[unit.candidate, unit.seed][span]


@pytest.mark.parametrize('case', range(30))
def test_survivors_are_the_references(case):
    rng = random.Random(case)
    sizes = [rng.randint(1, 9) for _ in range(3)]
    places = iter(rng.sample(range(sum(sizes)), sum(sizes)))
    groups = [[next(places) for _ in range(size)] for size in sizes]
    loads = [rng.choice([0., 1., 2.]) for _ in range(sum(sizes))]
    rules = Rules(groups, loads, 40, rng.choice([1, 2, 5]), rng.choice([1, 2, 4]))
    # Few values, so that there are ties; multiples of a quarter add up exactly.
    curves = {(one, seed): [rng.randint(0, 3) for _ in range(40)] for one in range(sum(sizes))
              for seed in range(rules.seeds)}
    means = [[sum(curves[one, seed][epoch] for seed in range(rules.seeds)) / rules.seeds for epoch in range(40)]
             for one in range(sum(sizes))]
    results, cost = {}, 0
    while units := next_units(rules, results):
        chosen = rng.sample(units, rng.randint(1, len(units)))  # whatever comes first
        train(rules, curves, results, chosen)
        cost += len(chosen) * rules.epochs_per_round
    for group in groups:
        assert stages(rules, group, results) == reference(means, loads, group, rules.epochs_per_round)
    assert cost == planned_epochs(rules)


def test_costs_are_the_papers():
    assert eliminations(8) == [8, 4, 2, 1] and eliminations(6) == [6, 3, 2, 1] and eliminations(1) == [1]
    assert planned_epochs(Rules([range(8)], [0.] * 8, 350, 10)) == 140
    assert planned_epochs(Rules([range(4)], [0.] * 4, 350, 10)) == 60
    eight = Rules([range(8 * group, 8 * group + 8) for group in range(8)], [0.] * 64, 350, 10)
    assert planned_epochs(eight) == 1120 and planned_epochs(eight, Goals(champions=True)) == 1120 + 8 * 320
    assert planned_epochs(eight, Goals(full=frozenset(range(8)))) == 22400
    assert planned_epochs(Rules([range(4)], [0.] * 4, 15, 4, 2), Goals(champions=True)) == 2 * (16 + 8 + 4 + 3)


def test_ties_stay_with_the_lighter_then_with_the_lower_place():
    rules = Rules([[0, 1, 2, 3]], [2., 1., 1., 3.], 2, 1)
    results = {Unit(one, 1, 0): [50.] for one in range(4)}
    assert stages(rules, [0, 1, 2, 3], results)[-1] == [1, 2]
    results |= {Unit(one, 2, 0): [50.] for one in (1, 2)}
    assert stages(rules, [0, 1, 2, 3], results)[-1] == [1]


def test_groups_do_not_wait_for_each_other():
    rules = Rules([[0, 1], [2, 3]], [0.] * 4, 3, 1)
    results = {Unit(0, 1, 0): [1.], Unit(1, 1, 0): [2.], Unit(2, 1, 0): [1.]}
    assert next_units(rules, results) == [Unit(3, 1, 0)]
    assert next_units(rules, results, Goals(champions=True)) == [Unit(3, 1, 0), Unit(1, 2, 0)]
    full = Goals(full=frozenset([0]))
    assert next_units(rules, results, full) == [Unit(3, 1, 0), Unit(0, 2, 0), Unit(1, 2, 0)]
    assert still_trains(rules, results, Goals()) == {1, 2, 3} and still_trains(rules, results, full) == {0, 1, 2, 3}


def test_no_unit_begins_before_the_round_before_is_there():
    rules = Rules([[0, 1]], [0.] * 2, 6, 2, 2)
    goals, results = Goals(champions=True, full=frozenset([0])), {}
    while units := next_units(rules, results, goals):
        assert all(unit.round == 1 or unit._replace(round=unit.round - 1) in results for unit in units)
        results |= {unit: [float(unit.candidate)] * 2 for unit in units[:1]}
    assert len(results) == 2 * 2 * 3


def test_names_of_units():
    unit = Unit(12, 3, 1)
    assert str(unit) == 'c012-s1-r003' and Unit.parse(str(unit)) == unit
    assert Unit.parse('c12-s1') is None and Unit.parse('.c012-s1-r003.ab') is None
