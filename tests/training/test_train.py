"""A training as a function: in a notebook, without argv or exit."""
import io
import json
import re
import sys
import warnings
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import OptimWrapper, OptimWrapperDict
from rich.console import Console

import lcvision
from lcvision.config import load_config
from lcvision.datasets.sample.sets import render_classification_sample
from lcvision.training.console import learning_rate
from tests import tiny

CONFIG = str(Path(__file__).parents[2] / 'configs/classification/pplcnet_0_5x_cifar10.py')


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    root = tmp_path_factory.mktemp('images')
    render_classification_sample(root, 6, 2)
    return root


@pytest.fixture(scope='module')
def trained(images, tmp_path_factory):
    return lcvision.train(CONFIG, images, epochs=2, work_dir=tmp_path_factory.mktemp('run'),
                          memory_format='contiguous', cfg_options=tiny.CLASSIFIER)


def test_what_comes_back_is_plain(trained):
    assert isinstance(trained, lcvision.TrainResult)
    assert 0 <= trained.metrics['accuracy/top1'] <= 100 and trained.metrics['latency/net_ms'] > 0
    checkpoint = Path(trained.checkpoint)
    assert checkpoint.is_file() and checkpoint.name.startswith('best_accuracy_top1')
    assert Config.fromfile(trained.config).train_cfg.max_epochs == 2
    record, = trained.latency
    assert record.latency_ms.median == pytest.approx(trained.metrics['latency/net_ms'], abs=1e-5)


def test_it_goes_on_and_takes_a_config_as_an_object_and_leaves_it(trained, images, capsys):
    config = load_config(CONFIG)
    before, filters = config.pretty_text, warnings.filters[:]
    again = lcvision.train(config, str(images), epochs=3, work_dir=trained.work_dir, resume=True,
                           memory_format='contiguous', cfg_options=tiny.CLASSIFIER, verbose=True)
    said = capsys.readouterr().out
    assert again.checkpoint and again.metrics['latency/net_ms'] > 0
    assert re.search(r'Epoch\(train\) +\[3\]\[3/3\]', said) and 'epoch 3/3' not in said, said[-2000:]
    assert Path(trained.work_dir, 'epoch_3.pth').is_file()
    assert len(list(Path(trained.work_dir).glob('*/vis_data/scalars.json'))) == 2, 'each run has curves of its own'
    assert config.pretty_text == before and warnings.filters == filters


def test_on_a_terminal_the_progress_is_one_line_that_goes(images, tmp_path, monkeypatch):
    shown, stdout = io.StringIO(), sys.stdout
    monkeypatch.setenv('TERM', 'xterm')
    monkeypatch.setattr('lcvision.training.console.Console',
                        lambda file: Console(file=shown, force_terminal=True, force_jupyter=False, width=150))
    lcvision.train(CONFIG, images, epochs=1, work_dir=tmp_path, memory_format='contiguous', cfg_options=tiny.CLASSIFIER)
    assert sys.stdout is stdout
    line, erase = 'epoch 1/1, step 3/3', '\x1b[2K'
    assert line in shown.getvalue() and 'images/s  ETA 0:00:00' in shown.getvalue()
    # What stays are the lines that are not erased: the head and the table.
    stays = [row.rpartition(erase)[2] for row in shown.getvalue().split('\n')]
    assert not any(line in row for row in stays) and any('top1' in row and 'net_ms' in row for row in stays)
    assert any(row.startswith('training pplcnet') for row in stays)


def test_the_rate_that_is_shown_is_the_one_that_is_used():
    groups = [dict(params=[torch.zeros(1, requires_grad=True)], lr=rate) for rate in (0.01, 0.02)]
    wrapper = OptimWrapper(torch.optim.SGD(groups, lr=0.1))
    wrapper.base_param_settings = dict(lr=0.1)  # of a batch of five times the size
    assert learning_rate(wrapper) == 0.02
    assert learning_rate(OptimWrapperDict(student=wrapper)) == 0.02


def test_a_checkpoint_is_evaluated_and_predicts(trained, images, capsys, tmp_path):
    found = lcvision.evaluate(trained.config, trained.checkpoint, images, work_dir=tmp_path,
                              memory_format='contiguous', cfg_options=tiny.CLASSIFIER)
    assert found.checkpoint == trained.checkpoint and found.engine is None
    # The file's number is a mean of float32; the checkpoint is the one that was best.
    assert found.metrics['accuracy/top1'] >= trained.metrics['accuracy/top1'] - 1e-3
    assert found.latency[0].task == 'classification' and found.metrics['latency/net_ms'] > 0
    said = capsys.readouterr().out
    assert 'CPU latency of the network: median' in said and 'System environment' not in said
    predictor = lcvision.Predictor(trained.config, trained.checkpoint, engine='eager', threads=1)
    picture = next((images / 'val').rglob('*.jpg'))
    assert (images / 'val' / predictor.classes[predictor(picture).labels[0]]).is_dir()


def test_an_engine_evaluates(trained, images, tmp_path):
    found = lcvision.evaluate(trained.config, trained.checkpoint, images, engine='eager', work_dir=tmp_path,
                              cfg_options=tiny.CLASSIFIER, memory_format='contiguous')
    assert (found.engine, found.precision) == ('eager', 'fp32') and json.dumps(found.metrics)


def weights_alone():
    torch.save({'a': torch.ones(2)}, 'w.pth')
    return 'w.pth'


@pytest.mark.parametrize(('call', 'words'), [
    (lambda root: lcvision.train(CONFIG, root, resume=weights_alone()), r'--resume w\.pth: it holds weights alone'),
    (lambda root: lcvision.train(CONFIG, root, cfg_options={'default_hooks.logger': 'x'}), 'cannot be run: Attr'),
    (lambda root: lcvision.train('none.py'), 'no config file none.py'),
    (lambda root: lcvision.train(CONFIG, epochs=0), 'at least 1'),
    (lambda root: lcvision.train(Config(dict(a=1))), "config has no 'model'"),
    (lambda root: lcvision.train(CONFIG, root, resume='auto', load_from='x.pth'), 'exclude each other'),
    (lambda root: lcvision.train(CONFIG, root, resume=True, load_from='x.pth'), 'exclude each other'),
    (lambda root: lcvision.train(CONFIG, root, cfg_options={'model.head.type': 'Nothing'}), 'Nothing is not in the'),
    (lambda root: lcvision.train(CONFIG, root, cfg_options={'model': 5}), 'is a dict'),
    (lambda root: lcvision.evaluate(CONFIG, 'none.pth', root), 'no weights file none.pth'),
    (lambda root: lcvision.evaluate(CONFIG, 'none.pth', root, engine='tensorrt'), "unknown engine 'tensorrt'")])
def test_mistakes_are_user_errors(call, words, images, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(lcvision.UserError, match=words):
        call(images)
