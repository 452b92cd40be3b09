import json
import os
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from lcvision import environment
from lcvision.deploy.engines import ENGINES, Engine, EngineError, Prepared
from lcvision.deploy.load import Load
from lcvision.errors import UserError
from lcvision.latency import Budget, LatencyRecord, Subject, benchmark, run_benchmark
from lcvision.latency.subject import TimeLimit
from lcvision.timing import rounds
from tests.latency.small_net import small_net

KEYS = {'config', 'task', 'engine', 'precision', 'threads', 'batch', 'input', 'scope', 'params', 'macs', 'latency_ms',
        'samples', 'first_ms', 'compile_s', 'max_abs_diff', 'noisy'}
BUDGET = Budget(samples=8, rounds=2, warmup_seconds=0.05)


class Wrong(Engine):
    """Quick and off by a hundredth."""

    name = 'wrong'

    def missing(self):
        return None

    def prepare(self, network, example, *, precision, threads):
        return Prepared(lambda x: tuple(y * 1.01 for y in network(x)), example, 0.1)


class Refusing(Wrong):
    name = 'refusing'

    def prepare(self, network, example, *, precision, threads):
        raise EngineError('not this network')


class Idle(Wrong):
    name = 'idle'

    def prepare(self, network, example, *, precision, threads):
        outputs = network(example)
        return Prepared(lambda x: outputs if x is example else network(x), example, 0.1, compile_s=2.)


class Breaking(Idle):
    """Runs five times, then does what it was told."""

    name = 'breaking'

    def __init__(self, error):
        self.error = error

    def prepare(self, network, example, *, precision, threads):
        left = [5]

        def run(x):
            left[0] -= 1
            if left[0] < 0:
                raise self.error
            return network(x)
        return Prepared(run, example, 0.1)


class Unforeseen(Wrong):
    name = 'unforeseen'

    def prepare(self, network, example, *, precision, threads):
        raise MemoryError('no 40 GB here')


class Fp32Only(Idle):
    name = 'fp32-only'
    precisions = ('fp32',)


class Moody(Wrong):
    """Three times slower, by its own clock, whenever it is prepared again."""

    name = 'moody'
    prepared = clock = 0

    def prepare(self, network, example, *, precision, threads):
        outputs, seconds = network(example), 0.001 * 3 ** self.prepared
        self.prepared += 1

        def run(x):
            self.clock += seconds
            return outputs if x is example else network(x)
        return Prepared(run, example, 0.1)


class Sleepless(Wrong):
    """Works for 20 ms."""

    name = 'sleepless'

    def prepare(self, network, example, *, precision, threads):
        def run(x):
            end = time.perf_counter() + 0.02
            while time.perf_counter() < end:
                pass
            return network(x)

        return Prepared(run, example, 0.1)


def subjects():
    return [Subject(f'configs/{name}.py', 'detection', small_net(), size, config_hash='c0')
            for name, size in (('b', (16, 24)), ('a', (8, 8)))]


def test_records():
    outcome = run_benchmark(subjects(), [ENGINES['eager'], Idle()], [1], budget=BUDGET)
    assert not outcome.failures
    assert [(r.config, r.engine) for r in outcome.records] == [
        ('configs/b.py', 'eager'), ('configs/b.py', 'idle'), ('configs/a.py', 'eager'), ('configs/a.py', 'idle')]
    for record in outcome.records:
        written = json.loads(json.dumps(record.to_json(), allow_nan=False))
        assert written.keys() >= KEYS and LatencyRecord.from_json(written, 'here').to_json() == written
        assert set(written['latency_ms']) >= {'median', 'p10', 'p90', 'min', 'ci95'}
        assert record.scope == 'net' and record.precision == 'fp32' and record.batch == 1
        assert record.latency_ms.p90 is None and record.samples == 8
        assert record.weights_hash is None and record.config_hash == 'c0'
        assert record.response_error < 1e-4
    first = outcome.records[0]
    network = small_net()
    assert first.params == sum(p.numel() for p in network.parameters())
    assert first.macs == 8 * 12 * (27 * 8 + 9 * 8 + 8 * 4)
    assert first.input == [16, 24] and first.compile_s is None and outcome.records[1].compile_s == 2


