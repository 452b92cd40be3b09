"""Says how far several runs of the benchmark are apart, in milliseconds and as multiples of the yardsticks."""
import argparse
from collections.abc import Sequence
from functools import reduce

from lcvision.cli import run_tool
from lcvision.latency.compare import describe_row, machine_differences, read_baseline, row_key
from lcvision.latency.yardstick import KINDS


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the tool.

    Args:
        argv: Arguments without the program's name; None takes the command line's.

    Returns:
        0, or 1 when the runs were made on different machines.
    """
    parser = argparse.ArgumentParser(prog='python -m lcvision.cli.latency_spread', description=__doc__)
    parser.add_argument('files', nargs='+', metavar='RUN.json', help='what each tools/benchmark_cpu.py --json wrote')
    runs = [read_baseline(path, 'RUN.json') for path in parser.parse_args(argv).files]
    differences = [line for run in runs for line in machine_differences(run['environment'], runs[0]['environment'])]
    if differences:
        print('\n'.join(['these runs were made on different machines:', *dict.fromkeys(differences)]))
        return 1
    print(f'largest / smallest median of {len(runs)} runs: in ms, then as multiples of the yardsticks')
    print(f"{'ms':>8}{KINDS[0]:>9}{KINDS[1]:>9}  noisy")
    for row in runs[0]['results']:
        same = [other for run in runs for other in run['results'] if row_key(other) == row_key(row)]
        columns = [_spread(same, *keys) for keys in (('latency_ms', 'median'), *(('yardstick', kind, 'ratio')
                                                                                 for kind in KINDS))]
        noisy = f"{sum(record['noisy'] for record in same)} of {len(same)}"
        print(f"{columns[0]:>8}{columns[1]:>9}{columns[2]:>9}  {noisy}  {describe_row(row)}")
    return 0


def _spread(records: Sequence[dict], *keys: str) -> str:
    try:
        values = [reduce(lambda part, key: part[key], keys, record) for record in records]
    except KeyError:
        return '-'
    return f'{max(values) / min(values) - 1:.1%}'  # type: ignore[operator, type-var]


if __name__ == '__main__':
    raise SystemExit(run_tool(main))
