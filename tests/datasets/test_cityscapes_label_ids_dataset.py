"""The ids of Cityscapes become training labels."""
import numpy as np
import street_like
from mmseg.datasets import CityscapesDataset

from lcvision.datasets.cityscapes_label_ids_dataset import CityscapesLabelIdsDataset
from lcvision.datasets.transforms import LoadMask

# From the benchmark's table: ids of the 19 classes in the order of their labels.
IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)


def test_ids_are_mapped(tmp_path):
    street_like.cityscapes(tmp_path, masks='labelIds', values=range(34))
    dataset = CityscapesLabelIdsDataset(data_prefix=dict(img_path=str(tmp_path / 'leftImg8bit/val'),
                                                         seg_map_path=str(tmp_path / 'gtFine/val')))
    assert len(dataset) == 2
    for key in ('classes', 'palette'):
        assert dataset.metainfo[key] == CityscapesDataset.METAINFO[key]
    labels = LoadMask()(dataset.get_data_info(0))['gt_seg_map']
    expected = np.full(34, 255)
    expected[list(IDS)] = range(19)
    assert np.array_equal(labels, street_like.columns(expected))


def test_fewer_classes(tmp_path):
    street_like.cityscapes(tmp_path, masks='labelIds', values=[7, 26, 33])
    dataset = CityscapesLabelIdsDataset(
        data_root=str(tmp_path), data_prefix=dict(img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
        metainfo=dict(classes=('car', 'road'), palette=[[0, 0, 142], [128, 64, 128]]))
    labels = LoadMask()(dataset.get_data_info(0))['gt_seg_map']
    assert np.array_equal(labels, street_like.columns([1, 0, 255]))
