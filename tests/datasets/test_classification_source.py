"""--data and a classifier's own data: where data sets, metrics and heads then point, and how a mistake is told."""
import json

import image_tree
import numpy as np
import pytest
from mmengine.config import Config

from lcvision.datasets.sample.sets import RENDERERS, render_classification_sample
from lcvision.datasets.sources import check_source, use_source
from tests.datasets.loading import load
from tests.mistakes import message

IMAGENET, CIFAR = 'configs/classification/pplcnet_0_25x.py', 'configs/classification/pplcnet_0_5x_cifar10.py'


@pytest.fixture
def cfg():
    return Config.fromfile(IMAGENET)


@pytest.fixture
def root(tmp_path):
    return image_tree.tree(tmp_path / 'set')


def labels(loader):
    return [sample.gt_label.item() for batch in loader for sample in batch['data_samples']]


def test_every_split_points_at_the_folder(cfg, root):
    split = use_source(cfg, str(root), train=True)
    assert split.num_images == 12 and split.classes == image_tree.CLASSES
    for name, folder in (('train', 'train'), ('val', 'val'), ('test', 'val')):
        dataset = cfg[f'{name}_dataloader'].dataset
        assert dataset.data_prefix == str(root / folder) and 'data_root' not in dataset
        assert tuple(dataset.metainfo.classes) == image_tree.CLASSES and dataset.pipeline
    assert cfg.model.head.num_classes == cfg.data_preprocessor.num_classes == 3


@pytest.mark.parametrize('config, side', [(IMAGENET, 224), (CIFAR, 32)])
def test_images_of_any_size_come_out_in_the_config_s(config, side, root, tmp_path):
    npz = image_tree.npz(tmp_path / 'set.npz')
    for source, counts in ((root, (12, 6)), (npz, (6, 3))):
        cfg = Config.fromfile(config)
        assert use_source(cfg, str(source), train=True).num_images == counts[0]
        for name, count in zip(('train', 'val'), counts, strict=True):
            loader = load(cfg, name)
            assert len(loader.dataset) == count and loader.dataset.metainfo['classes'] == image_tree.CLASSES
            assert {tuple(batch['inputs'].shape[1:]) for batch in loader} == {(3, side, side)}
        assert sorted(labels(load(cfg, 'val'))) == sorted(i % 3 for i in range(counts[1]))


def test_an_npz_file_may_be_named_or_its_folder(cfg, tmp_path):
    path = image_tree.npz(tmp_path / 'set.npz')
    for source in (path, tmp_path):
        assert use_source(cfg, str(source), train=True).num_images == 6
        for name, split in (('train', 'train'), ('val', 'test'), ('test', 'test')):
            dataset = cfg[f'{name}_dataloader'].dataset
            assert (dataset.type, dataset.data_file, dataset.split) == ('lcvision.NpzImageDataset', str(path), split)
    image_tree.npz(tmp_path / 'other.npz')
    assert 'several .npz files (other.npz, set.npz)' in message(use_source, cfg, str(tmp_path), train=True)


def test_a_split_named_val_comes_before_test(cfg, tmp_path):
    content = image_tree.arrays(splits=(('train', 6), ('val', 4), ('test', 3)))
    np.savez(tmp_path / 'set.npz', **content)
    assert use_source(cfg, str(tmp_path), train=False).num_images == 4


@pytest.mark.parametrize('kind', ['tree', 'npz'])
@pytest.mark.parametrize('held_out', ['val', 'test'])
def test_a_test_split_that_chooses_the_checkpoint_is_told(cfg, root, tmp_path, monkeypatch, kind, held_out):
    told = []
    monkeypatch.setattr('lcvision.datasets.sources.classification.print_log', lambda text, logger: told.append(text))
    if kind == 'npz':
        root = tmp_path / 'set.npz'
        np.savez(root, **image_tree.arrays(splits=(('train', 6), (held_out, 4))))
    else:
        (root / 'val').rename(root / held_out)
    use_source(cfg, str(root), train=False)
    assert not told
    use_source(cfg, str(root), train=True)
    assert [f'{root} has no validation split: its test split chooses' in text for text in told] == (
        [True] if held_out == 'test' else [])


