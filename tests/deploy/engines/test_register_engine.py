"""An engine of somebody else's, in one file, from its registration to the pictures."""
import json
import re
import sys
from pathlib import Path

import pytest

import lcvision
from lcvision import environment
from lcvision.cli.benchmark_cpu import main
from lcvision.deploy.engines import ENGINES, Engine, availability, register_engine, select_engines
from lcvision.errors import UserError
from lcvision.latency import Budget, Subject, run_benchmark
from lcvision.latency.profiler import check_profiled
from lcvision.latency.table import format_table
from lcvision.report.names import engine_of
from lcvision.report.style import marker_of
from tests.latency.small_net import small_net
from tests.latency.test_table import ENVIRONMENT

DOCS = Path(__file__).parents[3] / 'docs'
# The engine that the documentation shows.
ENGINE = re.search(r'```python\n(import torch\n.*?register_engine.*?)```', (DOCS / 'measure.md').read_text(), re.S)[1]
CONFIG = """
custom_imports = dict(imports=['own_engine'])
default_scope = 'mmpretrain'
model = dict(type='ImageClassifier', backbone=dict(type='lcvision.PPLCNet', scale=0.25),
             neck=dict(type='GlobalAveragePooling'), head=dict(type='LinearClsHead', num_classes=7, in_channels=128))
test_dataloader = dict(dataset=dict(pipeline=[dict(type='Resize', scale=64)]))
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """The module ``own_engine``, which nobody has imported yet."""
    for name, content in (('own_engine.py', ENGINE.replace("('torch',)", "('pytest',)")), ('a_classifier.py', CONFIG)):
        (tmp_path / name).write_text(content)
    monkeypatch.syspath_prepend(str(tmp_path))
    before, packages = dict(ENGINES), list(environment.PACKAGES)
    yield tmp_path
    sys.modules.pop('own_engine', None)
    ENGINES.clear()
    ENGINES.update(before)
    environment.PACKAGES[:] = packages


def test_an_engine_of_one_file_is_known_everywhere(own):
    assert 'dynamo' not in availability() and engine_of('dynamo') == 'dynamo' and marker_of('dynamo') == Engine.marker
    import own_engine
    assert availability()['dynamo'] is None and environment.versions()['pytest']
    engines = select_engines('eager,dynamo')
    subject = Subject('configs/a.py', 'classification', small_net(), (16, 24))
    outcome = run_benchmark([subject], engines, [1], budget=Budget(samples=4, rounds=2, warmup_seconds=0.05))
    assert [record.engine for record in outcome.records] == ['eager', 'dynamo'] and not outcome.failures
    assert any(' dynamo ' in line for line in format_table(outcome.records, ENVIRONMENT).splitlines())
    assert engine_of('dynamo') == 'Dynamo' and marker_of('dynamo') == 'X'
    with pytest.raises(UserError, match="'dynamo' does not write: give --engine one or more of eager, inductor"):
        check_profiled([engines[1]])
    register_engine(own_engine.DynamoEngine)


def test_the_tool_finds_it_by_the_config_s_custom_imports(own, capsys):
    out = own / 'out.json'
    options = ['--engine', 'dynamo', '--threads', '1', '--samples', '4', '--max-seconds', '1', '--json', str(out)]
    assert main([str(own / 'a_classifier.py'), *options]) == 0
    written = json.loads(out.read_text())
    assert [record['engine'] for record in written['results']] == ['dynamo']
    assert written['environment']['engines']['dynamo'] is None and written['environment']['versions']['pytest']
    with pytest.raises(SystemExit):
        main(['--help'])
    assert 'openvino, dynamo; all' in ' '.join(capsys.readouterr().out.split())


@pytest.mark.parametrize('use', [lcvision.evaluate, lcvision.Predictor])
def test_a_config_brings_the_engine_that_it_runs_on(own, use):
    config = str(own / 'a_classifier.py')
    with pytest.raises(UserError, match=r'unknown engine .another.: engines are eager, .*, dynamo'):
        use(config, own / 'no.pth', engine='another')
    with pytest.raises(UserError, match=r'no\.pth'):
        use(config, own / 'no.pth', engine='dynamo')


@pytest.mark.parametrize('name, message', [
    ('eager', "engine 'eager' already, EagerEngine"), ('best', "neither 'all' nor 'best'"), ('a,b', "got 'a,b'"),
    ('', "got ''")])
def test_names_that_cannot_be_asked_for_or_are_taken(name, message):
    with pytest.raises(ValueError, match=message):
        register_engine(type('Mine', (Engine,), {'name': name} if name else {}))


def test_an_absent_package_without_an_extra_is_named():
    mine = type('Mine', (Engine,), dict(name='mine', packages=('no_such_package_a', 'no_such_package_b')))
    assert mine.missing(mine) == ('it needs no_such_package_a and no_such_package_b: '
                                  'pip install no_such_package_a no_such_package_b')
