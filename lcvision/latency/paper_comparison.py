"""Our milliseconds beside a paper's: its tables, and its comparisons of two models."""
from collections.abc import Sequence
from itertools import product

import numpy as np

from lcvision.latency.compare import floor_of, format_ratio, is_equal
from lcvision.latency.record import LatencyRecord
from lcvision.latency.table import format_ms
from lcvision.papers import PAPER, PAPER_MACHINE, PP_LCNET, PaperRow
from lcvision.text import table

# The row that the others of a table are divided by, and the rows of table 2 that table 3 repeats.
_REFERENCE = 'PP-LCNet 1x'
_REPEATED = ('pplcnet_0_25x', 'pplcnet_0_5x', 'pplcnet_1x')
_PAIRS = (
    ('pplcnet_1x', 'mobilenetv2_1x'), ('pplcnet_1x', 'mobilenetv3_small_1_25x'),
    ('pplcnet_0_5x', 'mobilenetv2_0_5x'), ('pplcnet_0_5x', 'mobilenetv3_large_0_35x'),
    ('picodet_pplcnet_0_5x', 'picodet_mobilenetv3_large_0_35x'),
    ('picodet_pplcnet_1x', 'picodet_mobilenetv3_large_0_75x'),
    ('deeplabv3plus_pplcnet_0_5x', 'deeplabv3plus_mobilenetv3_large_0_5x'),
    ('deeplabv3plus_pplcnet_1x', 'deeplabv3plus_mobilenetv3_large_0_75x'),
)
_ROWS = {row.config: row for row in PP_LCNET.rows}
COMPARISONS = tuple((_ROWS[config], _ROWS[baseline]) for config, baseline in _PAIRS)
"""Pairs of rows, the first of which is divided by the second."""


def format_ratios(records: Sequence[LatencyRecord], floors: Sequence[dict] = ()) -> list[str]:
    """Lines with our ratio and the paper's for each comparison whose two models were measured alike, in scope 'net'.

    A ratio within the noise floor of its number of threads is called equal.
    """
    lines, tables = [], set()
    rows = [record for record in records if (record.scope, record.hint) == ('net', 'latency')]
    for one, other in COMPARISONS:
        for a, b in product(rows, rows):
            if (a.name, b.name) != (one.config, other.config) or a.conditions != b.conditions:
                continue
            ratio = format_ratio(a.latency_ms, b.latency_ms, '*' * (a.noisy or b.noisy), floor_of(a, floors))
            lines += [f'  {a.engine}, {a.threads} thr: {ratio}; paper {_ratio(one, other)}',
                      f'    {one.config} / {other.config}']
            tables.add(other.table)
    return [f'ratio of medians (outer bounds of both 95 % intervals) beside PP-LCNet table {", ".join(sorted(tables))}',
            *lines, f'  paper: {PAPER_MACHINE}'] if lines else []


def paper_rows(number: str) -> tuple[PaperRow, ...]:
    """Rows of the paper's table '2' to '5', without those that repeat a network with other weights."""
    own = tuple(row for row in PP_LCNET.table(number) if not row.distilled)
    return own + tuple(_ROWS[config] for config in _REPEATED) if number == '3' else own


def format_paper(records: Sequence[LatencyRecord], floors: Sequence[dict] = ()) -> list[str]:
    """Lines with our milliseconds, the paper's, both as ratios within the table, and how far their order agrees.

    Records are of one precision, in scope 'net'; rows within the noise floor of the reference are called equal.
    """
    lines = [f'Beside the {PAPER} ({PAPER_MACHINE}); ratio: to {_REFERENCE} of the same table']
    for engine, threads in dict.fromkeys((record.engine, record.threads) for record in records):
        measured = {record.name: record for record in records if (record.engine, record.threads) == (engine, threads)}
        for number in '2345':
            rows = [(row, measured[row.config]) for row in paper_rows(number) if row.config in measured]
            if rows:
                what = 'widths' if number == '2' else rows[0][0].task
                lines.append(f'Table {number} ({what}, {rows[0][1].size}, {engine}, {threads} thr)')
                lines += _table(rows, floors)
    return lines


def _table(rows: Sequence[tuple[PaperRow, LatencyRecord]], floors: Sequence[dict]) -> list[str]:
    reference, base = next((pair for pair in rows if pair[0].model == _REFERENCE), (None, None))
    cells = [('', 'ours', 'paper', 'ratio', 'paper', '')]
    for row, record in rows:
        ratio = record.latency_ms.median / base.latency_ms.median if base else None
        cells.append((row.model, format_ms(record.latency_ms.median) + '*' * record.noisy, format_ms(row.ms),
                      f'{ratio:.2f}' if ratio else '-', _ratio(row, reference),
                      'equal' if ratio and record is not base and is_equal(ratio, floor_of(record, floors)) else ''))
    both = [(record.latency_ms.median, row.ms) for row, record in rows if row.ms]
    correlation = rank_correlation([a for a, _ in both], [b for _, b in both])
    lines = table(cells, left=(0, 5))
    if correlation is not None:
        lines.append(f'rank correlation (Spearman) of {len(both)} rows: {correlation:.2f}')
    return [f'  {line}' for line in lines]


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Spearman's rank correlation, -1 to 1; ties share a mean rank. None below three things, or where all are equal."""
    if len(first) != len(second):
        raise ValueError(f'ranks of {len(first)} and {len(second)} things cannot be compared')
    if len(first) < 3 or len(set(first)) == 1 or len(set(second)) == 1:
        return None
    ranks = [(row[:, None] > row).sum(1) + (row[:, None] == row).sum(1) / 2 for row in map(np.asarray, (first, second))]
    return float(np.corrcoef(*ranks)[0, 1])


def _ratio(one: PaperRow, other: PaperRow | None) -> str:
    return f'{one.ms / other.ms:.2f}' if other and one.ms and other.ms else '-'
