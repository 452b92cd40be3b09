"""tools/sweep.py."""
import json

import pytest

from lcvision.cli import run_tool, sweep
from tests.search.tiny import OPTIONS, InProcess, write_images

CONFIGS = ['elite9_cifar10', 'pplcnet_0_5x_cifar10']


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return write_images(tmp_path_factory.mktemp('sweep') / 'data')


def call(data, folder, *more, configs=CONFIGS):
    options = [f'{key}={value}' for key, value in OPTIONS.items()]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('lcvision.search.drive.LocalExecutor', InProcess)
        patch.setattr('lcvision.search.drive._POLL_S', 0)
        return run_tool(lambda: sweep.main([*configs, '--data', str(data), '--work-dir', str(folder), '--threads', '1',
                                            *more, '--cfg-options', *options]))


def test_configs_times_seeds(data, tmp_path, capsys):
    folder, file = tmp_path / 'run', tmp_path / 'sweep.json'
    asked = ('--epochs', '2', '--epochs-per-round', '2', '--seeds', '2', '--json', str(file))
    assert call(data, folder, *asked) == 0
    told = capsys.readouterr().out
    assert all(config in told for config in CONFIGS)
    found = json.loads(file.read_bytes())
    assert [row['config'] for row in found['results']] == CONFIGS
    for row in found['results']:
        values, metrics = row['values']['accuracy/top1'], row['metrics']['accuracy/top1']
        assert len(values) == 2 == metrics['n'] and metrics['mean'] == pytest.approx(sum(values) / 2)
        assert metrics['std'] == pytest.approx(abs(values[0] - values[1]) / 2**0.5, abs=1e-4)
    file.unlink()
    assert call(data, folder, *asked) == 0  # goes on with what is finished
    assert json.loads(file.read_bytes()) == found
    assert call(data, folder, *asked[:-2], '--seeds', '3') == 2
    assert 'holds another sweep (seeds 2 there and 3 here)' in capsys.readouterr().err


@pytest.mark.parametrize(('configs', 'sentence'), [
    ([CONFIGS[0], 'picodet_pplcnet_1x'], 'the configs are of several tasks (classification, detection)'),
    ([CONFIGS[0], 'elite9'], 'the configs train for different numbers of epochs')])
def test_configs_that_do_not_go_together(data, tmp_path, capsys, configs, sentence):
    assert call(data, tmp_path / 'run', configs=configs) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / 'run').exists()
