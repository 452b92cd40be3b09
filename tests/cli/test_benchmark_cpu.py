import dataclasses
import json

import pytest

from lcvision import environment
from lcvision.cli import benchmark_cpu, benchmark_plan, run_tool
from lcvision.cli.benchmark_cpu import main
from lcvision.deploy import precision
from lcvision.deploy.engines import ENGINES, best
from lcvision.deploy.output_check import OutputCheck
from lcvision.errors import UserError
from lcvision.timing import rounds
from tests.cli.conftest import ROOT, call

QUICK = ['--engine', 'eager', '--threads', '1', '--samples', '8', '--max-seconds', '1']
CONFIG = """default_scope = 'mmpretrain'
model = dict(type='ImageClassifier', backbone=dict(type='lcvision.PPLCNet', scale=0.25),
             neck=dict(type='GlobalAveragePooling'),
             head=dict(type='LinearClsHead', num_classes={classes}, in_channels=128))
test_dataloader = dict(dataset=dict(pipeline=[dict(type='Resize', scale=64)]))
"""


@pytest.fixture
def config(tmp_path):
    path = tmp_path / 'lcnet_tiny.py'
    path.write_text(CONFIG.format(classes=7))
    return str(path)


def test_table_json_and_plot(config, tmp_path, capsys):
    second = tmp_path / 'lcnet_other.py'
    second.write_text(CONFIG.format(classes=70))
    out, plot = tmp_path / 'out.json', tmp_path / 'out.png'
    out.write_text('old')
    assert main([config, str(second), config, *QUICK, '--json', str(out), '--plot', str(plot)]) == 0
    written = json.loads(out.read_text())
    assert set(written) == {'schema', 'environment', 'results'} and written['schema'] == 1
    first, other = written['results']
    assert (first['config'], other['config']) == (config, str(second))
    assert first['task'] == 'classification' and first['input'] == [64, 64] and first['threads'] == 1
    assert other['params'] - first['params'] == 63 * 129 and other['macs'] - first['macs'] == 63 * 128
    assert first['config_hash'] != other['config_hash'] and first['weights_hash'] is None
    assert written['environment']['engines']['eager'] is None
    assert plot.stat().st_size > 1000
    assert sorted(p.name for p in tmp_path.iterdir()) == ['lcnet_other.py', 'lcnet_tiny.py', 'out.json', 'out.png']
    printed = capsys.readouterr()
    assert 'lcnet_tiny' in printed.out and 'lcnet_other' in printed.out and '64x64' in printed.out
    assert 'building lcnet_tiny' in printed.err


def test_input_size_from_the_command_line(config, tmp_path):
    out = tmp_path / 'out.json'
    assert main([config, *QUICK, '--input-size', '32x96', '--json', str(out)]) == 0
    assert json.loads(out.read_text())['results'][0]['input'] == [32, 96]


def test_a_segmentor_has_its_resolution_in_record_and_table(tmp_path, capsys):
    out = tmp_path / 'out.json'
    shipped = str(ROOT / 'configs/segmentation/deeplabv3plus_pplcnet_0_5x.py')
    assert main([shipped, *QUICK, '--input-size', '64x128', '--json', str(out)]) == 0
    record, = json.loads(out.read_text())['results']
    assert record['task'] == 'segmentation' and record['input'] == [64, 128] and record['scope'] == 'net'
    assert ' 64x128 ' in capsys.readouterr().out


def test_absent_engines_are_listed_and_best_takes_one_that_is_there(config, monkeypatch, tmp_path, capsys):
    for name, engine in ENGINES.items():
        monkeypatch.setattr(engine, 'missing', lambda name=name: None if name == 'eager' else f'no {name} here')
    monkeypatch.setattr(best, 'noise_reasons', lambda *_: [])
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    assert main([config, *QUICK, '--engine', 'best']) == 0
    printed = capsys.readouterr()
    assert 'engine inductor is not installed: no inductor here' in printed.out and ' eager ' in printed.out
    assert 'choosing the best engine, preparing eager' in printed.err
    assert main([config, *QUICK, '--engine', 'best']) == 0
    assert 'choosing' not in capsys.readouterr().err
    assert main([config, *QUICK, '--engine', 'best', '--fresh']) == 0
    assert 'choosing' in capsys.readouterr().err


def test_a_precision_that_the_cpu_lacks(config, monkeypatch):
    monkeypatch.setattr(environment, 'cpu', lambda: {'cpu': 'Some CPU', 'flags': ['avx2'], 'cores': 2})
    with pytest.raises(UserError, match='Some CPU has neither AVX512-BF16 nor AMX; use fp32'):
        main([config, *QUICK, '--precision', 'fp32,bf16'])


@pytest.mark.skipif(precision.lacking('bf16') is not None, reason='this CPU has no bfloat16')
def test_precisions_have_rows_of_their_own(config, tmp_path, capsys):
    out = tmp_path / 'out.json'
    assert main([config, *QUICK, '--precision', 'fp32,bf16', '--json', str(out)]) == 0
    exact, reduced = json.loads(out.read_text())['results']
    assert (exact['precision'], reduced['precision']) == ('fp32', 'bf16')
    assert exact['response_error'] < 1e-4 < reduced['response_error']
    assert ' eager bf16 ' in capsys.readouterr().out


