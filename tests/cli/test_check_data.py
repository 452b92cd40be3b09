"""tools/check_data.py says what is there, what is wrong and what to type, and mends it in a copy."""
import json
import re

import cv2
import pytest

from tests.cli.conftest import call
from tests.datasets import coco_like, image_tree
from tests.datasets.check import exports


def test_an_export_is_converted_and_then_trained_on(tmp_path):
    exports.yolo(tmp_path / 'set')
    done = call('check_data', 'set', '--json', 'found.json', cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert 'detection: YOLO text files' in done.stdout
    assert 'convert with: lcvision check-data set --fix OUT' in done.stdout
    assert re.search(r'^cup +2 +1$', done.stdout, re.M)
    assert cv2.imread(str(tmp_path / 'check_data/set.jpg')).shape[1] > 1000
    found = json.loads((tmp_path / 'found.json').read_text())
    assert found['splits']['train'] == {'images': 4, 'classes': {'cup': 2, 'fork': 2}, 'sizes': {'48x32': 4}}
    done = call('check_data', 'set', '--fix', 'out', cwd=tmp_path)
    assert 'out is a repaired copy; train with: lcvision train picodet_pplcnet_0_5x_bccd --data out' in done.stdout
    done = call('check_data', 'out', cwd=tmp_path)
    assert done.returncode == 0 and 'train with: lcvision train picodet_pplcnet_0_5x_bccd --data out' in done.stdout
    assert 'error' not in done.stdout


def test_what_stops_a_training_is_an_error(tmp_path):
    root = coco_like.folder(tmp_path / 'set')
    (root / 'train2017/2.jpg').unlink()
    done = call('check_data', 'set', cwd=tmp_path)
    assert done.returncode == 1
    assert 'error   train: 1 images are missing: 2.jpg' in done.stdout
    assert 'error   training: stops: 1 of 2 images of set/annotations/instances_train2017.json are' in done.stdout
    assert 'repair with: lcvision check-data set --fix OUT' in done.stdout


def test_a_tree_of_small_images_gets_a_config_for_them(tmp_path):
    image_tree.colours(tmp_path / 'set', 3, 2)
    done = call('check_data', 'set', '--decode', '--show-dir', 'pictures', cwd=tmp_path)
    assert 'nothing is wrong' in done.stdout and 'lcvision train pplcnet_0_5x_cifar10 --data set' in done.stdout
    assert [path.name for path in (tmp_path / 'pictures').iterdir()] == ['set.jpg']


@pytest.mark.parametrize('arguments, said', [(['nowhere'], 'there is no nowhere'), (['empty'], 'empty is no data set'),
                                             (['set', '--fix', 'set/x'], '--fix set/x: give a new or empty folder'),
                                             (['set', '--config', 'picodet'], 'no config file picodet')])
def test_mistakes(tmp_path, arguments, said):
    coco_like.folder(tmp_path / 'set')
    (tmp_path / 'empty').mkdir()
    done = call('check_data', *arguments, cwd=tmp_path)
    assert done.returncode == 2 and f'error: {said}' in done.stderr and len(done.stderr.splitlines()) == 1


def test_without_a_single_image_there_is_nothing_to_say(tmp_path):
    root = coco_like.folder(tmp_path / 'set')
    for path in root.rglob('*.jpg'):
        path.unlink()
    done = call('check_data', 'set', cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith('error: no image of set can be used, first set/train2017/1.jpg (missing): put ')


def test_the_picture_does_not_become_data(tmp_path):
    coco_like.folder(tmp_path / 'set')
    done = call('check_data', '.', cwd=tmp_path / 'set')
    assert done.returncode == 2 and '--show-dir check_data lies within ., where' in done.stderr
