"""Configs times seeds, trained at equal settings."""
import hashlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lcvision.config import find_config, load_config
from lcvision.errors import UserError
from lcvision.search.folder import Folder
from lcvision.search.outcome import spread
from lcvision.search.plan import Member, Plan
from lcvision.search.tournament import Goals, Unit
from lcvision.tasks import task_of_config

_PARTS = 4  # of a training, so that a kill costs a quarter at most


def plan_sweep(configs: Sequence[str], *, epochs: int | None, epochs_per_round: int | None, seeds: int,
               data: str | None, options: Mapping[str, Any] | None, memory_format: str, threads: int,
               children: int) -> Plan:
    """Plans a sweep; the arguments are those of ``lcvision sweep``.

    Configs that count iterations train in one piece.

    Raises:
        UserError: The configs are of several tasks or of several lengths, or two have the same name.
    """
    paths = [find_config(config) for config in dict.fromkeys(configs)]
    names, loaded = [Path(path).stem for path in paths], [load_config(path) for path in paths]
    if len(set(names)) < len(names):
        raise UserError('two configs have the same name, by which results are stored: rename one')
    tasks = {task_of_config(cfg).name: task_of_config(cfg) for cfg in loaded}
    if len(tasks) > 1:
        raise UserError(f'the configs are of several tasks ({", ".join(tasks)}): give those of one')
    lengths = {cfg.train_cfg.get('max_epochs') for cfg in loaded}
    if epochs is None and len(lengths) > 1:
        raise UserError(f'the configs train for different numbers of epochs ({", ".join(map(str, lengths))}): give '
                        'all the same with --epochs')
    whole = None in lengths  # iterations
    total = epochs or (0 if whole else next(iter(lengths)))
    part = total if whole else epochs_per_round or math.ceil(total / _PARTS)
    digests = [hashlib.sha256(cfg.pretty_text.encode()).hexdigest()[:16] for cfg in loaded]
    request = dict(configs=dict(zip(names, digests)), epochs=epochs, epochs_per_round=epochs_per_round, seeds=seeds,
                   data=data, options=dict(options or {}), memory_format=memory_format)
    return Plan('sweep', [Member(name, name, path, {}) for name, path in zip(names, paths)], [], total, part, seeds,
                next(iter(tasks.values())).metric, data or '', dict(options or {}), memory_format, threads, children,
                part or 1, request)


def sweep_goals(plan: Plan) -> Goals:
    """All trainings to the end."""
    return Goals(full=frozenset(range(len(plan.members))))


def sweep_outcome(folder: Folder) -> dict[str, Any]:
    """Metrics at the end of the trainings, which are all finished, as plain JSON.

    Returns:
        Under 'results' for each config every metric's mean, std (of the sample), min, max and n over the seeds, the
        values themselves, the curves of the plan's metric, and the seeds that diverged, which count as zeros.
    """
    plan, results, rows = folder.plan, folder.refresh(), []
    for place, member in enumerate(plan.members):
        units = [Unit(place, plan.rules.rounds, seed) for seed in range(plan.seeds)]
        ends = [results[unit]['metrics'] for unit in units]
        names = [name for name in ends[0] if all(name in end for end in ends)]
        values = {name: [end[name][-1] for end in ends] for name in names}
        diverged = [unit.seed for unit in results
                    if unit.candidate == place and results[unit].get('diverged')]
        curves = [[value for part in sorted(unit for unit in results if unit.candidate == place and unit.seed == seed)
                   for value in results[part]['metrics'][plan.metric]] for seed in range(plan.seeds)]
        rows.append(dict(config=member.name, metrics={name: spread(found) for name, found in values.items()},
                         values=values, curves=curves, diverged=sorted(set(diverged))))
    return dict(plan=plan.hash, metric=plan.metric, seeds=plan.seeds, epochs=plan.epochs or None,
                data=(plan.data and Path(plan.data).name) or None, options=plan.options, results=rows)
