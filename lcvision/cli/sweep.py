"""Trains configs at equal settings with several seeds each, and compares them."""
import argparse
from collections.abc import Sequence
from pathlib import Path

from lcvision.cli.search import add_run_arguments, check_counts, known_plan, save, share_threads
from lcvision.config import find_config
from lcvision.files import check_target
from lcvision.search.drive import run_plan
from lcvision.search.make_plan import check_data
from lcvision.search.plan import write_plan
from lcvision.search.summary import describe_sweep
from lcvision.search.sweep import plan_sweep, sweep_goals, sweep_outcome


def main(argv: Sequence[str] | None = None) -> int:
    """Trains what is left, and prints means and spreads; returns 0."""
    args = _parser().parse_args(argv)
    check_counts(args, 'epochs', 'epochs_per_round', 'seeds', 'children', 'threads')
    check_target('--json', args.json)
    folder = Path(args.work_dir or 'work_dirs/sweep')
    plan = plan_sweep(args.configs, epochs=args.epochs, epochs_per_round=args.epochs_per_round, seeds=args.seeds,
                      data=args.data, options=args.cfg_options, memory_format=args.memory_format,
                      **share_threads(args))
    known = known_plan(args, folder, plan.request)
    if not known:
        check_data(plan)
    plan = known or write_plan(folder, plan)
    found = run_plan(folder, plan, sweep_goals(plan), executor=args.executor, children=args.children,
                     address=args.ray_address)
    outcome = sweep_outcome(found)
    for path in filter(None, (folder / 'sweep.json', args.json)):
        save(Path(path), outcome)
    print('\n'.join(describe_sweep(outcome)))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description='Trains configs of one task with several seeds each, all for the same '
                                     'number of epochs, and prints mean and spread.')
    parser.add_argument('configs', nargs='+', metavar='CONFIG', type=find_config, help='by path or name')
    parser.add_argument('--epochs-per-round', type=int, metavar='E', help='epochs that a kill costs at most [a quarter '
                        'of all]')
    parser.add_argument('--json', metavar='FILE', help='write mean, std, min, max and n of every metric')
    add_run_arguments(parser)
    return parser
