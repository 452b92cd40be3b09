import pytest

from lcvision.errors import UserError
from lcvision.latency.engines import ENGINES, availability, check_precisions, select_engines


@pytest.fixture
def no_inductor(monkeypatch):
    monkeypatch.setattr(ENGINES['inductor'], 'missing', lambda: 'no compiler')


def names(engines):
    return [engine.name for engine in engines]


def test_names_are_kept_in_order_without_repeats(monkeypatch):
    monkeypatch.setattr(ENGINES['inductor'], 'missing', lambda: None)
    assert names(select_engines('inductor, eager,inductor')) == ['inductor', 'eager']
    assert names(select_engines('all')) == names(select_engines('best')) == ['eager', 'inductor']


def test_absent_engines_are_listed_and_left_out(no_inductor):
    assert availability() == {'eager': None, 'inductor': 'no compiler'}
    assert names(select_engines('all')) == ['eager']


def test_an_absent_engine_asked_for_by_name(no_inductor):
    with pytest.raises(UserError, match="'inductor' is not installed: no compiler; installed here: eager"):
        select_engines('eager,inductor')


@pytest.mark.parametrize('spec, message', [('fast', "unknown engine 'fast': engines are eager, inductor"),
                                           ('all,eager', "unknown engine 'all'"), (' , ', 'no engine named')])
def test_unknown_engine(spec, message):
    with pytest.raises(UserError, match=message):
        select_engines(spec)


def test_unsupported_precision():
    with pytest.raises(UserError, match="'eager' does not run in precision 'bf16': it supports fp32"):
        check_precisions(['fp32', 'bf16'], [ENGINES['eager']])
