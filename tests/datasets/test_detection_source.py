"""--data and the config's own data: where datasets and evaluators then point, and how a mistake is told."""
from pathlib import Path

import coco_like
import numpy as np
import pytest
from mmdet.visualization import DetLocalVisualizer
from mmengine.config import Config

from lcvision.datasets.sample.sets import RENDERERS, render_detection_sample
from lcvision.datasets.sources import check_source, use_source
from tests.datasets.loading import load
from tests.mistakes import message

CONFIG = 'configs/detection/picodet_pplcnet_0_5x.py'


@pytest.fixture
def cfg():
    return Config.fromfile(CONFIG)


@pytest.fixture
def root(tmp_path):
    return coco_like.folder(tmp_path / 'set')


def test_every_split_points_at_the_folder(cfg, root):
    assert use_source(cfg, str(root), train=True).num_images == 2
    for name, split in (('train', 'train'), ('val', 'val'), ('test', 'val')):
        dataset = cfg[f'{name}_dataloader'].dataset
        assert dataset.ann_file == str(root / 'annotations' / f'instances_{split}2017.json')
        assert dataset.data_prefix.img == str(root / f'{split}2017') and dataset.data_root == ''
        assert tuple(dataset.metainfo.classes) == coco_like.CLASSES
    assert cfg.val_evaluator.ann_file == cfg.test_evaluator.ann_file == cfg.val_dataloader.dataset.ann_file
    assert cfg.model.bbox_head.num_classes == 2


@pytest.mark.parametrize('name, ids', [('train', {1, 2}), ('val', {11, 12}), ('test', {11, 12})])
def test_images_and_labels_come_from_the_folder(cfg, root, name, ids):
    use_source(cfg, str(root), train=True)
    batch = next(iter(load(cfg, name)))
    assert {sample.img_id for sample in batch['data_samples']} == ids
    for sample in batch['data_samples']:
        # Category ids 3 and 7 have become the labels 0 and 1; a crop of training may have lost the box.
        labels = sample.gt_instances.labels.tolist()
        assert labels == [sample.img_id % 2] or (name == 'train' and not labels)


@pytest.mark.parametrize('count', [1, 80, 81, 200])
def test_any_number_of_classes_can_be_drawn(cfg, tmp_path, count):
    content = coco_like.content()
    content['categories'] = [{'id': i + 1, 'name': f'thing {i}'} for i in range(count)]
    content['annotations'] = [coco_like.annotation(i, 1, category_id=count) for i in range(3)]
    coco_like.draw(tmp_path / 'images')
    coco_like.write(tmp_path / 'annotations' / 'val.json', content)
    use_source(cfg, str(tmp_path), train=False)
    assert cfg.model.bbox_head.num_classes == count
    dataset = load(cfg, 'val').dataset
    assert len(dataset.metainfo['classes']) == count
    sample = dataset[0]['data_samples']
    sample.gt_instances.bboxes = sample.gt_instances.bboxes.tensor
    visualizer = DetLocalVisualizer()
    visualizer.dataset_meta = dataset.metainfo
    image = np.zeros((32, 48, 3), np.uint8)
    visualizer.add_datasample('image', image, data_sample=sample, draw_pred=False)
    assert visualizer.get_image().any()


def test_without_training_the_training_split_is_not_needed(cfg, root):
    (root / 'annotations' / 'instances_train2017.json').unlink()
    before = cfg.train_dataloader.to_dict()
    assert use_source(cfg, str(root), train=False).num_images == 2
    assert cfg.train_dataloader.to_dict() == before
    assert 'instances_train2017.json' in message(use_source, cfg, str(root), train=True)


