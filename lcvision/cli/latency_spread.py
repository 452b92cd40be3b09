"""Says how far several runs of the benchmark are apart, in milliseconds and as multiples of the yardsticks."""
import argparse
from collections.abc import Callable, Sequence

from lcvision.cli import run_tool
from lcvision.latency.compare import machine_differences, read_baseline, row_key
from lcvision.latency.record import LatencyRecord
from lcvision.text import table

_COLUMNS: dict[str, Callable[[LatencyRecord], float]] = {
    'ms': lambda record: record.latency_ms.median,
    'CPU': lambda record: record.cpu_seconds / record.samples,  # type: ignore[operator]
    'compute': lambda record: (record.yardstick or {})['compute']['ratio'],
    'memory': lambda record: (record.yardstick or {})['memory']['ratio'],
    'network': lambda record: (record.yardstick or {})['network']['ratio'],
}


def main(argv: Sequence[str] | None = None) -> int:
    """Compares; returns 1 when the runs were made on different machines."""
    parser = argparse.ArgumentParser(prog='python -m lcvision.cli.latency_spread', description=__doc__)
    parser.add_argument('files', nargs='+', metavar='RUN.json', help='what each lcvision benchmark --json wrote')
    runs = [read_baseline(path, 'RUN.json') for path in parser.parse_args(argv).files]
    differences = [line for run in runs for line in machine_differences(run.environment, runs[0].environment)]
    if differences:
        print('\n'.join(['these runs were made on different machines:', *dict.fromkeys(differences)]))
        return 1
    print(f'largest / smallest of {len(runs)} runs: median in ms, CPU time a sample, median in each yardstick')
    rows = [(*_COLUMNS, 'noisy', '')]
    for row in runs[0].records:
        same = [other for run in runs for other in run.records if row_key(other) == row_key(row)]
        rows.append((*(_spread(same, value) for value in _COLUMNS.values()),
                     f'{sum(record.noisy for record in same)} of {len(same)}', str(row)))
    print('\n'.join(table(rows, left=(len(_COLUMNS) + 1,))))
    return 0


def _spread(records: Sequence[LatencyRecord], value: Callable[[LatencyRecord], float]) -> str:
    try:
        values = [value(record) for record in records]
    except (KeyError, TypeError):  # not in each of them
        return '-'
    return f'{max(values) / min(values) - 1:.1%}'


if __name__ == '__main__':
    raise SystemExit(run_tool(main))
