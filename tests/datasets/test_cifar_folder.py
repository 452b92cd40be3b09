"""CIFAR as its authors give it: found, checked, and read only when its sums are right."""
import hashlib
import pickle

import image_tree
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpretrain.datasets import CIFAR100

from lcvision.datasets.cifar_folder import check_cifar, find, holds
from lcvision.datasets.sources import check_source, use_source
from lcvision.errors import UserError

CONFIG = 'configs/_base_/datasets/cifar100.py'


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A CIFAR-100 of five images a split, whose sums are taken for the authors'."""
    folder = tmp_path / 'cifar100' / 'cifar-100-python'
    folder.mkdir(parents=True)
    sums = {}
    for name, first in (('train', 0), ('test', 50)):
        pixels = np.stack([image_tree.picture(first + i, 32, 32)[..., ::-1] for i in range(5)])
        content = pickle.dumps({'data': pixels.transpose(0, 3, 1, 2).reshape(5, -1),
                                'fine_labels': list(range(first, first + 5))})
        (folder / name).write_bytes(content)
        sums[name] = hashlib.md5(content).hexdigest()
    monkeypatch.setattr(CIFAR100, 'train_list', [['train', sums['train']]])
    monkeypatch.setattr(CIFAR100, 'test_list', [['test', sums['test']]])
    return folder.parent


@pytest.fixture
def cfg():
    cfg = Config.fromfile(CONFIG)
    cfg.default_scope = 'mmpretrain'
    cfg.model = dict(head=dict(num_classes=100))
    return cfg


def test_it_is_found_and_counted(root, tmp_path):
    assert holds(root) and not holds(tmp_path)
    train, val = find(root, 'train'), find(root, 'val')
    assert train.num_images == 50_000 and len(train.classes) == 100 and train.classes[0] == 'apple'
    assert val.num_images == 10_000 and val.dataset['split'] == 'test'


@pytest.mark.parametrize('name', ['train', 'test'])
def test_a_missing_or_other_file_is_named(root, name):
    path = root / 'cifar-100-python' / name
    path.write_bytes(path.read_bytes() + b'x')
    with pytest.raises(UserError) as error:
        check_cifar('CIFAR100', root, 'train')
    assert f'{path} is not the file of CIFAR100' in str(error.value)
    path.unlink()
    with pytest.raises(UserError) as error:
        check_cifar('CIFAR100', root, 'train')
    assert f'{path} is missing; unpack cifar-100-python.tar.gz' in str(error.value)


def test_the_config_s_own_is_missed_with_the_ways_out_and_nothing_is_downloaded(cfg, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError) as error:
        check_source(cfg, train=True)
    text = str(error.value)
    assert str(tmp_path / 'data' / 'cifar100') in text and '--data sample' in text and '\n' not in text
    for name in ('train', 'val', 'test'):
        assert cfg[f'{name}_dataloader'].dataset.download is False


def test_images_come_out_as_they_went_in(cfg, root):
    cfg.train_dataloader.dataset.data_root = cfg.val_dataloader.dataset.data_root = str(root)
    assert check_source(cfg, train=True) == 50_000
    init_default_scope('mmpretrain')
    cfg.val_dataloader.update(num_workers=0, persistent_workers=False)
    batch = next(iter(Runner.build_dataloader(cfg.val_dataloader, seed=0)))
    assert [sample.gt_label.item() for sample in batch['data_samples']] == [50, 51, 52, 53, 54]
    for index, image in enumerate(batch['inputs']):
        assert (image.permute(1, 2, 0).numpy() == image_tree.picture(50 + index, 32, 32)).all()


def test_data_may_be_such_a_folder(cfg, root):
    cfg.model.head.num_classes = 7
    split = use_source(cfg, str(root), train=True)
    assert split.num_images == 50_000 and cfg.model.head.num_classes == 100
    assert cfg.train_dataloader.dataset.type == 'mmpretrain.CIFAR100'
    assert (cfg.train_dataloader.dataset.split, cfg.val_dataloader.dataset.split) == ('train', 'test')
    assert cfg.test_dataloader.dataset.download is False and cfg.test_dataloader.dataset.pipeline


def test_of_two_the_first_is_taken_and_told(root, monkeypatch):
    told = []
    monkeypatch.setattr('lcvision.datasets.layout.print_log', lambda text, logger: told.append(text))
    assert find(root, 'val').dataset['type'] == 'mmpretrain.CIFAR100' and not told
    (root / 'cifar-10-batches-py').mkdir()
    with pytest.raises(UserError, match='cifar-10-batches-py/data_batch_1 is missing'):
        find(root, 'val')
    assert '/cifar-100-python (' in told[0]
