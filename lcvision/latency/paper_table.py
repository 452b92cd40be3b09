"""A paper's tables with our milliseconds beside."""
from collections.abc import Sequence

from lcvision.latency.noise_floor import floor_of
from lcvision.latency.record import LatencyRecord
from lcvision.latency.statistics import rank_correlation
from lcvision.latency.table import format_ms
from lcvision.papers.accuracy import PAPER_MACHINE, PAPER_POINTS, PaperPoint

_TITLES = {2: 'widths', 3: 'classification', 4: 'detection', 5: 'segmentation'}
# The row that the others of a table are divided by, and the rows of table 2 that table 3 repeats.
_REFERENCE = 'PP-LCNet 1x'
_REPEATED = ('pplcnet_0_25x', 'pplcnet_0_5x', 'pplcnet_1x')


def paper_rows(table: int) -> list[PaperPoint]:
    """Rows of a table, without those that repeat a network with other weights.

    Args:
        table: 2 to 5.
    """
    own = [point for point in PAPER_POINTS if point.table == table and not point.distilled]
    repeated = [point for point in PAPER_POINTS if table == 3 and point.config in _REPEATED]
    return own + repeated


def format_paper(records: Sequence[LatencyRecord], floors: Sequence[dict] = ()) -> list[str]:
    """Lines with our milliseconds, the paper's, both as ratios within the table, and the agreement of the order.

    Args:
        records: Of one precision, in scope 'net'.
        floors: Noise floors, one for each number of threads; rows within them of the reference are called equal.
    """
    lines = [f'Beside the PP-LCNet paper ({PAPER_MACHINE}); ratio: to {_REFERENCE} of the same table']
    for engine, threads in dict.fromkeys((record.engine, record.threads) for record in records):
        measured = {record.name: record for record in records
                    if (record.engine, record.threads) == (engine, threads)}
        for table in _TITLES:
            rows = [(point, measured[str(point.config)]) for point in paper_rows(table) if point.config in measured]
            if rows:
                lines += _table(table, rows, f'{engine}, {threads} thr', floors)
    return lines


def _table(number: int, rows: Sequence[tuple[PaperPoint, LatencyRecord]], conditions: str,
           floors: Sequence[dict]) -> list[str]:
    lines = [f'Table {number} ({_TITLES[number]}, {rows[0][1].size}, {conditions})',
             f"  {'':26}{'ours':>9}{'paper':>9}{'ratio':>9}{'paper':>9}"]
    reference = next(((point, record) for point, record in rows if point.model == _REFERENCE), None)
    for point, record in rows:
        ours, theirs, equal = '-', '-', ''
        if reference:
            ratio = record.latency_ms.median / reference[1].latency_ms.median
            floor = floor_of(record, floors)
            ours = f'{ratio:.2f}'
            equal = '  equal' if record is not reference[1] and 1 / (1 + floor) <= ratio <= 1 + floor and floor else ''
            if point.ms and reference[0].ms:
                theirs = f'{point.ms / reference[0].ms:.2f}'
        ms = format_ms(record.latency_ms.median) + ('*' if record.noisy else '')
        lines.append(f'  {point.model:26}{ms:>9}{format_ms(point.ms):>9}{ours:>9}{theirs:>9}{equal}')
    both = [(record.latency_ms.median, point.ms) for point, record in rows if point.ms]
    correlation = rank_correlation([a for a, _ in both], [b for _, b in both])
    if correlation is not None:
        lines.append(f'  rank correlation (Spearman) of {len(both)} rows: {correlation:.2f}')
    return lines
