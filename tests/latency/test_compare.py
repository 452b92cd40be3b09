"""The regression guard."""
import json

import pytest

from lcvision.errors import UserError
from lcvision.latency.compare import compare_runs, read_baseline

MACHINE = dict(cpu='Some CPU', noise_floor=[dict(threads=1, floor=0.02)], git_revision='abc')


def record(median, name='a', noisy=False, spread=0.005, **changes):
    ms = dict(median=median, ci95=[median * (1 - spread), median * (1 + spread)])
    return dict(config=f'configs/{name}.py', engine='eager', precision='fp32', threads=1, input=[8, 8], scope='net',
                noisy=noisy, latency_ms=ms) | changes


def content(*rows, **changes):
    return dict(schema=1, environment=MACHINE | changes, results=list(rows))


@pytest.mark.parametrize('median, word, slower', [
    (10.1, 'equal', 0), (10.25, 'equal', 0), (11., 'SLOWER', 1), (9., 'quicker', 0), (9.9, 'equal', 0)])
def test_a_row_is_slower_beyond_noise_and_interval(median, word, slower):
    verdict = compare_runs([record(median)], MACHINE, content(record(10.)))
    assert (verdict.slower, verdict.judged) == (slower, 1)
    assert word in verdict.lines[1] and f'{median / 10:.2f} (' in verdict.lines[1]
    assert max(map(len, verdict.lines)) <= 120


def test_the_larger_noise_floor_of_the_two_runs_counts():
    noisy = MACHINE | dict(noise_floor=[dict(threads=1, floor=0.2)])
    assert compare_runs([record(11.)], noisy, content(record(10.))).slower == 0
    assert compare_runs([record(11.)], MACHINE, content(record(10.), **noisy)).slower == 0


def test_a_wide_interval_is_no_verdict():
    assert compare_runs([record(11., spread=0.1)], MACHINE, content(record(10.))).slower == 0


@pytest.mark.parametrize('change', [dict(engine='x'), dict(precision='bf16'), dict(threads=2), dict(input=[8, 9]),
                                    dict(scope='e2e'), dict(config='configs/b.py')])
def test_only_rows_measured_alike_are_compared(change):
    verdict = compare_runs([record(99.)], MACHINE, content(record(10., **change)))
    assert (verdict.slower, verdict.judged) == (0, 0) and '1 row(s) have no counterpart' in verdict.lines[-1]


def test_noisy_rows_are_judged_and_marked():
    verdict = compare_runs([record(30., noisy=True)], MACHINE, content(record(10.)))
    assert verdict.slower == 1 and '3.00*' in verdict.lines[1] and 'measure again' in verdict.lines[-1]


def test_another_cpu_cannot_be_judged():
    verdict = compare_runs([record(99.)], MACHINE, content(record(1.), cpu='Other CPU'))
    line, = verdict.lines
    assert verdict.slower == 0 and line.startswith('cannot judge') and 'Other CPU' in line and 'Some CPU' in line


def test_a_baseline_is_read(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(content(record(10.))))
    assert read_baseline(str(path))['results'][0]['threads'] == 1


@pytest.mark.parametrize('text, message', [
    ('{"schema": 2, "environment": {}, "results": []}', 'has schema 2, but schema 1'),
    ('{"config": "a.py", "metrics": {}, "latency": []}', 'has no schema'),
    ('[]', 'has no schema'),
    ('{"schema": 1', 'is not JSON'),
    ('{"schema": 1, "results": []}', 'lacks the environment'),
    ('{"schema": 1, "environment": {"cpu": "x"}, "results": [{"config": "a"}]}', 'broken results'),
    ('{"schema": 1, "environment": {"cpu": "x"}, "results": 3}', 'broken results'),
])
def test_other_files_are_refused(tmp_path, text, message):
    path = tmp_path / 'a.json'
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_baseline(str(path))
    with pytest.raises(UserError, match='cannot be read'):
        read_baseline(str(tmp_path))
