"""Searches a pool of networks for the best of each size: Network Candidate Search."""
import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lcvision import environment
from lcvision.config import ConfigOptions
from lcvision.engine.hooks.memory_format_hook import FORMATS
from lcvision.errors import UserError
from lcvision.files import write_atomically, writing
from lcvision.report.search_curves import draw_curves
from lcvision.search.drive import EXECUTORS, run_plan
from lcvision.search.make_plan import check_data, find_pool, plan_search, request_of, time_members
from lcvision.search.outcome import search_outcome
from lcvision.search.plan import Plan, check_same, read_plan, write_plan
from lcvision.search.pool import POOLS
from lcvision.search.summary import add_costs, describe_plan, describe_search
from lcvision.search.tournament import Goals

_BY = ('params,macs', 'params,ms')


def main(argv: Sequence[str] | None = None) -> int:
    """Plans, or goes on with a plan, and says who has won; returns 0."""
    args = _parser().parse_args(argv)
    check_counts(args, 'epochs', 'epochs_per_round', 'seeds', 'children', 'threads')
    folder = Path(args.work_dir or f'work_dirs/search_{Path(args.pool).stem}')
    plan = _plan(args, folder)
    print('\n'.join(describe_plan(plan)), flush=True)
    goals = Goals(args.train_champions, frozenset(args.full_group))
    if bad := [place for place in args.full_group if not 0 <= place < len(plan.groups)]:
        raise UserError(f'--full-group {bad[0]}: the groups are 0 to {len(plan.groups) - 1}')
    if args.plan_only:
        return 0
    found = run_plan(folder, plan, goals, executor=args.executor, children=args.children, address=args.ray_address)
    outcome = search_outcome(plan, found.curves())
    save(folder / 'table.json', outcome)
    add_costs(outcome, found)
    _add_latency(outcome, plan, args.engine)
    save(folder / 'search.json', outcome)
    draw_curves(outcome, folder / 'curves.png')
    print('\n'.join(describe_search(outcome)))
    print(f'saved in {folder}: table.json, search.json (for lcvision report), curves.png')
    return 0


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that search and sweep share."""
    parser.add_argument('--epochs', type=int, metavar='N', help="length of a training and its schedule [the config's]")
    parser.add_argument('--seeds', type=int, default=1, metavar='N', help='runs of each network [1]')
    parser.add_argument('--data', metavar='SOURCE', help="as for lcvision train [the config's own data]")
    parser.add_argument('--work-dir', metavar='DIR', help='folder of plan, results and checkpoints; the same command '
                        'goes on from what is in it, and several processes may share it')
    parser.add_argument('--executor', choices=EXECUTORS, default='local', help='child processes, or tasks of Ray '
                        '[local]')
    parser.add_argument('--ray-address', metavar='HOST:PORT', help='a Ray cluster to join [one on this machine]')
    parser.add_argument('--children', type=int, metavar='N', help='networks that train at once on this machine [1]')
    parser.add_argument('--threads', type=int, metavar='N', help='threads of each [all that can run at once, shared '
                        'out]')
    parser.add_argument('--memory-format', choices=FORMATS, default='channels_last',
                        help='as for lcvision train; the same for all [channels_last]')
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOptions, metavar='K=V',
                        help='entries of every config to override')


def check_counts(args: argparse.Namespace, *names: str) -> None:
    """Refuses what is no count."""
    for name in names:
        value = getattr(args, name)
        if value is not None and value < 1:
            raise UserError(f'--{name.replace("_", "-")} {value}: give a whole number of at least 1')
    if args.threads:
        environment.check_threads([args.threads])


def share_threads(args: argparse.Namespace) -> dict[str, Any]:
    """Units at once and threads of each."""
    children = args.children or 1
    return dict(children=children, threads=args.threads or max(1, environment.usable_threads() // children))


def known_plan(args: argparse.Namespace, folder: Path, request: dict[str, Any]) -> Plan | None:
    """The plan in a folder, None if it has none yet; refuses another request, and other threads than the plan's."""
    plan = read_plan(folder)
    if plan:
        check_same(plan, request, folder)
        if args.threads and args.threads != plan.threads:
            raise UserError(f'--threads {args.threads}: this folder computes with {plan.threads} threads a network, '
                            'and results of other numbers differ in their last digits; leave it out')
    return plan


def save(path: Path, content: dict[str, Any]) -> None:
    """Writes JSON."""
    with writing(path):
        write_atomically(path, (json.dumps(content, indent=1) + '\n').encode())


def _plan(args: argparse.Namespace, folder: Path) -> Plan:
    pool, by = find_pool(args.pool), args.group_by.split(',')
    asked: dict[str, Any] = dict(
        group_by=by, epochs=args.epochs, epochs_per_round=args.epochs_per_round, seeds=args.seeds, data=args.data,
        options=args.cfg_options or {}, memory_format=args.memory_format)
    request = request_of(pool, **asked)
    if known := known_plan(args, folder, request):
        return known
    plan = plan_search(pool, request=request, engine=args.engine, **asked, **share_threads(args))
    if args.plan_only:
        return plan
    check_data(plan)
    return write_plan(folder, plan)


def _add_latency(outcome: dict[str, Any], plan: Plan, engine: str) -> None:
    """Measures the champions now that nothing trains, and adds what lcvision report takes."""
    members = {member.name: member for member in plan.members}
    champions = [members[group['champion']] for group in outcome['groups'] if group['champion']]
    timed, machine = time_members(champions, engine)
    timed += [member for member in plan.members if member.ms and member not in champions]
    lasts = {row['name']: row['last'] for group in outcome['groups'] for row in group['members']}
    outcome['environment'] = machine
    outcome['evaluations'] = [
        dict(config=member.ms['config'], data=plan.data or None, metrics={plan.metric: lasts[member.name]},
             latency=[member.ms]) for member in timed if member.ms and lasts.get(member.name) is not None]
    outcome['champions_ms'] = {member.name: member.ms['latency_ms'] | dict(noisy=member.ms['noisy'])
                               for member in timed[:len(champions)] if member.ms}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description='Trains a pool of networks in groups of similar resources; after each '
                                     'round the half with the lower mean accuracy goes, until one of each group is '
                                     'left.')
    parser.add_argument('--pool', default='elite', metavar='NAME|FILE', help=f'{", ".join(POOLS)}, or a .json or .py '
                        'file with config, axes and group_size [elite]')
    parser.add_argument('--group-by', choices=_BY, default=_BY[0], help='what makes networks similar; ms are measured '
                        'on this machine before anything trains [params,macs]')
    parser.add_argument('--epochs-per-round', type=int, default=10, metavar='E', help='epochs of a round [10]')
    parser.add_argument('--train-champions', action='store_true', help='train those that are left to the end')
    parser.add_argument('--full-group', type=int, nargs='+', default=[], metavar='N', help='groups whose members all '
                        'train to the end, which shows whether the right one has won')
    parser.add_argument('--engine', default='eager', metavar='NAME', help='that measures milliseconds [eager]')
    parser.add_argument('--plan-only', action='store_true', help='print pool and groups, and train nothing')
    add_run_arguments(parser)
    return parser
