import json

import pytest
import torch

from lcvision.deploy.engines import ENGINES
from lcvision.deploy.engines.best import BestEngine
from lcvision.errors import UserError
from lcvision.latency import NO_TIME, Budget, Subject
from lcvision.latency.profiler import profile_benchmark
from lcvision.latency.profiler.onednn_log import LogError
from lcvision.latency.profiler.profile_benchmark import check_profiled, peak_gflops, run_profiles, traceable
from lcvision.latency.subject import TimeLimit
from tests.latency.small_net import small_net

BUDGET = Budget(samples=4, max_seconds=1., warmup_seconds=0.1)
needs_onednn = pytest.mark.skipif(not torch.backends.mkldnn.is_available(), reason='torch without oneDNN')


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(profile_benchmark, '_BUDGET', BUDGET)
    monkeypatch.setattr(profile_benchmark, 'peak_gflops', lambda precision: 50.)


def profiled(*engines):
    subject = Subject('small.py', 'classification', small_net(), (64, 64))
    return run_profiles([subject], [ENGINES[name] for name in engines], [1], budget=BUDGET)


def check_sums(record):
    profile = record.profile
    rows = profile['rows']
    assert sum(profile['parts_share'].values()) == pytest.approx(1., abs=1e-3)
    kernels = sum(ms for name, ms in profile['parts_ms'].items() if name != 'outside')
    assert sum(row['us'] for row in rows) == pytest.approx(kernels * 1e3, abs=0.1)
    for row in rows:
        assert row['share'] == pytest.approx(row['us'] / profile['wall_ms'] / 1e3, rel=0.01, abs=1e-4)
        if row['gflops'] is not None:
            assert row['of_peak'] == pytest.approx(row['gflops'] / 50, rel=0.01, abs=1e-3)
    assert json.loads(json.dumps(profile)) == profile and profile['peak_gflops'] == 50


@needs_onednn
def test_profiles_end_in_time_and_are_delivered_as_they_come():
    rows = [Subject(f'{name}.py', 'classification', small_net(), (64, 64)) for name in ('a', 'b')]
    delivered = []
    outcome = run_profiles(rows, [ENGINES['eager']], [1], budget=BUDGET, time_limit=TimeLimit(1e-6),
                           deliver=lambda found: delivered.append(len(found.records)))
    assert [record.config for record in outcome.records] == ['a.py'] and delivered == [1]
    assert [(row.name, row.reason) for row in outcome.skipped] == [('b', NO_TIME)]


@needs_onednn
def test_eager_names_every_layer():
    record, = profiled('eager').records
    check_sums(record)
    layers = [row['layer'] for row in record.profile['rows'] if row['gflops'] is not None]
    assert layers == ['stem', 'depthwise', 'head'] and record.latency_ms.median > 0
    sources = {row['layer']: row['source'] for row in record.profile['rows'] if row['gflops'] is not None}
    assert sources['depthwise'] == 'onednn'
    relu, = (row for row in record.profile['rows'] if row['operation'] == 'relu')
    assert relu['count'] == 2 and relu['layer'] is None and relu['gflops'] is None


@needs_onednn
@pytest.mark.skipif(ENGINES['inductor-freezing'].missing() is not None, reason='no C++ compiler')
def test_a_compiled_network_names_its_layers_and_generated_kernels():
    record, = profiled('inductor-freezing').records
    check_sums(record)
    rows = record.profile['rows']
    assert {row['layer'] for row in rows} >= {'stem', 'depthwise', 'head'}
    assert any(row['source'] == 'inductor' and 'mean' in row['shape'] for row in rows)


@needs_onednn
def test_an_unknown_log_is_a_failure_that_keeps_the_measurement(monkeypatch):
    def unknown(*_, **__):
        raise LogError('a line has an unknown form')

    monkeypatch.setattr(profile_benchmark, 'trace_eager', unknown)
    outcome = profiled('eager')
    assert 'small, engine eager, 1 thread(s): LogError: a line has an unknown form' in str(outcome.failures[0])
    assert outcome.records[0].latency_ms.median > 0 and outcome.records[0].profile is None


def test_engines_without_the_log_are_refused(monkeypatch):
    for engine in (ENGINES['onnxruntime'], ENGINES['openvino'], BestEngine([])):
        with pytest.raises(UserError, match=f"'{engine.name}' does not write: give --engine one or more of eager"):
            check_profiled([ENGINES['eager'], engine])
    with pytest.raises(UserError, match='not --scope net,e2e: leave --scope out'):
        check_profiled([ENGINES['eager']], ['net', 'e2e'])
    monkeypatch.setattr(torch.backends.mkldnn, 'is_available', lambda: False)
    with pytest.raises(UserError, match='this build of torch has none'):
        check_profiled([ENGINES[name] for name in traceable()])


def test_the_best_run_of_the_best_size_on_one_thread(monkeypatch):
    monkeypatch.setattr(profile_benchmark, '_PEAK_SIZES', (16, 64))
    used = []
    mm = torch.mm
    monkeypatch.setattr(torch, 'mm', lambda a, b, out: used.append((torch.get_num_threads(), a.dtype)) or
                        mm(a, b, out=out))
    peak_gflops.cache_clear()
    try:
        assert peak_gflops('bf16') > 0
        assert set(used) == {(1, torch.bfloat16)}
        count = len(used)
        peak_gflops('bf16')
        assert len(used) == count
    finally:
        peak_gflops.cache_clear()
