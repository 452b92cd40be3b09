import json

import pytest

from lcvision.errors import UserError
from lcvision.latency import Budget, environment
from lcvision.latency.best_engine import best_engine
from lcvision.latency.engines import ENGINES, best
from tests.latency.small_net import small_net


@pytest.fixture
def cache(monkeypatch, tmp_path):
    for name, engine in ENGINES.items():
        monkeypatch.setattr(engine, 'missing', lambda name=name: None if name == 'eager' else 'not here')
    monkeypatch.setattr(best, '_BUDGET', Budget(samples=4, rounds=2, warmup_seconds=0.05))
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    return tmp_path / 'lcvision' / 'best_engine.json'


def test_the_name_is_returned_and_remembered(cache, monkeypatch):
    assert best_engine(small_net(), (16, 24), threads=1) == 'eager'
    choice, = json.loads(cache.read_text())['choices'].values()
    assert choice['engine'] == 'eager' and choice['conditions']['threads'] == 1
    monkeypatch.setattr(best, 'measure_rounds', lambda *_: pytest.fail('measured'))
    assert best_engine(small_net(), (16, 24), threads=1) == 'eager'
    with pytest.raises(pytest.fail.Exception, match='measured'):
        best_engine(small_net(), (16, 24), threads=1, fresh=True)


def test_a_precision_that_the_cpu_lacks(cache, monkeypatch):
    monkeypatch.setattr(environment, 'cpu', lambda: {'cpu': 'Some CPU', 'flags': ['avx2'], 'cores': 2})
    with pytest.raises(UserError, match='Some CPU has neither'):
        best_engine(small_net(), (16, 24), precision='bf16')
