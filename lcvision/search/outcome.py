"""What a search has found: everything here follows from the plan and the results, and is the same each time."""
from collections.abc import Mapping, Sequence
from statistics import fmean, pstdev, stdev
from typing import Any

from lcvision.search.criterion import CRITERIA, Curve, average, judge_criterion
from lcvision.search.plan import Plan
from lcvision.search.tournament import Results, Unit, counted_units, curve, stages


def search_outcome(plan: Plan, results: Results) -> dict[str, Any]:
    """Groups, champions, and what is known about the criterion, as plain JSON.

    Returns:
        'groups' have their members, the heaviest first, with the epochs that they trained, their average
        and last accuracy, and the round they went out in; 'full' is there for groups that trained to the end.
    """
    rules = plan.rules
    counted = [unit for unit in counted_units(rules, results) if unit in results]
    return dict(
        plan=plan.hash, metric=plan.metric, seeds=plan.seeds, epochs=plan.epochs,
        epochs_per_round=plan.epochs_per_round, pool=_pool(plan),
        groups=[_group(plan, place, results) for place in range(len(rules.groups))],
        model_epochs=dict(
            tournament=sum(rules.length(unit.round) for unit in counted),
            trained=sum(rules.length(unit.round) for unit in results),
            training_all=sum(map(len, rules.groups)) * rules.epochs * rules.seeds))


def finished_rounds(plan: Plan, results: Results, candidate: int) -> int:
    """Rounds that all seeds of a candidate have."""
    turn = 0
    while turn < plan.rules.rounds and all(Unit(candidate, turn + 1, seed) in results for seed in range(plan.seeds)):
        turn += 1
    return turn


def finals(plan: Plan, results: Results, candidate: int) -> list[float]:
    """The accuracy at the end of each seed's training; empty where it is not there yet."""
    ends = [results.get(Unit(candidate, plan.rules.rounds, seed)) for seed in range(plan.seeds)]
    return [end[-1] for end in ends if end] if all(ends) else []


def spread(values: Sequence[float]) -> dict[str, float]:
    """Mean and spread of the seeds of one thing."""
    return dict(mean=_rounded(fmean(values)), std=_rounded(stdev(values)) if len(values) > 1 else 0.,
                min=_rounded(min(values)), max=_rounded(max(values)), n=len(values))


def _pool(plan: Plan) -> dict[str, Any]:
    """Means and population deviations in millions, references included; table 4's text prints them for the paper's."""
    found: dict[str, Any] = dict(size=len(plan.members))
    for kind in ('params', 'macs'):
        values = [getattr(member, kind) / 1e6 for member in plan.members]
        found[kind] = dict(mean=_rounded(fmean(values)), std=_rounded(pstdev(values)))
    return found


def _group(plan: Plan, place: int, results: Results) -> dict[str, Any]:
    rules, group = plan.rules, plan.rules.groups[place]
    in_turn = stages(rules, group, results)
    members = []
    for one in group:
        member, rounds = plan.members[one], finished_rounds(plan, results, one)
        line = curve(rules, results, one, rounds) if rounds else []
        # What is trained beyond a candidate's elimination does not count for it.
        played = sum(one in stage for stage in in_turn[:-1])
        judged = line[:rules.end(played)] if played else line
        members.append(dict(
            name=member.name, title=member.title, params=member.params, macs=member.macs,
            load=_rounded(member.load), epochs=len(line), out=None if one in in_turn[-1] else played,
            average=_rounded(average(judged)) if judged else None, last=_rounded(line[-1]) if line else None,
            curve=[_rounded(value) for value in line]))
    champion = plan.members[in_turn[-1][0]].name if len(in_turn[-1]) == 1 else None
    found: dict[str, Any] = dict(group=place, members=members, champion=champion, round=len(in_turn),
                                 stages=[[plan.members[one].name for one in stage] for stage in in_turn])
    ends = {one: finals(plan, results, one) for one in group}
    if len(group) > 1 and all(ends.values()) and champion:
        found['full'] = _full(plan, {one: curve(rules, results, one, rules.rounds) for one in group}, ends, champion)
    return found


def _full(plan: Plan, curves: Mapping[int, Curve], ends: Mapping[int, Sequence[float]], champion: str) -> dict:
    """The tournament's decision beside the truth."""
    truth = {plan.members[one].name: spread(values) for one, values in ends.items()}
    order = sorted(truth, key=lambda name: -truth[name]['mean'])
    judged = {name: judge_criterion(list(curves.values()), plan.epochs_per_round, name) for name in CRITERIA}
    return dict(final=truth, order=order, champion_rank=order.index(champion) + 1,
                lost=_rounded(truth[order[0]]['mean'] - truth[champion]['mean']), criterion=judged)


def _rounded(value: float) -> float:
    return round(value, 4)
