"""Presets, time limits and the comparison with a baseline."""
import dataclasses
import json

import pytest

from lcvision.cli.benchmark_cpu import main
from lcvision.errors import UserError
from lcvision.latency import presets
from tests.cli.conftest import ROOT, call

QUICK = ['--engine', 'eager', '--threads', '1', '--samples', '8', '--max-seconds', '1']
TINY = str(ROOT / 'configs/classification/pplcnet_0_25x.py')
SMALL = ['--input-size', '32x32']


@pytest.fixture(scope='module')
def baseline(tmp_path_factory):
    path = tmp_path_factory.mktemp('baseline') / 'a.json'
    assert main([TINY, *QUICK, *SMALL, '--json', str(path)]) == 0
    return json.loads(path.read_text())


def compare(content, tmp_path, *arguments):
    path = tmp_path / 'baseline.json'
    path.write_text(json.dumps(content))
    return main([TINY, *QUICK, *SMALL, *arguments, '--compare', str(path)])


def scaled(content, factor):
    content = json.loads(json.dumps(content))
    for record in content['results']:
        ms = record['latency_ms']
        ms.update(median=ms['median'] * factor, ci95=[x * factor for x in ms['ci95']])
        for part in record['yardstick'].values():
            part.update(ratio=part['ratio'] * factor, ci95=[x * factor for x in part['ci95']])
    return content


def test_the_noise_floor_is_written_and_printed(baseline, capsys):
    floor, = baseline['environment']['noise_floor']
    assert floor['threads'] == 1 and floor['engine'] == 'eager' and floor['floor'] >= abs(floor['difference'])
    machine = baseline['environment']
    assert machine['context_switches_after'] >= machine['context_switches'] >= 0
    assert baseline['results'][0]['latency_ms']['p99'] is None
    assert main([TINY, *QUICK, *SMALL]) == 0
    assert 'A/A, 1 thr: eager twice differs by' in capsys.readouterr().out


def test_slower_than_the_baseline_is_exit_1(baseline, tmp_path, capsys):
    assert compare(scaled(baseline, 1e-3), tmp_path) == 1
    assert 'SLOWER' in capsys.readouterr().out
    assert compare(scaled(baseline, 1e3), tmp_path) == 0
    assert 'quicker' in capsys.readouterr().out


def test_another_cpu_is_not_judged(baseline, tmp_path, capsys):
    other = scaled(baseline, 1e-3)
    other['environment']['cpu'] = 'Another CPU'
    assert compare(other, tmp_path) == 0
    printed = capsys.readouterr().out
    assert 'cannot judge' in printed and 'CPU: Another CPU there' in printed


def test_a_row_of_the_baseline_that_is_missing_is_exit_1(baseline, tmp_path, capsys):
    more = scaled(baseline, 1e3)
    more['results'].append(dict(more['results'][0], engine='openvino'))
    assert compare(more, tmp_path) == 1
    assert 'MISSING, not measured now' in capsys.readouterr().out


def test_a_baseline_of_other_rows_judges_nothing(baseline, tmp_path):
    baseline = scaled(baseline, 1)
    baseline['results'][0]['threads'] = 77
    with pytest.raises(UserError, match='nothing was compared'):
        compare(baseline, tmp_path)


def test_a_preset_prints_ours_beside_the_papers(monkeypatch, capsys, tmp_path):
    names = tuple(f'classification/pplcnet_{width}' for width in ('0_25x', '0_5x', '1x'))
    small = dataclasses.replace(presets.PRESETS['pplcnet-paper'], configs=names, threads=(10**6,),
                                sizes=(('classification', (32, 32)),))
    monkeypatch.setitem(presets.PRESETS, 'pplcnet-paper', small)
    out = tmp_path / 'out.json'
    assert main(['--preset', 'pplcnet-paper', '--samples', '8', '--max-seconds', '1', '--json', str(out)]) == 0
    printed = capsys.readouterr().out
    assert 'pplcnet-paper: 1000000 threads in the paper, ' in printed and 'as many as can run at once' in printed
    assert 'Table 2 (widths, 32x32, eager' in printed and 'rank correlation (Spearman) of 3 rows' in printed
    assert max(map(len, printed.splitlines())) <= 100
    records = json.loads(out.read_text())['results']
    assert len(records) == 3 and {record['engine'] for record in records} == {'eager'}
    assert {record['precision'] for record in records} == {'fp32'} and records[0]['scope'] == 'net'


def test_time_that_is_over_is_said(capsys):
    other = TINY.replace('0_25x', '0_35x')
    assert main([TINY, other, *QUICK, *SMALL, '--minutes', '1e-9']) == 0
    printed = capsys.readouterr().out
    assert 'not measured, since there was no time for it (--minutes takes more): pplcnet_0_35x on eager' in printed
    assert 'pplcnet_0_25x' in printed


def test_a_file_of_another_schema_exits_with_2_and_one_sentence(tmp_path):
    path = tmp_path / 'run.json'
    path.write_text(json.dumps(dict(config='a.py', metrics={}, latency=[])))
    done = call('benchmark_cpu', TINY, '--compare', str(path))
    assert done.returncode == 2 and 'has no schema, but schema 1 is needed' in done.stderr
    assert done.stderr.count('\n') == 1 and not done.stdout
