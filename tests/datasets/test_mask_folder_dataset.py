"""What a dataset of two folders hands to its pipeline."""
import numpy as np
import pytest
import street_like

from lcvision.datasets.mask_folder import find_mask_folder
from lcvision.datasets.mask_folder_dataset import MaskFolderDataset
from lcvision.datasets.transforms import LoadMask
from lcvision.registry import DATASETS


def build(root, split='val', **changes):
    return DATASETS.build({**find_mask_folder(root, split), **changes})


def labels(dataset, index=0):
    return LoadMask(len(dataset.metainfo['classes']))(dataset.get_data_info(index))['gt_seg_map']


def test_indices(tmp_path):
    dataset = build(street_like.pairs(tmp_path))
    assert isinstance(dataset, MaskFolderDataset) and len(dataset) == 2
    assert dataset.metainfo['classes'] == ('road', 'car', 'traffic light') and len(dataset.metainfo['palette']) == 3
    assert dataset.get_data_info(0)['img_path'] == str(tmp_path / 'images/val/0.jpg')
    assert np.array_equal(labels(dataset), street_like.columns([0, 1, 2, 255]))


def test_colours(tmp_path):
    colours = [(128, 64, 128), (0, 0, 142), (0, 0, 0), (9, 9, 9)]
    street_like.pairs(tmp_path, values=colours, classes='road 128 64 128\ncar 0 0 142\nignore 0 0 0\nignore 9 9 9')
    assert np.array_equal(labels(build(tmp_path)), street_like.columns([0, 1, 255, 255]))


def test_colours_of_a_table_in_another_order(tmp_path):
    table = [(0, 0, 0), (128, 64, 128), (9, 9, 9), (0, 0, 142)]
    street_like.pairs(tmp_path, classes='car 0 0 142\nroad 128 64 128\nignore 0 0 0')
    for path in (tmp_path / 'masks').rglob('*.png'):
        street_like.mask(path, street_like.columns([0, 1, 3, 255]), table)
    assert np.array_equal(labels(build(tmp_path)), street_like.columns([255, 1, 0, 255]))


def test_parts(tmp_path):
    street_like.pairs(tmp_path, splits=(), count=10)
    train, val = (build(tmp_path, split) for split in ('train', 'val'))
    assert (len(train), len(val), len(build(tmp_path, part=None))) == (8, 2, 10)
    paths = [{info['img_path'] for info in dataset.load_data_list()} for dataset in (train, val)]
    assert not paths[0] & paths[1]


def test_a_wrong_part():
    with pytest.raises(ValueError, match='part'):
        MaskFolderDataset(part='test', lazy_init=True)
