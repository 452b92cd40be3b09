"""From what is asked for to a plan: pools read, networks counted and measured, groups made."""
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from lcvision import environment
from lcvision.config import find_config, load_config
from lcvision.errors import UserError
from lcvision.latency.measure_configs import measure
from lcvision.search.configs import bare_network, count, make_config
from lcvision.search.groups import loads, make_groups
from lcvision.search.plan import Member, Plan
from lcvision.search.pool import POOLS, Pool
from lcvision.search.tournament import eliminations
from lcvision.tasks import task_of_config
from lcvision.training.prepare import prepare

_KEYS = {'config': str, 'axes': dict, 'group_size': int, 'options': dict, 'references': list, 'titles': dict}


def find_pool(name: str) -> Pool:
    """A pool by name, or from a .json or .py file with the fields of :class:`lcvision.search.pool.Pool`."""
    if name in POOLS:
        return POOLS[name]
    if not Path(name).is_file():
        raise UserError(f'--pool {name}: give one of {", ".join(POOLS)}, or a .json or .py file with config, axes and '
                        'group_size')
    try:
        content = json.loads(Path(name).read_bytes()) if name.endswith('.json') else Config.fromfile(name).to_dict()
        wrong = [key for key, kind in _KEYS.items() if not isinstance(content.get(key, kind()), kind)]
        wrong += [key for key in ('config', 'axes', 'group_size') if not content.get(key)]
        wrong += [key for key, values in content.get('axes', {}).items() if not isinstance(values, list | tuple)]
        if wrong or content['group_size'] < 2:
            raise ValueError(f'{", ".join(dict.fromkeys(wrong)) or "group_size"} is missing or of another kind')
    except Exception as error:  # a config is a program: it can fail in any way
        raise UserError(f'--pool {name} is no pool: {str(error)[:200]}; it needs config, axes (entry of the config to '
                        'a list of values) and group_size of at least 2') from error
    return Pool(**{key: content[key] for key in _KEYS if key in content})


def pool_members(pool: Pool, options: Mapping[str, Any] | None = None) -> list[Member]:
    """Builds and counts the candidates of a pool, with what ``options`` change of the model."""
    config, members, model = find_config(pool.config), [], None
    common = {key: value for key, value in (options or {}).items() if key.startswith('model.')}
    for one in pool.candidates():
        entries = {**common, **one.options}
        cfg = make_config(config, entries, one.name)
        if cfg.model != model:  # it may differ from the one before in the size of the images alone
            model, network = cfg.model, bare_network(cfg)
        members.append(Member(one.name, one.title, config, entries, *count(network, cfg), reference=one.reference))
    return members


def time_members(members: Sequence[Member], engine: str) -> tuple[list[Member], dict]:
    """Measures all candidates in the same rounds; returns them with their records, and the machine."""
    configs = [make_config(one.config, one.options, one.name) for one in members]
    records = {Path(record.config).stem: record for record in measure(configs, engine=engine)}
    names = [Path(str(cfg.filename)).stem for cfg in configs]
    absent = [name for name in names if name not in records]
    if absent:
        raise UserError(f'{absent[0]} could not be measured on {engine}, the log says why: choose another --engine')
    return [replace(one, ms=records[name].to_json()) for one, name in zip(members, names)], environment.collect()


def group_members(members: Sequence[Member], by: Sequence[str], size: int) -> tuple[list[Member], list[list[int]]]:
    """Makes groups of candidates that are similar in some of 'params', 'macs' and 'ms'.

    Returns:
        The candidates with their loads, and a list a group of the places of those that compete; references lie in a
        group, too, and do not.
    """
    def amount(one: Member, kind: str) -> float:
        return (one.ms or {})['latency_ms']['median'] if kind == 'ms' else getattr(one, kind)

    scores = loads(*([amount(one, kind) for one in members] for kind in by))
    groups = make_groups(scores, size)
    competing = [[place for place in group if not members[place].reference] for group in groups]
    return ([replace(one, load=score) for one, score in zip(members, scores)], [group for group in competing if group])


def check_data(plan: Plan) -> None:
    """Looks at data and options as a training does, before the plan is written."""
    for config in dict.fromkeys(member.config for member in plan.members):
        member = next(member for member in plan.members if member.config == config)
        prepare(make_config(config, member.options), plan.data or None, plan.options, train=True, work_dir=None,
                memory_format=plan.memory_format, launcher='none', local_rank=0, epochs=plan.epochs or None)


def request_of(pool: Pool, **asked: Any) -> dict[str, Any]:
    """What a search is known by: the pool, the content of its config, and the arguments that change results."""
    config = load_config(pool.config)
    digest = hashlib.sha256(config.pretty_text.encode()).hexdigest()[:16]
    return {'pool': asdict(pool), 'config': digest, **asked}


def plan_search(pool: Pool, *, request: dict[str, Any], group_by: Sequence[str], epochs: int | None,
                epochs_per_round: int, seeds: int, data: str | None, options: Mapping[str, Any] | None,
                memory_format: str, threads: int, children: int, engine: str) -> Plan:
    """Plans a search; the arguments are those of ``lcvision search``.

    Raises:
        UserError: The training is too short for the groups, or a candidate does not build.
    """
    cfg = load_config(pool.config)
    total = epochs or cfg.train_cfg.get('max_epochs')
    if not total:
        raise UserError(f'{pool.config} counts iterations, and a search counts epochs: take a config with max_epochs')
    needed = (len(eliminations(pool.group_size)) - 1) * epochs_per_round
    if needed > total:
        raise UserError(f'a group of {pool.group_size} needs {needed} epochs ({epochs_per_round} a round) until one is '
                        f'left, but the training has {total}: give a larger --epochs or a smaller --epochs-per-round')
    if varied := sorted(pool.axes.keys() & (options or {}).keys()):
        raise UserError(f'--cfg-options {varied[0]}: the pool varies it; leave it out')
    members = pool_members(pool, options)
    machine: dict[str, Any] = {}
    if 'ms' in group_by:
        members, machine = time_members(members, engine)
    members, groups = group_members(members, group_by, pool.group_size)
    return Plan('search', members, groups, total, epochs_per_round, seeds, task_of_config(cfg).metric, data or '',
                dict(options or {}), memory_format, threads, children, 1, request, machine)
