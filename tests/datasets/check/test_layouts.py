"""Every layout gives the same images, boxes and classes."""
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from lcvision.datasets.check.faults import look_at
from lcvision.datasets.check.layouts import read_folder
from tests.datasets import coco_like, image_tree, street_like
from tests.datasets.check import exports
from tests.mistakes import message

SPLITS = {'train': list('0123'), 'val': list('45')}
# Of a set without splits the fifth image is held out.
HELD_OUT = {'train': list('01235'), 'val': ['4']}


@pytest.mark.parametrize('write, options, layout, splits', [
    (exports.roboflow_coco, {}, 'a Roboflow export in COCO format', SPLITS),
    (exports.yolo, {}, 'YOLO text files', SPLITS),
    (exports.yolo, dict(images='images/{}', labels='labels/{}', names='classes.txt'), 'YOLO text files', SPLITS),
    (exports.yolo, dict(images='.', labels='.', splits={'': range(6)}), 'YOLO text files', HELD_OUT),
    (exports.yolo, dict(images='images', labels='labels', splits={'': range(6)}), 'YOLO text files', HELD_OUT),
    (exports.voc, {}, 'Pascal VOC xml files', SPLITS),
    (exports.voc, dict(images='.', labels='.', lists=False), 'Pascal VOC xml files', HELD_OUT),
    (exports.label_studio, {}, 'a Label Studio export', HELD_OUT),
    (exports.label_studio, dict(short=True), 'a Label Studio export', HELD_OUT),
    (exports.single_coco, {}, 'COCO layout', HELD_OUT)])
def test_boxes_of_every_tool_are_the_same(tmp_path, write, options, layout, splits):
    found = look_at(read_folder(write(tmp_path, **options)))
    assert found.task == 'detection' and found.layout.startswith(layout)
    assert found.native == (write is exports.single_coco)
    assert {part.name: [Path(path).stem for path in part.images] for part in found.parts} == splits
    for part in found.parts:
        assert part.classes == ['cup', 'fork'] and not part.wrong
        assert all(Path(path).is_file() for path in part.images)
        assert part.rows[:, 0].tolist() == list(range(len(part.images)))
        assert [part.classes[int(row[1])] for row in part.rows] == [exports.BOXES[int(Path(path).stem)][0]
                                                                    for path in part.images]
        np.testing.assert_allclose(part.rows[:, 2:6], [exports.BOXES[0][1]] * len(part.images), atol=1e-9)


def test_a_folder_in_coco_layout_is_read_leniently(tmp_path):
    root = coco_like.folder(tmp_path)
    content = coco_like.content()
    content['images'].append({'id': 9})
    content['annotations'] += [coco_like.annotation(90, 4711), coco_like.annotation(91, 1, bbox=[1, 2]), 'x',
                               coco_like.annotation(92, 1, category_id=5), coco_like.annotation(93, 1, iscrowd=1)]
    coco_like.write(root / 'annotations/instances_train2017.json', content)
    part = read_folder(root).parts[0]
    assert part.name == 'train' and part.counts == {'cup': 2, 'fork': 1} and part.rows[:, 6].tolist() == [0, 1, 0]
    assert len(part.wrong) == 3 and len(part.images) == 2
    coco_like.write(root / 'annotations/instances_train2017.json', {**content, 'annotations': 5})
    assert not len(read_folder(root).parts[0].rows)


def test_bad_lines_are_collected(tmp_path):
    lines = ('a b', '-1 .5 .5 .1 .1', '0 nan 1 1 1', '1 .5 .5 .2 .2', '0 1', '')
    (exports.yolo(tmp_path) / 'train/labels/0.txt').write_text('\n'.join(lines))
    part = read_folder(tmp_path).parts[0]
    assert [text.partition(' ')[2] for text in part.wrong] == ['a b', '-1 .5 .5 .1 .1', '0 nan 1 1 1', '0 1']
    assert part.counts == {'cup': 1, 'fork': 3}


def test_a_lone_training_split_is_divided(tmp_path):
    root = coco_like.folder(tmp_path)
    (root / 'annotations/instances_val2017.json').unlink()
    assert [(part.name, len(part.images)) for part in read_folder(root).parts] == [('train', 1), ('val', 1)]


@pytest.mark.parametrize('content', ['[]', '[1]', '[{"a": 1}]', '{"a": 1}', '{"images": [{"id": [1]}]}'])
def test_a_json_that_is_no_data_set_is_told(tmp_path, content):
    (tmp_path / 'x.json').write_text(content)
    text = message(read_folder, tmp_path)
    assert 'is no data set' in text or 'not of tasks' in text


def test_masks(tmp_path):
    found = look_at(read_folder(street_like.cityscapes(tmp_path)))
    assert found.task == 'segmentation' and found.native and [part.name for part in found.parts] == ['train', 'val']
    assert Counter(found.parts[0].counts.values()) == {2: 2, 0: 17} and found.parts[0].counts['road'] == 2


@pytest.mark.parametrize('split, native', [(True, True), (False, False)])
def test_trees(tmp_path, split, native):
    root = image_tree.tree(tmp_path)
    found = read_folder(root if split else root / 'train')
    assert (found.task, found.native) == ('classification', native)
    train, val = found.parts
    assert train.classes == val.classes == list(image_tree.CLASSES)
    assert (sum(train.counts.values()), sum(val.counts.values())) == ((12, 6) if split else (10, 2))


def test_npz(tmp_path):
    found = read_folder(image_tree.npz(tmp_path / 'set.npz'))
    assert [(part.name, part.counts['ant']) for part in found.parts] == [('train', 2), ('val', 1)]
    assert look_at(found).parts[1].seen[0].size == (32, 32)


def test_nothing_to_read_is_told(tmp_path):
    (tmp_path / 'inner/set/masks').mkdir(parents=True)
    (tmp_path / 'a/masks').mkdir(parents=True)
    assert 'there is no ' in message(read_folder, tmp_path / 'nowhere')
    assert f'{tmp_path} is no data set: give ' in message(read_folder, tmp_path)


def test_a_class_may_be_called_as_a_split_begins(tmp_path):
    image_tree.tree(tmp_path, classes=('train_station', 'valley'))
    for folder in ('.git', 'docs/pictures'):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / 'x.jpg').touch()
    assert read_folder(tmp_path).parts[0].classes == ['train_station', 'valley']
    assert not read_folder(tmp_path / 'train').native and len(read_folder(tmp_path / 'train').parts[0].images) == 7


def test_only_the_framework_of_the_data_is_needed(tmp_path, monkeypatch):
    image_tree.tree(tmp_path / 'tree')
    coco_like.folder(tmp_path / 'coco')
    monkeypatch.setattr('lcvision.frameworks.find_spec', lambda name: None if name in ('mmdet', 'mmseg') else True)
    assert read_folder(tmp_path / 'tree').task == 'classification'
    assert message(read_folder, tmp_path / 'coco').startswith('checking boxes needs mmdet, which is not installed')
