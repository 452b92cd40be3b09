"""Cityscapes layout with either format of images and either kind of masks, whose ids become training labels."""
import numpy as np
import pytest
import street_like
from mmseg.datasets import CityscapesDataset

from lcvision.datasets.cityscapes_folder import CityscapesLabelIdsDataset, find, holds, read_cityscapes
from lcvision.datasets.transforms import LoadMask
from tests.mistakes import message


@pytest.mark.parametrize('split', ['train', 'val'])
@pytest.mark.parametrize('masks, kind', [('labelTrainIds', 'CityscapesDataset'),
                                         ('labelIds', 'lcvision.CityscapesLabelIdsDataset')])
@pytest.mark.parametrize('ending', ['png', 'jpg', 'jpeg'])
def test_what_is_there_is_found(tmp_path, split, masks, kind, ending):
    street_like.cityscapes(tmp_path, ending, masks)
    assert holds(tmp_path)
    assert find(tmp_path, split) == dict(
        type=kind, img_suffix=f'_leftImg8bit.{ending}', seg_map_suffix=f'_gtFine_{masks}.png',
        data_prefix=dict(img_path=str(tmp_path / 'leftImg8bit' / split), seg_map_path=str(tmp_path / 'gtFine' / split)))


def test_training_labels_go_first_where_they_are_complete(tmp_path):
    street_like.cityscapes(tmp_path, masks='labelIds')
    street_like.cityscapes(tmp_path, masks='labelTrainIds')
    assert find(tmp_path, 'val')['type'] == 'CityscapesDataset'
    next((tmp_path / 'gtFine/val').rglob('*labelTrainIds.png')).unlink()
    assert find(tmp_path, 'val')['type'] == 'lcvision.CityscapesLabelIdsDataset'


def test_folders_may_be_links(tmp_path):
    street_like.cityscapes(tmp_path / 'real')
    for name in ('leftImg8bit', 'gtFine'):
        (tmp_path / 'linked' / name / 'val').mkdir(parents=True)
        (tmp_path / 'linked' / name / 'val/town').symlink_to(tmp_path / 'real' / name / 'val/town')
    assert find(tmp_path / 'linked', 'val')['img_suffix'] == '_leftImg8bit.png'


@pytest.mark.parametrize('gone', ['leftImg8bit', 'gtFine'])
def test_a_missing_folder_is_told(tmp_path, gone):
    street_like.cityscapes(tmp_path, splits=('train',))
    (tmp_path / gone).rename(tmp_path / 'elsewhere')
    assert holds(tmp_path)
    text = message(find, tmp_path, 'train')
    assert f'no folder {tmp_path / gone / "train"}' in text and 'labelIds.png' in text


@pytest.mark.parametrize('name', ['leftImg8bit', 'gtFine'])
def test_an_empty_split_is_told(tmp_path, name):
    street_like.cityscapes(tmp_path)
    for path in (tmp_path / name / 'val').rglob('*.png'):
        path.rename(path.with_suffix('.txt'))
    text = message(find, tmp_path, 'val')
    assert f'{tmp_path / name / "val"} is empty' in text


def test_two_formats_are_told(tmp_path):
    street_like.cityscapes(tmp_path)
    street_like.image(tmp_path / 'leftImg8bit/val/town/x_leftImg8bit.jpg')
    text = message(find, tmp_path, 'val')
    assert '2 .png' in text and '1 .jpg' in text


def test_other_files_do_not_matter(tmp_path):
    street_like.cityscapes(tmp_path)
    for name in ('Thumbs.db', 'x.jpg', '.hidden_leftImg8bit.jpg'):
        (tmp_path / 'leftImg8bit/val/town' / name).write_bytes(b'')
    found = read_cityscapes(tmp_path / 'leftImg8bit/val', tmp_path / 'gtFine/val')
    assert found['img_suffix'] == '_leftImg8bit.png'
    assert not holds(tmp_path / 'leftImg8bit')


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