def test_a_wrong_engine_is_a_failure_and_not_a_row():
    outcome = run_benchmark(subjects()[:1], [Wrong(), ENGINES['eager'], Refusing()], [1], budget=BUDGET)
    assert [r.engine for r in outcome.records] == ['eager']
    assert [f.engine for f in outcome.failures] == ['wrong', 'refusing']
    assert 'differs from eager float32 by 0.' in str(outcome.failures[0])
    assert 'not this network' in str(outcome.failures[1])


def test_a_row_that_breaks_takes_no_other_with_it():
    engines = [Unforeseen(), Breaking(RuntimeError('operator not implemented')), Idle(), ENGINES['eager']]
    outcome = run_benchmark(subjects()[:1], engines, [1], budget=BUDGET, noise_check=True)
    assert [r.engine for r in outcome.records] == ['idle', 'eager']
    assert [(f.engine, f.reason) for f in outcome.failures] == [
        ('unforeseen', 'MemoryError: no 40 GB here'), ('breaking', 'RuntimeError: operator not implemented')]


def test_rows_are_delivered_after_each_number_of_threads(monkeypatch):
    monkeypatch.setattr(environment, 'affinity', lambda: [0, 1])
    monkeypatch.setattr(environment, 'cgroup_quota', lambda: None)
    delivered = []
    run_benchmark(subjects()[:1], [Idle()], [1, 2], budget=BUDGET,
                  deliver=lambda outcome: delivered.append([r.threads for r in outcome.records]))
    assert delivered == [[1], [1, 2]]


def test_an_interrupt_amid_the_rounds_leaves_what_was_measured():
    class Stopping(Idle):
        name = 'stopping'

        def prepare(self, network, example, *, precision, threads):
            runs = iter(range(10 ** 6))

            def run(x):
                # Two for the gate, at least ten of warming up, five of the first round.
                if next(runs) > 30:
                    raise KeyboardInterrupt
                time.sleep(0.001)
                return network(x)
            return Prepared(run, example, 0.1)

    delivered = []
    with pytest.raises(KeyboardInterrupt):
        run_benchmark(subjects()[:1], [Idle(), Stopping()], [1], noise_check=True, deliver=delivered.append,
                      budget=Budget(samples=400, rounds=20, warmup_seconds=0.001))
    rows = {record.engine: record.samples for record in delivered[0].records}
    assert 20 <= rows['idle'] < 400 and delivered[0].records[0].latency_ms.median > 0


def test_an_engine_without_one_of_the_precisions_skips_its_rows(monkeypatch):
    outcome = run_benchmark(subjects()[:1], [Fp32Only(), ENGINES['eager']], [1], precisions=['fp32', 'bf16'],
                            budget=BUDGET)
    assert [(r.engine, r.precision) for r in outcome.records] == [
        ('fp32-only', 'fp32'), ('eager', 'fp32'), ('eager', 'bf16')]
    assert [(row.engine, row.reason) for row in outcome.skipped] == [('fp32-only', 'it does not run in bf16')]
    assert not outcome.failures


class Streaming(Idle):
    """Answers at once, images of a call one after the other."""

    name = 'streaming'
    hints = ('latency', 'throughput')

    def prepare_load(self, network, example, *, precision, threads):
        prepared = self.prepare(network, example, precision=precision, threads=threads)
        prepared.load = StreamingLoad()
        return prepared


class StreamingLoad(Load):
    streams, images = 3, 50

    def __init__(self):
        self.waiting = self.most = 0

    def __call__(self):
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        time.sleep(0.01)

    def drain(self):
        self.waiting = 0


def test_throughput_divides_by_the_images_of_a_run_and_waits_for_the_last(monkeypatch):
    loads = []
    monkeypatch.setattr(StreamingLoad, 'drain', lambda self: loads.append(self) or setattr(self, 'waiting', 0))
    outcome = run_benchmark(subjects()[:1], [Streaming(), Idle()], [1], budget=BUDGET, hint='throughput',
                            noise_check=True)
    record, = outcome.records
    assert not outcome.failures and (record.hint, record.streams) == ('throughput', 3)
    assert 10 > record.latency_ms.min >= 10 / 50, 'a run of 50 images takes 10 ms'
    assert record.images_per_s.median == pytest.approx(1e3 / record.latency_ms.median)
    assert [(row.engine, row.reason) for row in outcome.skipped] == [('idle', 'it has no throughput mode')]
    assert len(set(loads)) == 2 and all(load.waiting == 0 < load.most for load in loads)
    assert outcome.noise_floors[0]['median_ms'][0] == round(record.latency_ms.median, 5)


