"""tools/test.py as a user runs it."""
import json
import os
import shutil

import pytest
import torch

from lcvision.cli import run_tool
from lcvision.cli.test import main
from lcvision.errors import UserError
from tests.cli.conftest import CONFIG, ROOT, TINY, tool
from tests.inference.small_models import CLASSIFIER, save, shaken_model, small_config


def test_newest_run_is_found_and_reported(run, tmp_path):
    folder, _ = run
    root = folder.parents[1]
    done = tool('test', '--json', str(tmp_path / 'out.json'), '--show-dir', str(tmp_path / 'show'),
                '--work-dir', str(tmp_path / 'work'), '--cfg-options', 'default_hooks.latency.samples=8', cwd=root)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    assert 'testing the newest run: work_dirs/tiny/' in output
    content = json.loads((tmp_path / 'out.json').read_text())
    assert set(content) == {'config', 'checkpoint', 'metrics', 'latency', 'environment'}
    record, = content['latency']
    assert record['scope'] == 'net' and record['batch'] == 1 and record['latency_ms']['median'] > 0
    assert content['metrics']['latency/net_ms'] == pytest.approx(record['latency_ms']['median'], abs=1e-5)
    assert (tmp_path / 'show' / 'grid.png').is_file()


def test_a_file_that_cannot_be_written_is_refused_before_the_work():
    with pytest.raises(UserError, match=r'--json /proc/out\.json cannot be written'):
        main(['no_such_config.py', 'no_such_checkpoint.pth', '--json', '/proc/out.json'])


def test_two_processes_evaluate_as_one_does(run, data, tmp_path):
    folder, _ = run
    results = []
    for name, launcher, flags in (
            ('one', (), []),
            ('two', ('-m', 'torch.distributed.run', '--nproc-per-node', '2', '--master-port', '29619'),
             ['--launcher', 'pytorch'])):
        path = tmp_path / f'{name}.json'
        done = tool('test', CONFIG, str(folder / 'epoch_2.pth'), '--data', str(data), '--work-dir',
                    str(tmp_path / name), '--json', str(path), *flags, *TINY, launcher=launcher)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        results.append(json.loads(path.read_text())['metrics'])
    one, two = ({k: v for k, v in metrics.items() if k.startswith('coco/')} for metrics in results)
    assert one == two and 'coco/bbox_mAP' in one
    assert results[1]['latency/net_ms'] > 0


def test_on_an_engine_the_metrics_are_the_same_and_the_latency_is_its_own(run, data, tmp_path):
    folder, _ = run
    results = []
    for name, flags in (('own', []), ('engine', ['--engine', 'onnxruntime'])):
        path = tmp_path / f'{name}.json'
        done = tool('test', CONFIG, str(folder / 'epoch_2.pth'), '--data', str(data), '--work-dir',
                    str(tmp_path / name), '--json', str(path), *flags, *TINY)
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        results.append(json.loads(path.read_text()))
    own, engine = results
    assert engine['metrics']['coco/bbox_mAP'] == pytest.approx(own['metrics']['coco/bbox_mAP'], abs=2e-3)
    assert (engine['engine'], engine['precision']) == ('onnxruntime', 'fp32') and 'engine' not in own
    assert [record['engine'] for result in results for record in result['latency']] == ['eager', 'onnxruntime']


def test_the_hook_measures_from_image_to_boxes(run, data, tmp_path):
    folder, _ = run
    path = tmp_path / 'e2e.json'
    done = tool('test', CONFIG, str(folder / 'epoch_2.pth'), '--data', str(data), '--work-dir', str(tmp_path / 'work'),
                '--json', str(path), *TINY, 'default_hooks.latency.scope=e2e', 'default_hooks.latency.input_size=256')
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
    content = json.loads(path.read_text())
    record, = content['latency']
    assert record['scope'] == 'e2e' and content['metrics']['latency/e2e_ms'] == pytest.approx(
        record['latency_ms']['median'], abs=1e-5)
    assert 'CPU latency from image to result: median' in done.stdout + done.stderr


def test_an_engine_that_cannot_be_is_refused_first(capsys):
    assert run_tool(lambda: main([CONFIG, 'none.pth', '--engine', 'tensorrt'])) == 2
    assert capsys.readouterr().err.startswith("error: unknown engine 'tensorrt'")


def test_without_a_run_it_explains_itself(tmp_path):
    done = tool('test', cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith('error: no run under work_dirs/')
    assert 'train first, e.g. `python tools/train.py picodet' in done.stderr
    assert done.stderr.count('\n') == 1


def test_checkpoint_faults_are_told(run, data, tmp_path, monkeypatch, capsys):
    folder, _ = run
    monkeypatch.chdir(ROOT)
    checkpoint = folder / 'epoch_2.pth'
    torn = tmp_path / 'torn.pth'
    torn.write_bytes(checkpoint.read_bytes()[:1000])
    text = tmp_path / 'weights.txt'
    text.write_text('no weights')
    for path, word in ((torn, 'torn.pth'), (text, 'suffix'), (tmp_path / 'none.pth', 'no weights file')):
        assert run_tool(lambda path=path: main([CONFIG, str(path), '--data', str(data)])) == 2
        message = capsys.readouterr().err
        assert word in message and message.count('\n') == 1


def test_checkpoint_of_another_model_names_the_first_differences(run, data, tmp_path):
    folder, _ = run
    state = torch.load(folder / 'epoch_2.pth', weights_only=True)['state_dict']
    other = tmp_path / 'other.pth'
    torch.save({name.replace('backbone.stem', 'backbone.conv1'): value for name, value in state.items()}, other)
    done = tool('test', CONFIG, str(other), '--data', str(data), '--work-dir', str(tmp_path / 'w'), *TINY)
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 2 and last.startswith('error: ')
    assert 'backbone.stem.bn' in last and 'backbone.conv1.bn' in last


def test_json_folder_is_checked_first(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    with pytest.raises(UserError, match='does not exist'):
        main([CONFIG, 'x.pth', '--json', str(tmp_path / 'no' / 'out.json')])


def test_tampered_checkpoint_runs_nothing(run, data, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(ROOT)
    sentinel = tmp_path / 'sentinel'

    class Evil:
        def __reduce__(self):
            return os.system, (f'touch {sentinel}',)

    path = tmp_path / 'evil.pth'
    torch.save({'state_dict': {'x': Evil()}}, path)
    assert run_tool(lambda: main([CONFIG, str(path), '--data', str(data)])) == 2
    assert 'evil.pth' in capsys.readouterr().err and not sentinel.exists()
    shutil.rmtree(tmp_path)


def test_a_type_that_is_not_there_is_told(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(ROOT)
    config = small_config(CLASSIFIER)
    config.test_dataloader.dataset.type = 'Nothing'
    config.dump(tmp_path / 'config.py')
    checkpoint = save(shaken_model(config), tmp_path / 'model.pth')
    assert run_tool(lambda: main([str(tmp_path / 'config.py'), checkpoint, '--work-dir', str(tmp_path)])) == 2
    message = capsys.readouterr().err
    assert 'error: Nothing is not in the mm' in message and 'Traceback' not in message