def test_a_failed_row_is_an_error_after_the_others_were_delivered(config, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(OutputCheck, 'difference', lambda *_: (5., 5.))
    out = tmp_path / 'out.json'
    assert main([config, *QUICK, '--json', str(out)]) == 1
    assert json.loads(out.read_text())['results'] == []
    assert 'differs from eager float32' in capsys.readouterr().err


def test_ctrl_c_delivers_what_was_measured_and_exits_with_130(config, tmp_path, monkeypatch, capsys):
    taken = []

    def sample(run, count):
        if count > 1 and len(taken) == 6:
            raise KeyboardInterrupt
        samples = measure_sample(run, count)
        if count > 1:
            taken.append(samples)
        return samples

    measure_sample = rounds.sample
    monkeypatch.setattr(rounds, 'sample', sample)
    out = tmp_path / 'out.json'
    assert run_tool(lambda: main([config, '--engine', 'eager', '--threads', '1', '--samples', '200', '--max-seconds',
                                  '2', '--json', str(out)])) == 130
    record, = json.loads(out.read_text())['results']
    assert 10 <= record['samples'] < 200
    printed = capsys.readouterr()
    assert 'lcnet_tiny' in printed.out and printed.err.endswith('interrupted\n')


def test_an_interrupt_before_the_first_row_leaves_an_earlier_file(config, tmp_path, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(benchmark_cpu, 'run_benchmark', interrupt)
    out = tmp_path / 'out.json'
    out.write_text('earlier')
    assert run_tool(lambda: main([config, *QUICK, '--json', str(out)])) == 130
    assert out.read_text() == 'earlier'


def test_an_engine_that_lacks_one_precision_is_left_out_with_the_reason(config, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(precision, 'lacking', lambda _: None)
    monkeypatch.setattr(ENGINES['onnxruntime'], 'missing', lambda: None)
    out = tmp_path / 'out.json'
    rows = ['--engine', 'eager,onnxruntime', '--precision', 'bf16', '--json', str(out)]
    assert main([config, *QUICK, *rows]) == 0
    assert [record['engine'] for record in json.loads(out.read_text())['results']] == ['eager']
    assert 'not measured, since it does not run in bf16: lcnet_tiny on onnxruntime' in capsys.readouterr().out


def test_without_a_config_the_default_set_is_measured(monkeypatch, capsys):
    names = ('detection/picodet_pplcnet_0_5x',)
    monkeypatch.setattr(benchmark_plan, 'DEFAULT', dataclasses.replace(benchmark_plan.DEFAULT, configs=names))
    assert main([*QUICK, '--input-size', '64x64']) == 0
    assert 'picodet_pplcnet_0_5x' in capsys.readouterr().out


@pytest.mark.parametrize('arguments, message', [
    (['--threads', '0'], 'at least 1, got 0'),
    (['--threads', '-1'], 'at least 1, got -1'),
    (['--threads', '1.5'], r"--threads '1\.5' is not a list of whole numbers"),
    (['--threads', '1,x'], 'whole numbers'),
    (['--threads', ''], 'whole numbers'),
    (['--engine', 'quick'], "unknown engine 'quick'"),
    (['--precision', 'int8'], "none of the engines asked for has precision 'int8' .eager: fp32, bf16"),
    (['--scope', 'gross'], "unknown scope 'gross': scopes are net, e2e"),
    (['--input-size', '416'], 'HEIGHTxWIDTH'),
    (['--preset', 'paper'], "unknown preset 'paper': presets are pplcnet-paper"),
    (['--preset', 'pplcnet-paper'], 'leave out config files'),
    (['--minutes', '0'], '--minutes 0 is not'),
    (['--minutes', 'x'], '--minutes x is not'),
    (['--compare', 'no_such.json'], 'no_such.json cannot be read'),
    (['--compare', 'setup.cfg'], 'setup.cfg is not JSON'),
    (['--samples', '0'], '--samples 0'),
    (['--samples', 'many'], '--samples many'),
    (['--max-seconds', '-3'], '--max-seconds -3'),
    (['--json', 'no/such/folder/out.json'], r'no/such/folder does not exist'),
    (['--json', '/proc/out.json'], '--json /proc/out.json cannot be written'),
    (['--plot', '/proc/out.png'], '--plot /proc/out.png cannot be written'),
    (['--json', 'tests'], '--json tests is a folder'),
    (['--plot', 'no/such/folder/out.png'], r'no/such/folder does not exist'),
    (['--plot', 'out.txt'], r'must end in \.png'),
])
def test_wrong_arguments_measure_nothing(config, monkeypatch, arguments, message):
    monkeypatch.setattr(benchmark_cpu, 'run_benchmark', lambda *_, **__: pytest.fail('measured'))
    with pytest.raises(UserError, match=message):
        main([config, *arguments])


def test_threads_above_the_quota(config, monkeypatch):
    monkeypatch.setattr(environment, 'cgroup_quota', lambda: 1.)
    with pytest.raises(UserError, match='quota of 1, ask for at most 1'):
        main([config, '--threads', '2'])


def test_config_without_a_size(tmp_path):
    path = tmp_path / 'a.py'
    path.write_text('model = dict(type="ImageClassifier")\n')
    with pytest.raises(UserError, match='--input-size'):
        main([str(path), *QUICK])


@pytest.mark.parametrize('arguments, message', [
    (['no_such_config.py'], 'error: no config file no_such_config.py'),
    (['configs/detection/picodet_pplcnet_1x.py', '--threads', '0'], 'error: threads must be'),
])
def test_command_line_mistakes_exit_with_2_and_one_sentence(arguments, message):
    done = call('benchmark_cpu', *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(message) and done.stderr.count('\n') == 1 and not done.stdout
