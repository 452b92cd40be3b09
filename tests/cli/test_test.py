"""tools/test.py as a user runs it."""
import json
import os
import shutil

import pytest
import torch

from lcvision.cli import run_tool
from lcvision.cli.test import main
from lcvision.deploy.engines import ENGINES, onnxruntime, openvino
from lcvision.deploy.precision import lacking
from lcvision.errors import UserError
from tests.cli.conftest import CONFIG, ROOT, TINY, call
from tests.inference.small_models import CLASSIFIER, save, shaken_model, small_config
from tests.remembered import remember_exports


def test_newest_run_is_found_and_reported(run, tmp_path):
    folder, _ = run
    root = folder.parents[1]
    done = call('test', '--json', str(tmp_path / 'out.json'), '--show-dir', str(tmp_path / 'show'),
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


def evaluate(path, learned, *flags):
    """Lets the tool write to a file what the detector finds that has learnt something."""
    data, trained = learned
    done = call('test', CONFIG, trained.checkpoint, '--data', str(data), '--work-dir', str(path.parent), '--json',
                str(path), *flags, *TINY)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


@pytest.fixture(scope='module')
def own(learned, tmp_path_factory):
    """What it writes without an engine."""
    path = tmp_path_factory.mktemp('own') / 'test.json'
    evaluate(path, learned)
    return json.loads(path.read_text())


def boxes(content):
    return {name: value for name, value in content['metrics'].items() if name.startswith('coco/')}


def _one_of_two(rank, path, learned):
    """What torchrun sets; the real one starts a training in test_train.py."""
    os.environ.update(dict.fromkeys(('RANK', 'LOCAL_RANK'), str(rank)), WORLD_SIZE='2', MASTER_ADDR='127.0.0.1',
                      MASTER_PORT='29619')
    evaluate(path, learned, '--launcher', 'pytorch')


def test_two_processes_evaluate_as_one_does(own, learned, tmp_path):
    if torch.cuda.is_available():
        pytest.skip('a process that knows GPUs cannot be forked')
    path = tmp_path / 'test.json'
    torch.multiprocessing.start_processes(_one_of_two, (path, learned), nprocs=2, start_method='fork')
    two = json.loads(path.read_text())
    assert boxes(two) == boxes(own) and two['metrics']['latency/net_ms'] > 0


@pytest.fixture(scope='module')
def once():
    with pytest.MonkeyPatch.context() as patch:
        remember_exports(patch, onnxruntime, openvino)
        yield


@pytest.mark.parametrize('engine, precision, tolerance', [
    ('onnxruntime', 'fp32', 2e-3), ('openvino', 'fp32', 2e-3), ('eager', 'bf16', 0.05), ('openvino', 'bf16', 0.05)])
def test_an_engine_finds_what_the_model_finds_and_has_its_own_latency(engine, precision, tolerance, own, learned,
                                                                      tmp_path, once):
    if reason := ENGINES[engine].missing() or lacking(precision):
        pytest.skip(reason)
    path = tmp_path / 'test.json'
    evaluate(path, learned, '--engine', engine, '--precision', precision)
    found = json.loads(path.read_text())
    for name in ('coco/bbox_mAP', 'coco/bbox_mAP_50'):
        assert own['metrics'][name] > 0.1
        assert found['metrics'][name] == pytest.approx(own['metrics'][name], abs=tolerance)
    assert (found['engine'], found['precision']) == (engine, precision) and 'engine' not in own
    assert [record['engine'] for content in (own, found) for record in content['latency']] == ['eager', engine]
    assert [record['precision'] for record in found['latency']] == [precision]


def test_the_hook_measures_from_image_to_boxes(run, data, tmp_path):
    folder, _ = run
    path = tmp_path / 'e2e.json'
    done = call('test', CONFIG, str(folder / 'epoch_2.pth'), '--data', str(data), '--work-dir', str(tmp_path / 'work'),
                '--json', str(path), *TINY, 'default_hooks.latency.scope=e2e')
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
    done = call('test', cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith('error: no run under work_dirs/')
    assert 'train first, e.g. `lcvision train picodet' in done.stderr
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
    done = call('test', CONFIG, str(other), '--data', str(data), '--work-dir', str(tmp_path / 'w'), *TINY)
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