def test_a_tree_is_told_to_come_before_a_file(cfg, root, monkeypatch):
    told = []
    monkeypatch.setattr('lcvision.datasets.layout.print_log', lambda text, logger: told.append(text))
    image_tree.npz(root / 'set.npz')
    assert use_source(cfg, str(root), train=False).num_images == 6
    assert len(told) == 1 and f"{root / 'val'} is taken, not {root / 'set.npz'} (" in told[0]


@pytest.mark.parametrize('source', ['/dev/null', 'a' * 5000])
def test_what_is_neither_folder_nor_file_is_told(cfg, source):
    assert 'no such folder' in message(use_source, cfg, source, train=True)


@pytest.mark.parametrize('count, topk', [(2, (1,)), (4, (1,)), (5, (1, 5)), (7, (1, 5))])
def test_top_k_fits_the_number_of_classes(cfg, tmp_path, count, topk):
    root = image_tree.tree(tmp_path / 'set', [f'c{i}' for i in range(count)], train=1, val=1)
    cfg.val_evaluator = [cfg.val_evaluator, dict(type='SingleLabelMetric')]
    cfg.model.head.topk = 5
    use_source(cfg, str(root), train=True)
    assert tuple(cfg.val_evaluator[0].topk) == tuple(cfg.test_evaluator.topk) == topk
    assert cfg.model.head.topk == (5 if count >= 5 else 1,)


def test_without_training_the_training_split_is_not_needed(cfg, root):
    (root / 'train').rename(root / 'old')
    before = cfg.train_dataloader.to_dict()
    assert use_source(cfg, str(root), train=False).num_images == 6
    assert cfg.train_dataloader.to_dict() == before
    assert "no folder 'train'" in message(use_source, cfg, str(root), train=True)


