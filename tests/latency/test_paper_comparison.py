"""Ratios and tables beside the paper's."""
import numpy as np
import pytest

from lcvision.latency.paper_comparison import COMPARISONS, format_paper, format_ratios, paper_rows, rank_correlation
from lcvision.latency.record import LatencyRecord, Summary

DETECTION = [c for c in COMPARISONS if c[0].table == '4']


def record(name, median, threads=1, engine='eager', noisy=False, scope='net'):
    return LatencyRecord(
        config=f'configs/detection/{name}.py', task='detection', engine=engine, threads=threads, precision='fp32',
        input=[416, 416], noisy=noisy, scope=scope, latency_ms=Summary(median, (median * 0.99, median * 1.01)))


def test_models_measured_alike_are_compared():
    a, b = (row.config for row in DETECTION[0])
    lines = format_ratios([record(a, 6.), record(b, 10.), record(b, 5., threads=2), record(b, 5., engine='x')])
    assert 'table 4' in lines[0] and max(map(len, lines)) <= 100 and len(lines) == 4
    assert 'eager, 1 thr: 0.60 (0.59-0.61); paper 0.74' in lines[1] and f'{a} / {b}' in lines[2]
    assert 'Gold 6148' in lines[3]


def test_noise_is_marked_and_lonely_models_are_silent():
    a, b = (row.config for row in DETECTION[1])
    assert '0.50*' in format_ratios([record(a, 5., noisy=True), record(b, 10.)])[1]
    assert format_ratios([record(a, 5.)]) == []
    assert DETECTION[1][0].ms / DETECTION[1][1].ms < 0.72


def test_the_papers_ratios():
    known = [0.58, 0.62, 0.72, 0.56, 0.74, 0.71, 0.61, 0.64]
    assert [round(one.ms / other.ms, 2) for one, other in COMPARISONS] == known


def test_what_is_within_the_noise_is_equal():
    a, b = (row.config for row in DETECTION[0])
    rows = [record(a, 9.9), record(b, 10.)]
    assert format_ratios(rows, [dict(threads=1, floor=0.03)])[1].count('equal') == 1
    assert 'equal' not in format_ratios(rows, [dict(threads=1, floor=0.005)])[1]
    assert 'equal' not in format_ratios(rows, [dict(threads=2, floor=0.03)])[1]
    assert 'equal' not in format_ratios(rows)[1]


def test_scopes_are_not_mixed():
    a, b = (row.config for row in DETECTION[0])
    assert format_ratios([record(a, 9., scope='e2e'), record(b, 10.)]) == []


def row(name, median, noisy=False, threads=2):
    return LatencyRecord(config=f'configs/x/{name}.py', task='detection', engine='eager', threads=threads,
                         precision='fp32', input=[224, 224], noisy=noisy, latency_ms=Summary(median, (median, median)))


def test_the_papers_rows():
    assert [len(paper_rows(number)) for number in '2345'] == [8, 13, 4, 4]


def test_milliseconds_ratios_and_order():
    rows = [row(point.config, 2 * point.ms) for point in paper_rows('2')]
    lines = format_paper(rows)
    assert max(map(len, lines)) <= 100
    line = next(line for line in lines if 'PP-LCNet 0.5x' in line)
    assert line.split() == ['PP-LCNet', '0.5x', '4.10', '2.05', '0.83', '0.83']
    assert 'rank correlation (Spearman) of 8 rows: 1.00' in '\n'.join(lines)
    assert 'Table 2' in lines[1] and '224x224, eager, 2 thr' in lines[1]


def test_another_order_shows_in_the_correlation():
    rows = paper_rows('4')
    turned = [row(point.config, 100 - point.ms) for point in rows]
    assert 'of 4 rows: -1.00' in '\n'.join(format_paper(turned))


def test_noise_is_marked_and_what_is_within_it_is_equal():
    rows = [row('pplcnet_1x', 5.), row('pplcnet_0_75x', 4.95), row('pplcnet_0_5x', 3., noisy=True)]
    lines = format_paper(rows, [dict(threads=2, floor=0.03)])
    assert [line.endswith('equal') for line in lines if '0.75x' in line] == [True]
    assert any('3.00*' in line for line in lines) and sum('equal' in line for line in lines) == 1


def test_rows_without_a_paper_time_and_threads_apart():
    lines = format_paper([row('shufflenetv2_1_5x', 9.), row('pplcnet_1x', 3., threads=1)])
    assert next(line for line in lines if '1.5x' in line).split()[-4:] == ['9.00', '-', '-', '-']
    assert sum(line.startswith('Table') for line in lines) == 3


def test_rank_correlation_of_known_orders():
    assert rank_correlation([1, 2, 3, 4], [10, 20, 30, 99]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [9, 4, 1]) == pytest.approx(-1)
    # 1 - 6 * (1 + 1) / (4 * 15)
    assert rank_correlation([1, 2, 3, 4], [1, 3, 2, 4]) == pytest.approx(0.8)
    # ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3
    assert rank_correlation([1, 5, 5, 9], [1, 2, 3, 4]) == pytest.approx(4.5 / np.sqrt(4.5 * 5))
    assert rank_correlation([1, 2], [1, 2]) is None and rank_correlation([1, 1, 1], [1, 2, 3]) is None
    with pytest.raises(ValueError, match='2 and 3'):
        rank_correlation([1, 2], [1, 2, 3])
