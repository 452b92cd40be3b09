"""Training, testing and measuring a classifier as a user does it."""
import json
import re

import cv2
import numpy as np
import pytest

from lcvision.cli import run_tool
from lcvision.cli.train import main
from tests import tiny
from tests.cli.conftest import ROOT, call
from tests.datasets import image_tree

CONFIG = 'configs/classification/pplcnet_0_5x_cifar10.py'
# At 32 pixels all strides of 2 leave a map of one.
TINY = tiny.arguments({**tiny.CLASSIFIER, 'model.backbone.strides': (2, 2, 2, 2, 2), 'model.head.dropout': 0.})
LEARNING = ['train_dataloader.batch_size=32', 'optim_wrapper.optimizer.lr=0.1', 'train_cfg.val_interval=3',
            'default_hooks.logger.interval=1', 'log_processor.window_size=3']


@pytest.fixture(scope='module')
def images(tmp_path_factory):
    return image_tree.colours(tmp_path_factory.mktemp('images'))


@pytest.fixture(scope='module')
def trained(images, tmp_path_factory):
    """A run that has learnt something, validated twice: its folder and what the tool printed."""
    folder = tmp_path_factory.mktemp('work') / 'work_dirs' / 'tiny'
    done = call('train', CONFIG, '--data', str(images), '--work-dir', str(folder), '--epochs', '6', *TINY, *LEARNING)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, done.stdout + done.stderr


def packed(images, path):
    """The same images as one .npz file."""
    content = {'classes': np.array(sorted(p.name for p in (images / 'val').iterdir()))}
    for split, name in (('train', 'train'), ('val', 'test')):
        files = sorted((images / split).rglob('*.jpg'))
        encoded = [np.frombuffer(p.read_bytes(), np.uint8) for p in files]
        content[f'{name}_data'] = np.concatenate(encoded)
        content[f'{name}_offsets'] = np.cumsum([0, *map(len, encoded)])
        content[f'{name}_labels'] = np.array([content['classes'].tolist().index(p.parent.name) for p in files])
    np.savez(path, **content)
    return path


def test_accuracy_and_latency_stand_on_one_line_and_the_best_is_kept(trained):
    folder, output = trained
    assert re.search(r'data .*384 training and 24 validation images\n  classes +6: ', output)
    assert len(re.findall(r'epoch +top1 +top5 +net_ms\n', output)) == 1
    log = next(folder.glob('*/*.log')).read_text()
    assert len(re.findall(r'Epoch\(val\).*accuracy/top1: .*accuracy/top5: .*latency/net_ms: ', log)) == 2
    assert (folder / 'epoch_6.pth').is_file() and list(folder.glob('best_accuracy_top1_epoch_*.pth'))


def test_it_learns(trained):
    folder, _ = trained
    lines = [json.loads(line) for line in next(folder.glob('*/vis_data/scalars.json')).read_text().splitlines()]
    losses = [line['loss'] for line in lines if 'loss' in line]
    assert sum(losses[-12:]) < 0.7 * sum(losses[:12])
    # Six classes: by chance 17 %.
    assert [line['accuracy/top1'] for line in lines if 'accuracy/top1' in line][-1] > 40


def test_a_folder_and_an_npz_file_of_the_same_images_give_the_same_numbers(trained, images, tmp_path):
    folder, _ = trained
    npz, metrics = packed(images, tmp_path / 'set.npz'), []
    for name, source in (('folder', images), ('npz', npz)):
        out = tmp_path / f'{name}.json'
        done = call('test', CONFIG, str(folder / 'epoch_6.pth'), '--data', str(source), '--work-dir',
                    str(tmp_path / 'w'), '--json', str(out), '--show-dir', str(tmp_path / name), *TINY)
        assert done.returncode == 0, done.stderr[-3000:]
        content = json.loads(out.read_text())
        assert content['latency'][0]['task'] == 'classification' and content['latency'][0]['input'] == [32, 32]
        metrics.append({key: value for key, value in content['metrics'].items() if key.startswith('accuracy')})
        assert len(list((tmp_path / name).glob('*.jpg'))) == 24
        sheet = cv2.imread(str(tmp_path / name / 'grid.png'))
        assert sheet.shape[1] > 1000 and sheet.std() > 20
    assert metrics[0] == metrics[1] and set(metrics[0]) == {'accuracy/top1', 'accuracy/top5'}
    assert metrics[0]['accuracy/top1'] > 40
    assert (tmp_path / 'folder' / 'red_0001.jpg').is_file() and (tmp_path / 'npz' / 'test_00003.jpg').is_file()


def test_the_config_is_measured_without_data(tmp_path):
    done = call('benchmark_cpu', CONFIG, '--engine', 'eager', '--threads', '1', '--samples', '8', '--max-seconds', '1',
                '--json', str(tmp_path / 'out.json'))
    assert done.returncode == 0, done.stderr
    record, = json.loads((tmp_path / 'out.json').read_text())['results']
    assert (record['task'], record['input'], record['params']) == ('classification', [32, 32], 611_386)


def test_a_damaged_image_is_named_by_a_worker(images, tmp_path):
    root = tmp_path / 'images'
    (root / 'train' / 'red').mkdir(parents=True)
    (root / 'val').symlink_to(images / 'val')
    for folder in (images / 'train').iterdir():
        if folder.name != 'red':
            (root / 'train' / folder.name).symlink_to(folder)
    for image in (images / 'train' / 'red').iterdir():
        (root / 'train' / 'red' / image.name).write_bytes(image.read_bytes()[:200])
    done = call('train', CONFIG, '--data', str(root), '--work-dir', str(tmp_path / 'w'), *TINY,
                'train_dataloader.num_workers=1')
    last = done.stderr.strip().splitlines()[-1]
    assert done.returncode == 2 and last.startswith('error: ') and 'Traceback' not in last
    assert str(root / 'train' / 'red') in last and '.jpg' in last


@pytest.mark.parametrize('source, words', [
    (None, ['data/cifar10/cifar10_jpeg.npz', '--data sample']), ('docs', ['docs is not a tree of images']),
    ('setup.cfg', ['setup.cfg is no data set', '.npz']), ('none', ['no such folder', 'train/CLASS'])])
def test_wrong_data_is_one_sentence(source, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT if source else tmp_path)
    args = ['--data', source] if source else []
    assert run_tool(lambda: main([str(ROOT / CONFIG), *args, '--work-dir', str(tmp_path / 'w')])) == 2
    message = capsys.readouterr().err
    assert message.count('\n') == 1 and message.startswith('error: ')
    for word in words:
        assert word in message
