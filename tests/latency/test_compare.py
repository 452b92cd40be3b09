"""The regression guard."""
import json

import pytest

from lcvision.errors import UserError
from lcvision.latency import compare
from lcvision.latency.compare import read_baseline
from lcvision.latency.record import Measurements, read_records

MACHINE = dict(cpu='Some CPU', noise_floor=[dict(threads=1, floor=0.02)], git_revision='abc')


def record(median, name='a', noisy=False, spread=0.005, **changes):
    ms = dict(median=median, ci95=[median * (1 - spread), median * (1 + spread)])
    return dict(config=f'configs/{name}.py', task='detection', engine='eager', precision='fp32', threads=1,
                input=[8, 8], scope='net', noisy=noisy, latency_ms=ms) | changes


def on_yardstick(row, compute=1., memory=1.):
    """A row with yardsticks that took so many milliseconds."""
    median, interval = row['latency_ms']['median'], row['latency_ms']['ci95']
    return row | dict(yardstick={
        kind: dict(work='w', ms=ms, ratio=median / ms, ci95=[x / ms for x in interval])
        for kind, ms in (('compute', compute), ('memory', memory))})


def compare_runs(rows, machine, baseline):
    return compare.compare_runs(read_records(rows, 'now'), machine, Measurements.from_json(baseline, 'then'))


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
def test_only_rows_measured_alike_are_compared_and_an_absent_one_fails(change):
    verdict = compare_runs([record(99.)], MACHINE, content(record(10., **change)))
    assert (verdict.slower, verdict.judged, verdict.missing) == (0, 0, 1) and verdict.failed
    assert 'not in the baseline' in verdict.lines[1] and 'MISSING' in verdict.lines[2]


def test_a_row_of_the_baseline_that_is_absent_now_fails():
    verdict = compare_runs([record(10.)], MACHINE, content(record(10.), record(5., 'b')))
    assert (verdict.slower, verdict.judged, verdict.missing, verdict.failed) == (0, 1, 1, True)
    assert 'MISSING' in verdict.lines[-1] and 'b 8x8' in verdict.lines[-1]
    assert not compare_runs([record(10.), record(5., 'b')], MACHINE, content(record(10.))).failed


@pytest.mark.parametrize('median, compute, memory, slower', [
    (11.5, 1.15, 1.15, 0), (11.5, 1.15, 1., 0), (11.5, 1., 1.15, 0), (11.5, 1.01, 1., 1), (11.5, 1.3, 0.7, 0),
    (10., 0.85, 1., 0), (10., 0.85, 0.85, 1)])
def test_what_the_machine_explains_is_not_slower(median, compute, memory, slower):
    before, now = on_yardstick(record(10.)), on_yardstick(record(median), compute, memory)
    assert compare_runs([now], MACHINE, content(before)).slower == slower


def test_without_the_same_yardstick_milliseconds_are_judged():
    slow = on_yardstick(record(11.5), 1.15, 1.15)
    other = on_yardstick(record(10.))
    for part in other['yardstick'].values():
        part['work'] = 'another'
    for now, then in ((slow, record(10.)), (record(11.5), on_yardstick(record(10.))), (slow, other)):
        assert compare_runs([now], MACHINE, content(then)).slower == 1
    newer = MACHINE | dict(versions=dict(torch='3'))
    assert compare_runs([slow], newer, content(on_yardstick(record(10.)), versions=dict(torch='2'))).slower == 1


def test_noisy_rows_are_judged_and_marked():
    verdict = compare_runs([record(30., noisy=True)], MACHINE, content(record(10.)))
    assert verdict.slower == 1 and '3.00*' in verdict.lines[1] and 'measure again' in verdict.lines[-1]


@pytest.mark.parametrize('key, here, there', [
    ('cpu', 'Some CPU', 'Other CPU'), ('cpu_id', 'AMD 26 2 1', 'AMD 25 17 1'), ('flags', ['avx2'], ['avx2', 'fma']),
    ('affinity', 2, 4), ('cgroup_quota', None, 1.5), ('governor', 'powersave', 'performance'),
    ('isa_cap', {}, dict(ONEDNN_MAX_CPU_ISA='AVX2')), ('hypervisor', True, False)])
def test_another_machine_cannot_be_judged(key, here, there):
    verdict = compare_runs([record(99.)], MACHINE | {key: here}, content(record(1.), **{key: there}))
    head, line = verdict.lines
    assert not verdict.failed and not verdict.comparable and head.startswith('cannot judge')
    assert 'there' in line and 'here' in line and line.index('there') < line.index('here')


def test_what_an_older_baseline_did_not_record_is_no_difference():
    assert compare_runs([record(10.)], MACHINE | dict(cpu_id='a b'), content(record(10.))).judged == 1


def test_a_baseline_is_read(tmp_path):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(content(record(10.))))
    assert read_baseline(str(path)).records[0].threads == 1


@pytest.mark.parametrize('text, message', [
    ('{"schema": 2, "environment": {}, "results": []}', 'has schema 2, but schema 1'),
    ('{"config": "a.py", "metrics": {}, "latency": []}', 'has no schema'),
    ('[]', 'has no schema'),
    ('{"schema": 1', 'is not JSON'),
    ('{"schema": 1, "environment": {}, "results": []}', 'lacks the CPU'),
    ('{"schema": 1, "results": []}', 'lacks environment or results'),
    ('{"schema": 1, "environment": {"cpu": "x"}, "results": [{"config": "a"}]}', 'record 1 lacks a valid engine'),
    ('{"schema": 1, "environment": {"cpu": "x"}, "results": 3}', 'lacks environment or results'),
    (json.dumps(content(record(1.) | dict(yardstick=dict(compute=3)))), 'lacks a valid yardstick'),
    *((json.dumps(content(record(1.), noise_floor=floor)), 'no valid noise_floor') for floor in (
        5, 'x', [5], [{}], [dict(threads=1)], [dict(threads=1, floor='x')], [dict(threads=1, floor=-3)])),
    (json.dumps(content(record(1.), versions='x')), 'or versions'),
])
def test_other_files_are_refused(tmp_path, text, message):
    path = tmp_path / 'a.json'
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        read_baseline(str(path))
    with pytest.raises(UserError, match='cannot be read'):
        read_baseline(str(tmp_path))