def test_sample_is_rendered_where_the_user_stands(cfg, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(RENDERERS, 'detection', lambda root: render_detection_sample(root, 3, 2))
    assert use_source(cfg, 'sample', train=True).num_images == 3
    assert cfg.model.bbox_head.num_classes == 8
    assert (tmp_path / 'data/sample/detection/annotations/instances_train2017.json').is_file()
    assert len(load(cfg, 'val').dataset) == 2


def test_wrappers_and_lists_are_looked_into(cfg, root):
    cfg.train_dataloader.dataset = dict(type='RepeatDataset', times=3, dataset=cfg.train_dataloader.dataset)
    cfg.val_evaluator = [cfg.val_evaluator]
    cfg.model = dict(type='Wrapper', parts=[cfg.model, dict(heads=(dict(num_classes=80), dict(depth=3)))])
    use_source(cfg, str(root), train=True)
    assert cfg.train_dataloader.dataset.dataset.ann_file.endswith('instances_train2017.json')
    assert cfg.val_evaluator[0].ann_file == cfg.val_dataloader.dataset.ann_file
    first, second = cfg.model.parts
    assert first.bbox_head.num_classes == second.heads[0].num_classes == 2 and second.heads[1] == dict(depth=3)
    assert len(load(cfg, 'train').dataset) == 6


@pytest.mark.parametrize('source', ['nowhere', 'sampel', ''])
def test_a_folder_that_is_missing_is_named(cfg, tmp_path, monkeypatch, source):
    monkeypatch.chdir(tmp_path)
    text = message(use_source, cfg, source or 'x', train=True)
    assert f'--data {source or "x"}: no such folder' in text and "'sample'" in text


@pytest.mark.parametrize('given', ['.', 'all.json', 'annotations/all.json'])
def test_of_a_single_json_every_fifth_image_is_held_out(cfg, tmp_path, given):
    names = [f'{i:02}.jpg' for i in (3, 0, 5, 1, 2, 4, 9, 6, 8, 7)]
    coco_like.draw(tmp_path / 'images', names)
    coco_like.write(tmp_path / (given if given != '.' else 'all.json'), coco_like.content(names))
    assert use_source(cfg, str(tmp_path / given), train=True).num_images == 8
    found = {name: [Path(load(cfg, name).dataset.get_data_info(i)['img_path']).stem for i in range(count)]
             for name, count in (('train', 8), ('val', 2), ('test', 2))}
    assert found['val'] == found['test'] == ['04', '09']
    assert found['train'] == ['00', '01', '02', '03', '05', '06', '07', '08']
    assert cfg.val_evaluator.type == 'lcvision.CocoBoxMetric' and cfg.val_evaluator.part


def test_any_json_can_be_named(cfg, root):
    assert use_source(cfg, str(root / 'annotations' / 'instances_val2017.json'), train=False).num_images == 1


@pytest.mark.parametrize('categories, difference', [
    ([{'id': 3, 'name': 'cup'}], '1 against 2'),
    ([{'id': 3, 'name': 'fork'}, {'id': 7, 'name': 'cup'}], "'fork' against 'cup' at place 0")])
def test_splits_of_different_classes_are_refused(cfg, root, categories, difference):
    content = {**coco_like.content(), 'categories': categories, 'annotations': []}
    path = coco_like.write(root / 'annotations' / 'instances_train2017.json', content)
    text = message(use_source, cfg, str(root), train=True)
    assert str(path) in text and 'instances_val2017.json' in text and difference in text


def test_one_file_is_not_both_splits(cfg, tmp_path):
    coco_like.draw(tmp_path / 'images')
    path = coco_like.write(tmp_path / 'annotations' / 'trainval.json', coco_like.content())
    text = message(use_source, cfg, str(tmp_path), train=True)
    assert str(path) in text and 'both' in text
    assert use_source(cfg, str(tmp_path), train=False).num_images == 2


def own_data(cfg, root, classes=coco_like.CLASSES):
    """Makes the folder the config's own data."""
    for name, split in (('train', 'train'), ('val', 'val'), ('test', 'val')):
        cfg[f'{name}_dataloader'].dataset.update(
            data_root=str(root), ann_file=f'annotations/instances_{split}2017.json',
            data_prefix=dict(img=f'{split}2017/'), metainfo=dict(classes=classes))
    return cfg


@pytest.mark.parametrize('train', [True, False])
def test_own_data_is_checked_and_counted(cfg, root, train):
    assert check_source(own_data(cfg, root), train=train) == 2


@pytest.mark.parametrize('train, expected', [(True, 'instances_train2017.json'), (False, 'instances_val2017.json')])
def test_own_data_that_is_missing_is_told_with_the_ways_out(cfg, tmp_path, monkeypatch, train, expected):
    monkeypatch.chdir(tmp_path)
    text = message(check_source, cfg, train=train)
    assert str(tmp_path / 'data' / 'coco') in text and expected in text
    assert '--data DIR' in text and '--data sample' in text


@pytest.mark.parametrize('split', ['train', 'val'])
def test_own_data_that_is_faulty_is_named(cfg, root, split):
    own_data(cfg, root)
    (root / f'{split}2017' / '2.jpg').unlink()
    text = message(check_source, cfg, train=True)
    assert '2.jpg' in text and f'instances_{split}2017.json' in text


@pytest.mark.parametrize('split', ['train', 'val'])
def test_own_data_whose_categories_come_in_another_order_is_refused(cfg, root, split):
    path = root / 'annotations' / f'instances_{split}2017.json'
    content = coco_like.content(first_id=1 if split == 'train' else 11)
    coco_like.write(path, {**content, 'categories': content['categories'][::-1]})
    text = message(check_source, own_data(cfg, root), train=True)
    assert f'{path} lists the categories in another order' in text and "'fork' against 'cup' at place 0" in text


def test_splits_that_name_their_classes_in_another_order_are_refused(cfg, root):
    content = coco_like.content(first_id=11)
    path = coco_like.write(root / 'annotations' / 'instances_val2017.json',
                           {**content, 'categories': content['categories'][::-1]})
    own_data(cfg, root).val_dataloader.dataset.metainfo.classes = coco_like.CLASSES[::-1]
    assert f'{path} lists the categories in another order' in message(check_source, cfg, train=True)


@pytest.mark.parametrize('own', [True, False])
def test_images_without_boxes_do_not_count_for_training(cfg, root, own):
    path = root / 'annotations' / 'instances_train2017.json'
    content = coco_like.content()
    coco_like.write(path, {**content, 'annotations': content['annotations'][1:]})
    if own:
        assert check_source(own_data(cfg, root), train=True) == 1
    else:
        assert use_source(cfg, str(root), train=True).num_images == 1
    assert len(load(cfg, 'train').dataset) == 1


def test_classes_that_the_data_lacks_are_named(cfg, root):
    text = message(check_source, own_data(cfg, root, ('cup', 'plate', 'fork', 'pan')), train=True)
    assert 'instances_train2017.json' in text and "lacks 2 of the 4 classes of the config, first 'plate'" in text
    own_data(cfg, root)
    for name in ('train', 'val', 'test'):
        del cfg[f'{name}_dataloader'].dataset['metainfo']
    assert 'lacks 78 of the 80 classes' in message(check_source, cfg, train=True)


@pytest.mark.parametrize('damage, said', [(lambda data: data[:len(data) // 2], 'ends early'),
                                          (lambda data: b'', 'is empty'),
                                          (lambda data: b'<html>' + b'x' * 99, 'not an image')],
                         ids=['torn', 'empty', 'html'])
@pytest.mark.parametrize('name', ['train', 'val'])
def test_a_damaged_image_is_named_when_it_is_read(cfg, root, name, damage, said):
    path = root / f'{name}2017' / '2.jpg'
    path.write_bytes(damage(path.read_bytes()))
    use_source(cfg, str(root), train=True)
    text = message(lambda: list(load(cfg, name)))
    assert str(path) in text and said in text
