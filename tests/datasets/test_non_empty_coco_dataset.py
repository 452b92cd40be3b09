import json
from pathlib import Path

import pytest
from mmdet.datasets import CocoDataset
from mmengine.registry import DATASETS

import lcvision.datasets  # noqa: F401
from lcvision.datasets.coco_folder import check_coco
from lcvision.errors import UserError


def annotation(number, image, crowd=0, box=(5, 5, 20, 20), category=1):
    return {'id': number, 'image_id': image, 'category_id': category, 'iscrowd': crowd, 'bbox': list(box),
            'area': box[2] * box[3]}


@pytest.fixture
def ann_file(tmp_path):
    """Images: 1 a box, 2 none, 3 a crowd only, 4 a crowd and a box, 5 an invalid box only, 6 another class only."""
    content = {
        'images': [{'id': i, 'file_name': f'{i}.jpg', 'width': 60, 'height': 40 + i} for i in range(1, 7)],
        'categories': [{'id': 1, 'name': 'cell'}, {'id': 2, 'name': 'other'}],
        'annotations': [annotation(1, 1), annotation(2, 3, crowd=1), annotation(3, 4, crowd=1), annotation(4, 4),
                        annotation(5, 5, box=(100, 100, 5, 5)), annotation(6, 6, category=2)]}
    path = tmp_path / 'a.json'
    path.write_text(json.dumps(content))
    return str(path)


def image_ids(kind, ann_file, **kwargs):
    dataset = DATASETS.build({'type': kind, 'ann_file': ann_file, 'data_prefix': {'img': ''},
                              'metainfo': {'classes': ('cell',)}, **kwargs})
    return [dataset.get_data_info(i)['img_id'] for i in range(len(dataset))]


def test_only_images_with_a_trainable_box_stay(ann_file):
    filtered = {'filter_cfg': {'filter_empty_gt': True, 'min_size': 0}}
    assert image_ids('lcvision.NonEmptyCocoDataset', ann_file, **filtered) == [1, 4]
    assert image_ids('mmdet.CocoDataset', ann_file, **filtered) == [1, 3, 4, 5]


@pytest.mark.parametrize('kwargs', [{}, {'filter_cfg': {'filter_empty_gt': False}},
                                    {'filter_cfg': {'filter_empty_gt': True}, 'test_mode': True}])
def test_nothing_is_filtered_unless_asked(ann_file, kwargs):
    assert image_ids('lcvision.NonEmptyCocoDataset', ann_file, **kwargs) == [1, 2, 3, 4, 5, 6]


def test_size_filter_of_mmdet_still_holds(ann_file):
    filtered = {'filter_cfg': {'filter_empty_gt': True, 'min_size': 43}}
    assert image_ids('lcvision.NonEmptyCocoDataset', ann_file, **filtered) == [4]


@pytest.mark.parametrize('empty, least', [(True, 0), (True, 43), (False, 43), (False, 0)])
@pytest.mark.parametrize('classes', [('cell',), ('cell', 'other')])
def test_the_check_before_a_run_counts_what_is_kept(ann_file, empty, least, classes):
    for i in range(1, 7):
        Path(ann_file).with_name(f'{i}.jpg').touch()
    filters = dict(filter_empty_gt=empty, min_size=least)
    kept = image_ids('lcvision.NonEmptyCocoDataset', ann_file, filter_cfg=filters, metainfo=dict(classes=classes))
    assert check_coco(Path(ann_file), Path(ann_file).parent, None, filters, classes).num_images == len(kept)


def test_a_set_without_any_box_is_named(ann_file):
    with pytest.raises(UserError, match=r'none of its 6 images .*a\.json'):
        image_ids('lcvision.NonEmptyCocoDataset', ann_file, filter_cfg={'filter_empty_gt': True, 'min_size': 100})


def test_crowds_are_flagged_for_the_pipeline(ann_file):
    dataset = CocoDataset(ann_file=ann_file, data_prefix={'img': ''}, metainfo={'classes': ('cell',)})
    assert [box['ignore_flag'] for box in dataset.get_data_info(3)['instances']] == [1, 0]