def test_sample_is_rendered_where_the_user_stands(cfg, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(RENDERERS, 'classification', lambda root: render_classification_sample(root, 2, 1))
    split = use_source(cfg, 'sample', train=True)
    assert split.num_images == 16 and 'star' in split.classes and cfg.model.head.num_classes == 8
    assert sorted(labels(load(cfg, 'val'))) == list(range(8))
    assert (tmp_path / 'data/sample/classification/train/gear').is_dir()


def test_wrappers_are_looked_into(cfg, root):
    cfg.train_dataloader.dataset = dict(type='RepeatDataset', times=3, dataset=cfg.train_dataloader.dataset)
    cfg.model = dict(type='Distiller', students=[cfg.model, dict(head=dict(num_classes=1000))])
    use_source(cfg, str(root), train=True)
    assert len(load(cfg, 'train').dataset) == 36
    assert [student.head.num_classes for student in cfg.model.students] == [3, 3]


def test_splits_of_different_classes_are_refused(cfg, root):
    (root / 'val' / 'cow').rename(root / 'val' / 'cat')
    text = message(use_source, cfg, str(root), train=True)
    assert str(root / 'train') in text and str(root / 'val') in text and "'cow' against 'cat' at place 2" in text
    for path in (root / 'val' / 'cat').iterdir():
        path.unlink()
    (root / 'val' / 'cat').rmdir()
    assert '3 against 2' in message(use_source, cfg, str(root), train=True)


def test_what_is_no_data_set_is_told(cfg, tmp_path):
    path = tmp_path / 'images.zip'
    path.write_bytes(b'PK')
    assert f'{path} is no data set' in message(use_source, cfg, str(path), train=True)
    assert 'no such folder' in message(use_source, cfg, str(tmp_path / 'none'), train=True)


@pytest.mark.parametrize('damage, said', [(lambda data: data[:len(data) // 2], 'ends early'),
                                          (lambda data: b'', 'is empty'),
                                          (lambda data: b'<html>' + b'x' * 99, 'not an image')],
                         ids=['torn', 'empty', 'html'])
@pytest.mark.parametrize('name', ['train', 'val'])
def test_a_damaged_image_is_named_when_it_is_read(cfg, root, name, damage, said):
    path = root / name / 'bee' / '1.jpg'
    path.write_bytes(damage(path.read_bytes()))
    use_source(cfg, str(root), train=True)
    text = message(lambda: list(load(cfg, name)))
    assert str(path) in text and said in text


def own_folder(cfg, root, **kwargs):
    for name, split in (('train', 'train'), ('val', 'val'), ('test', 'val')):
        cfg[f'{name}_dataloader'].dataset.update(data_root=str(root), split=split, **kwargs)
    return cfg


def test_own_images_are_checked_and_counted(cfg, root):
    cfg.model.head.num_classes = 3
    own_folder(cfg, root, metainfo=dict(classes=image_tree.CLASSES))
    assert check_source(cfg, train=True) == 12 and check_source(cfg, train=False) == 6
    (root / 'val' / 'fly').mkdir()
    assert 'fly has no image' in message(check_source, cfg, train=True)


def test_own_lists_are_checked_and_counted(cfg, root):
    own_folder(cfg, root)
    (root / 'meta').mkdir()
    for split, line in (('train', 'ant/0.jpg 5'), ('val', 'bee/1.jpg 7')):
        (root / 'meta' / f'{split}.txt').write_text(f'{line}\n{line}')
    assert check_source(cfg, train=True) == check_source(cfg, train=False) == 2
    (root / 'meta' / 'val.txt').write_text('ant/0.jpg 1000')
    assert 'val.txt, line 1: the label is 1000' in message(check_source, cfg, train=True)


@pytest.mark.parametrize('train, expected', [(True, 'train'), (False, 'val')])
def test_own_images_that_are_missing_are_told_with_the_ways_out(cfg, tmp_path, monkeypatch, train, expected):
    monkeypatch.chdir(tmp_path)
    text = message(check_source, cfg, train=train)
    assert str(tmp_path / 'data' / 'imagenet') in text and f'data/imagenet/{expected} is missing' in text
    assert '--data sample' in text and '.npz' in text


def test_own_folders_of_other_classes_are_told(cfg, root):
    text = message(check_source, own_folder(cfg, root), train=True)
    assert f"{root / 'train'} has 3 folders of classes, but the config has 1000" in text and f'--data {root}' in text


def test_own_npz_file_is_checked(tmp_path, monkeypatch):
    cfg = Config.fromfile(CIFAR)
    monkeypatch.chdir(tmp_path)
    text = message(check_source, cfg, train=True)
    assert 'no file data/cifar10/cifar10_jpeg.npz' in text and '--data sample' in text
    (tmp_path / 'data/cifar10').mkdir(parents=True)
    image_tree.npz(tmp_path / 'data/cifar10/cifar10_jpeg.npz')
    assert "num_classes=10, but the config's train data has 3" in message(check_source, cfg, train=True)


def test_own_npz_file_is_counted(tmp_path):
    cfg = Config.fromfile(CIFAR)
    path = image_tree.npz(tmp_path / 'set.npz', **image_tree.arrays([f'c{i}' for i in range(10)]))
    for name in ('train', 'val', 'test'):
        cfg[f'{name}_dataloader'].dataset.data_file = str(path)
    assert check_source(cfg, train=True) == 6 and check_source(cfg, train=False) == 3


def test_any_other_data_set_of_mmpretrain_is_counted(cfg, tmp_path):
    cfg.model.head.num_classes = 4
    content = dict(metainfo=dict(classes=['a', 'b']), data_list=[dict(img_path='x.jpg', gt_label=1)] * 9)
    (tmp_path / 'list.json').write_text(json.dumps(content))
    cfg.test_dataloader.dataset = dict(type='RepeatDataset', times=2, dataset=dict(
        type='mmpretrain.BaseDataset', ann_file='list.json', data_root=str(tmp_path), pipeline=[dict(type='Nonsense')]))
    assert "num_classes=4, but the config's test data has 2" in message(check_source, cfg, train=False)
    cfg.model.head.num_classes = 2
    assert check_source(cfg, train=False) == 9
