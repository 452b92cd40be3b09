"""Plans and results as text."""
from statistics import fmean, pstdev
from typing import Any

from lcvision.search.folder import Folder
from lcvision.search.plan import Plan
from lcvision.search.tournament import counted_units, planned_epochs
from lcvision.text import table


def describe_plan(plan: Plan) -> list[str]:
    """The pool, its groups, and what the search will cost."""
    rules, rows = plan.rules, [('candidate', 'group', 'params', 'MACs', 'ms', 'Z')]
    place_of = {one: place for place, group in enumerate(plan.groups) for one in group}
    for one in sorted(range(len(plan.members)), key=lambda one: -plan.members[one].load):
        member = plan.members[one]
        name = member.name if member.title == member.name else f'{member.name} {member.title}'
        ms = f"{member.ms['latency_ms']['median']:.2f}" if member.ms else '-'
        rows.append((name, str(place_of.get(one, 'reference')), f'{member.params / 1e6:.2f}M',
                     f'{member.macs / 1e6:.2f}M', ms, f'{member.load:+.2f}'))
    whole = sum(map(len, plan.groups)) * plan.epochs * plan.seeds
    cost = planned_epochs(rules)
    lines = [*table(rows), '', f'{len(plan.members)} candidates in {len(plan.groups)} groups; {cost:,} model-epochs '
             f'until one of each is left, {100 * cost / whole:.1f} % of the {whole:,} that training all would take']
    for kind, label in (('params', 'parameters'), ('macs', 'multiply-adds')):
        values = [getattr(member, kind) / 1e6 for member in plan.members]
        lines.append(f'{label}: mean {fmean(values):.2f} M, standard deviation {pstdev(values):.2f} M')
    noisy = sum(bool(member.ms and member.ms['noisy']) for member in plan.members)
    if noisy:
        lines.append(f'{noisy} of the milliseconds are noisy: neighbouring groups may be mixed up')
    return lines


def add_costs(outcome: dict[str, Any], folder: Folder) -> None:
    """Adds what the finished units took to an outcome, the rest of which is the same for every run."""
    costs = folder.costs()
    counted = set(counted_units(folder.plan.rules, folder.curves()))

    def hours(key: str, units: set) -> float:
        return round(sum(cost[key] * (cost['threads'] if key == 'seconds' else 1)
                         for unit, cost in costs.items() if unit in units) / 3600, 4)

    outcome['cost'] = dict(
        core_hours=dict(tournament=hours('seconds', counted), trained=hours('seconds', set(costs))),
        cpu_hours=dict(tournament=hours('cpu_seconds', counted), trained=hours('cpu_seconds', set(costs))),
        hosts=sorted({cost['host'] for cost in costs.values()}))


def describe_search(outcome: dict[str, Any]) -> list[str]:
    """Champions, what they cost, and how far the criterion can be trusted."""
    rows: list[tuple[str, ...]] = [
        ('group', 'champion', 'params', 'MACs', 'ms', 'mean', 'last', 'epochs', 'best of the rest')]
    notes = []
    for group in outcome['groups']:
        champion = next((row for row in group['members'] if row['name'] == group['champion']), None)
        if champion is None:
            rows.append((str(group['group']), 'not decided', *('-' for _ in rows[0][2:])))
            continue
        others = [row for row in group['members'] if row is not champion and row['average'] is not None]
        second = max(others, key=lambda row: (row['epochs'], row['average']), default=None)
        ms = outcome.get('champions_ms', {}).get(champion['name'])
        rows.append((str(group['group']), champion['title'], f"{champion['params'] / 1e6:.2f}M",
                     f"{champion['macs'] / 1e6:.1f}M", f"{ms['median']:.2f}{'*' * ms['noisy']}" if ms else '-',
                     _number(champion['average']), _number(champion['last']), str(champion['epochs']),
                     second['title'] if second else '-'))
        if 'full' in group:
            notes += _describe_truth(group)
    epochs, cost = outcome['model_epochs'], outcome.get('cost')
    share = epochs['tournament'] / epochs['training_all']
    lines = [*table(rows, left=(1, 8)), '', f"tournament: {epochs['tournament']:,} model-epochs, {share:.1%} of the "
             f"{epochs['training_all']:,} that training all takes; {epochs['trained']:,} trained so far"]
    if cost:
        lines.append(f"core-hours: {cost['core_hours']['tournament']:.2f} for the tournament, "
                     f"{cost['core_hours']['trained']:.2f} in all")
    return lines + (notes or ['--full-group N trains a group to the end and shows whether the right one has won'])


def _describe_truth(group: dict[str, Any]) -> list[str]:
    full = group['full']
    lines = [f"group {group['group']} trained to the end: " + ', '.join(
        f"{name} {full['final'][name]['mean']:.4g}" + f" ± {full['final'][name]['std']:.2g}"
        * (full['final'][name]['n'] > 1) for name in full['order'])]
    lines.append(f"  the champion is number {full['champion_rank']} of {len(full['order'])}"
                 + f", {full['lost']:.4g} below the best" * (full['champion_rank'] > 1))
    for name, label in (('average', 'P_avg'), ('last', 'P_spe')):
        judged = full['criterion'][name]
        taus = ' '.join(f'{tau:.2f}' for tau in judged['tau'])
        lines.append(f"  {label}: the order of {judged['agreeing']} of {judged['rounds']} rounds is the final one "
                     f"({judged['p']:.0%}); Kendall's tau by round: {taus}")
    return lines


def describe_sweep(outcome: dict[str, Any]) -> list[str]:
    """Mean and spread of the ranking metric, the best first."""
    metric = outcome['metric']
    ranked = sorted(outcome['results'], key=lambda row: -row['metrics'][metric]['mean'])
    rows = [('config', metric, 'std', 'min', 'max', 'seeds')]
    rows += [(row['config'] + ' (diverged)' * bool(row['diverged']),
              *(f"{row['metrics'][metric][key]:.4g}" for key in ('mean', 'std', 'min', 'max')),
              str(row['metrics'][metric]['n'])) for row in ranked]
    return table(rows)


def _number(value: float | None) -> str:
    return '-' if value is None else f'{value:.4g}'
