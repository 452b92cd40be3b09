"""Ratios beside the papers'."""
from lcvision.latency.paper_ratios import COMPARISONS, format_ratios


def record(name, median, threads=1, engine='eager', noisy=False):
    return dict(config=f'configs/detection/{name}.py', engine=engine, threads=threads, precision='fp32',
                input=[416, 416], noisy=noisy, latency_ms=dict(median=median, ci95=[median * 0.99, median * 1.01]))


def test_models_measured_alike_are_compared():
    a, b = COMPARISONS[0].config, COMPARISONS[0].baseline
    head, line = format_ratios([record(a, 6.), record(b, 10.), record(b, 5., threads=2), record(b, 5., engine='x')])
    assert 'table 4' in head and len(line) <= 100
    assert 'eager, 1 thr: 0.60 (0.59-0.61); paper 0.74' in line


def test_noise_is_marked_and_lonely_models_are_silent():
    a, b = COMPARISONS[1].config, COMPARISONS[1].baseline
    assert '0.50*' in format_ratios([record(a, 5., noisy=True), record(b, 10.)])[1]
    assert format_ratios([record(a, 5.)]) == []
    assert COMPARISONS[1].ms / COMPARISONS[1].baseline_ms < 0.72
