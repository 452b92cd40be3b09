"""A segmentor is trained and tested on a user's folder; what is wrong with one is told in a sentence."""
import re

import numpy as np
import pytest

from lcvision.cli import run_tool
from lcvision.cli.train import main
from tests import tiny
from tests.cli.conftest import ROOT, call
from tests.datasets import street_like

CONFIG = 'configs/segmentation/deeplabv3plus_pplcnet_0_5x.py'
TINY = tiny.arguments(tiny.SEGMENTOR)


def test_a_folder_is_trained_and_tested_on(tmp_path):
    root = street_like.cityscapes(tmp_path / 'city', 'jpg', 'labelIds', (7, 26, 0))
    work = tmp_path / 'work_dirs/tiny'
    done = call('train', str(ROOT / CONFIG), '--data', str(root), '--work-dir', str(work), '--epochs', '3', *TINY)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output[-3000:]
    assert '2 training and 2 validation images' in output and re.search('classes +19: road', output)
    assert '3 epochs of 1 steps: schedule scaled from 80000 to 3 iterations' in output
    assert 'crop_size (512, 1024) becomes (24, 40)' in output and 'means are over 2 of 19 classes' in output
    assert re.search(r'iteration .*mIoU .*net_ms', output) and (work / 'iter_3.pth').is_file()
    done = call('test', *TINY, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-3000:]
    assert 'testing the newest run' in done.stdout and re.search(r'mIoU \d+.*latency/net_ms \d+', done.stdout)
    assert '24x40' in done.stdout + done.stderr


def spoilt(root, spoil):
    street_like.cityscapes(root)
    spoil(sorted((root / 'gtFine/train').rglob('*.png'))[1])
    return root


@pytest.mark.parametrize(('prepare', 'words'), [
    (lambda root: root, ['no data set for segmentation', 'leftImg8bit/', 'images/']),
    (lambda root: spoilt(root, lambda path: street_like.mask(path, 77)), ['labelTrainIds.png', 'value 77,', '0..18']),
    (lambda root: spoilt(root, lambda path: street_like.mask(path, np.zeros((9, 9), np.uint8))), ['9x9', '40x24']),
    (lambda root: spoilt(root, lambda path: path.unlink()), ['no mask', '_1_gtFine_labelTrainIds.png'])],
    ids=['layout', 'value', 'size', 'missing'])
def test_wrong_folders_are_one_sentence(prepare, words, monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(ROOT)
    root = tmp_path / 'set'
    root.mkdir()
    prepare(root)
    assert run_tool(lambda: main([CONFIG, '--data', str(root), '--work-dir', str(tmp_path / 'w')])) == 2
    message = capsys.readouterr().err.splitlines()[-1]
    assert message.startswith('error: ')
    for word in (str(root), *words):
        assert word in message
    assert not (tmp_path / 'w').exists()