def test_the_network_stays_as_it_was():
    subject = subjects()[0]
    before = {name: value.clone() for name, value in subject.network.state_dict().items()}
    threads = torch.get_num_threads()
    run_benchmark([subject], [ENGINES['eager']], [1], budget=BUDGET)
    assert torch.get_num_threads() == threads
    assert all(torch.equal(value, subject.network.state_dict()[name]) for name, value in before.items())
    assert any(isinstance(m, nn.BatchNorm2d) for m in subject.network.modules())


def test_progress_runs_to_the_end():
    told = []
    run_benchmark(subjects()[:1], [ENGINES['eager']], [1], budget=BUDGET, progress=lambda text, done: told.append(done))
    assert told == sorted(told) and told[0] == 0 and told[-1] == 1


def test_threads_within_the_limits(monkeypatch):
    monkeypatch.setattr(environment, 'affinity', lambda: list(range(8)))
    monkeypatch.setattr(environment, 'cgroup_quota', lambda: 2.5)
    environment.check_threads([1, 2])
    with pytest.raises(UserError, match=r'8 CPUs and a quota of 2\.5, ask for at most 2'):
        environment.check_threads([1, 3])
    with pytest.raises(UserError, match='at least 1, got 0'):
        environment.check_threads([0])


def test_the_smallest_network_takes_part_twice_for_the_noise_floor():
    outcome = run_benchmark(subjects(), [Idle()], [1], budget=BUDGET, noise_check=True)
    floor, = outcome.noise_floors
    assert len(outcome.records) == 2
    assert (floor['config'], floor['engine'], floor['threads'], floor['scope']) == ('configs/a.py', 'idle', 1, 'net')
    assert floor['median_ms'][0] == round(outcome.records[1].latency_ms.median, 5) and floor['floor'] >= 0
    json.dumps(floor, allow_nan=False)
    assert run_benchmark(subjects()[:1], [Idle()], [1], budget=BUDGET).noise_floors == []


def test_the_floor_holds_what_a_new_preparation_changes(monkeypatch):
    moody = Moody()
    monkeypatch.setattr(rounds, 'time', SimpleNamespace(
        monotonic=lambda: moody.clock, process_time=lambda: 0., sleep=lambda seconds: setattr(
            moody, 'clock', moody.clock + seconds), perf_counter_ns=lambda: round(moody.clock * 1e9)))
    outcome = run_benchmark(subjects()[:1], [moody], [1], budget=BUDGET, noise_check=True)
    assert outcome.noise_floors[0]['difference'] > 0.5 and outcome.records[0].noisy


def test_unequal_twins_make_every_row_noisy(monkeypatch):
    monkeypatch.setattr(benchmark, 'noise_floor', lambda *_: dict(difference=0.2, floor=0.3))
    records = run_benchmark(subjects(), [Idle()], [1], budget=BUDGET, noise_check=True).records
    assert all('measured twice differed by 20.0%' in ' '.join(record.noisy_because) for record in records)
    assert all(record.noisy for record in records)


def test_what_there_is_no_time_for_is_skipped():
    limit = TimeLimit(1e-6)
    outcome = run_benchmark(subjects(), [Idle(), Refusing()], [1], budget=BUDGET, time_limit=limit)
    assert [record.config for record in outcome.records] == ['configs/b.py'] and not outcome.failures
    assert [(row.name, row.engine) for row in outcome.skipped] == [('a', 'idle'), ('b', 'refusing'), ('a', 'refusing')]


@pytest.mark.skipif(not hasattr(os, 'sched_setaffinity'), reason='CPUs cannot be chosen here')
def test_beside_a_busy_process_a_row_is_noisy():
    cpus = os.sched_getaffinity(0)
    # The other process inherits the one CPU, so that the two meet however many there are.
    os.sched_setaffinity(0, {min(cpus)})
    busy = subprocess.Popen([sys.executable, '-S', '-c', 'while True: pass'])
    try:
        time.sleep(0.3)
        record, = run_benchmark(subjects()[:1], [Sleepless()], [1],
                                budget=Budget(samples=40, rounds=4, warmup_seconds=0.05)).records
    finally:
        os.sched_setaffinity(0, cpus)
        busy.kill()
        busy.wait()
    assert record.noisy and record.other_cpus > 0.1
    assert any('other processes used' in reason for reason in record.noisy_because)
