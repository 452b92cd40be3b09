"""Ratios beside the papers'."""
from lcvision.latency.paper_ratios import COMPARISONS, format_ratios
from lcvision.latency.record import LatencyRecord, Summary

DETECTION = [c for c in COMPARISONS if c.table == 4]


def record(name, median, threads=1, engine='eager', noisy=False, scope='net'):
    return LatencyRecord(
        config=f'configs/detection/{name}.py', task='detection', engine=engine, threads=threads, precision='fp32',
        input=[416, 416], noisy=noisy, scope=scope, latency_ms=Summary(median, (median * 0.99, median * 1.01)))


def test_models_measured_alike_are_compared():
    a, b = DETECTION[0].config, DETECTION[0].baseline
    lines = format_ratios([record(a, 6.), record(b, 10.), record(b, 5., threads=2), record(b, 5., engine='x')])
    assert 'table 4' in lines[0] and max(map(len, lines)) <= 100 and len(lines) == 4
    assert 'eager, 1 thr: 0.60 (0.59-0.61); paper 0.74' in lines[1] and f'{a} / {b}' in lines[2]
    assert 'Gold 6148' in lines[3]


def test_noise_is_marked_and_lonely_models_are_silent():
    a, b = DETECTION[1].config, DETECTION[1].baseline
    assert '0.50*' in format_ratios([record(a, 5., noisy=True), record(b, 10.)])[1]
    assert format_ratios([record(a, 5.)]) == []
    assert DETECTION[1].ms / DETECTION[1].baseline_ms < 0.72


def test_the_papers_ratios():
    paper = {(c.config, c.baseline): c.ms / c.baseline_ms for c in COMPARISONS}
    known = [0.58, 0.62, 0.72, 0.56, 0.74, 0.71, 0.61, 0.64]
    assert [round(ratio, 2) for ratio in paper.values()] == known


def test_what_is_within_the_noise_is_equal():
    a, b = DETECTION[0].config, DETECTION[0].baseline
    rows = [record(a, 9.9), record(b, 10.)]
    assert format_ratios(rows, [dict(threads=1, floor=0.03)])[1].count('equal') == 1
    assert 'equal' not in format_ratios(rows, [dict(threads=1, floor=0.005)])[1]
    assert 'equal' not in format_ratios(rows, [dict(threads=2, floor=0.03)])[1]
    assert 'equal' not in format_ratios(rows)[1]


def test_scopes_are_not_mixed():
    a, b = DETECTION[0].config, DETECTION[0].baseline
    assert format_ratios([record(a, 9., scope='e2e'), record(b, 10.)]) == []
