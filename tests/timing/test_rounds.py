import gc
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from lcvision.timing import rounds
from lcvision.timing.rounds import Budget, flushes_subnormals, measure_rounds, plan_blocks, quietly, sample, warm_up


def test_quietly_sets_the_conditions():
    def conditions():
        return torch.get_num_threads(), torch.is_inference_mode_enabled(), gc.isenabled(), flushes_subnormals()

    for threads in (1, 2):
        assert quietly(conditions, threads) == (threads, True, False, True)


@pytest.mark.parametrize('flushing', [False, True])
def test_quietly_restores_everything_also_after_an_error(flushing):
    def fail():
        raise KeyError('inside')

    kept = flushes_subnormals()
    torch.set_flush_denormal(flushing)
    try:
        before = torch.get_num_threads(), flushes_subnormals(), gc.isenabled(), threading.active_count()
        assert before[1] is flushing
        quietly(lambda: None, 2)
        with pytest.raises(KeyError, match='inside'):
            quietly(fail, 2)
        assert (torch.get_num_threads(), flushes_subnormals(), gc.isenabled(), threading.active_count()) == before
        assert not torch.is_inference_mode_enabled()
    finally:
        torch.set_flush_denormal(kept)


def test_work_runs_in_the_calling_thread():
    """OpenMP workers of a second thread would compete with those of the first."""
    assert quietly(threading.get_ident, 1) == threading.get_ident()


def test_every_worker_of_a_tool_flushes_subnormals():
    program = ("from lcvision.cli import run_tool\nimport torch\n"
               "def main():\n    torch.set_num_threads(2)\n"
               "    return int(((torch.full((1 << 18,), 2e-38) * 0.1) != 0).any())\n"
               "raise SystemExit(run_tool(main))")
    assert subprocess.run([sys.executable, '-c', program], check=False).returncode == 0


def test_sample_counts_and_is_in_milliseconds():
    calls = []

    def run():
        calls.append(0)
        time.sleep(0.002)

    times = sample(run, 4)
    assert len(calls) == len(times) == 4 and (times >= 1.9).all()


def fake_clock(monkeypatch, durations):
    """Lets every run take the next duration, in milliseconds."""
    series = iter(durations)
    monkeypatch.setattr(rounds, 'sample', lambda run, count: np.array([next(series) for _ in range(count)]))


def test_warm_up_ends_when_two_blocks_agree(monkeypatch):
    fake_clock(monkeypatch, [9] * 5 + [7] * 5 + [5] * 5 + [4.95] * 5 + [1] * 50)
    assert warm_up(lambda: None) == (20, 4.95)


def test_warm_up_takes_at_least_ten_runs(monkeypatch):
    fake_clock(monkeypatch, [3.] * 50)
    assert warm_up(lambda: None) == (10, 3.)


def test_warm_up_gives_up_in_time(monkeypatch):
    fake_clock(monkeypatch, (2.**i for i in range(10**6)))
    assert warm_up(lambda: None, seconds=1e-9)[0] == 10


def test_warm_up_of_a_very_slow_network_ends_after_thirty_seconds(monkeypatch):
    clock = iter(range(0, 10**6, 12))
    monkeypatch.setattr(rounds.time, 'monotonic', lambda: float(next(clock)))
    fake_clock(monkeypatch, [12000.] * 50)
    runs, median = warm_up(lambda: None)
    assert 1 <= runs < 10 and median == 12000


def test_a_quick_network_has_all_its_samples_in_every_round():
    assert plan_blocks(Budget(samples=200, max_seconds=60., rounds=10), 0.01) == [20] * 10


def test_a_slow_network_has_fewer_samples_and_rounds_spread_over_all():
    plan = plan_blocks(Budget(samples=200, max_seconds=12., rounds=10), 1.)
    assert sum(plan) == 12 and [i for i, size in enumerate(plan) if size] == [0, 3, 6, 9]
    assert sum(plan_blocks(Budget(samples=200, max_seconds=1., rounds=10), 100.)) == 10
    assert sum(plan_blocks(Budget(samples=4, max_seconds=1., rounds=10), 100.)) == 4


def test_a_block_waits_for_threads_that_are_still_awake(monkeypatch):
    clock = dict(wall=0., cpu=0., awake_until=0.02)

    def sleep(seconds):
        clock['wall'] += seconds
        clock['cpu'] += seconds if clock['wall'] <= clock['awake_until'] else 0.

    monkeypatch.setattr(rounds, 'time', SimpleNamespace(
        sleep=sleep, monotonic=lambda: clock['wall'], process_time=lambda: clock['cpu']))
    rounds.settle()
    assert 0.02 < clock['wall'] < 0.03
    clock.update(wall=0., awake_until=9.)
    rounds.settle()
    assert 0.05 <= clock['wall'] < 0.06


def test_rounds_interleave_forwards_and_backwards():
    order = []
    series = measure_rounds([lambda: order.append('a'), lambda: order.append('b')],
                            Budget(samples=4, rounds=2, warmup_seconds=0.01))
    assert [len(one.samples_ms) for one in series] == [4, 4]
    assert ''.join(order[-12:]) == 'aaabbb' + 'bbbaaa'


def test_samples_begin_when_the_cores_are_awake(monkeypatch):
    clock, runs = [0.], []
    monkeypatch.setattr(rounds, '_WAKE_SECONDS', 0.03)
    monkeypatch.setattr(rounds, 'settle', lambda: runs.append(0))
    monkeypatch.setattr(rounds, 'time', SimpleNamespace(
        monotonic=lambda: clock[0], process_time=lambda: 0., perf_counter_ns=lambda: round(clock[0] * 1e9)))

    def run():
        runs[-1:] = [runs[-1] + 1] if runs else []
        clock[0] += 0.001

    measure_rounds([run], Budget(samples=4, rounds=2, warmup_seconds=0.01))
    assert len(runs) == 2 and 30 <= min(runs) <= max(runs) <= 34


def test_uneven_rounds_still_give_every_sample():
    done = []
    series = measure_rounds([lambda: None], Budget(samples=7, rounds=3, warmup_seconds=0.01), done.append)
    assert len(series[0].samples_ms) == 7
    assert done[-1] == 1 and done == sorted(done)
    assert len(measure_rounds([lambda: None], Budget(samples=3, rounds=10))[0].samples_ms) == 3


def test_time_runs_out():
    series = measure_rounds([lambda: time.sleep(0.001)],
                            Budget(samples=100, rounds=10, max_seconds=1e-6, warmup_seconds=0.01))
    assert len(series[0].samples_ms) == 10


@pytest.mark.parametrize('wrong', [dict(samples=0), dict(samples=1.5), dict(rounds=True), dict(max_seconds=0),
                                   dict(max_seconds=float('inf')), dict(warmup_seconds='1')])
def test_wrong_budget(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Budget(**wrong)
