"""Images of a labelled data set and of a folder, in batches that mmpretrain can take."""
import pytest
import torch
from mmengine.dataset import default_collate, pseudo_collate
from mmengine.registry import init_default_scope
from mmpretrain.models.utils import ClsDataPreprocessor
from PIL import Image

from lcvision.errors import UserError
from lcvision.registry import DATASETS

PIPELINE = [dict(type='lcvision.LoadAnyImage'), dict(type='mmpretrain.PackInputs')]


def draw(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new('RGB', (8, 8), (value, 0, 0)).save(path)


@pytest.fixture
def build(tmp_path):
    """Two labelled images, 10 and 20, and by ``folder`` more."""
    init_default_scope('mmpretrain')
    for index, name in enumerate('ab'):
        draw(tmp_path / 'labelled' / name / '0.png', 10 * index + 10)
    dataset = dict(type='mmpretrain.CustomDataset', data_prefix=str(tmp_path / 'labelled'), pipeline=PIPELINE)
    return lambda folder=None: DATASETS.build(
        dict(type='lcvision.WithoutLabels', dataset=dataset, folder=folder and str(folder)))


def values(dataset):
    return [int(dataset[index]['inputs'].max()) for index in range(len(dataset))]


def test_folder_joins_the_labelled_images(build, tmp_path):
    draw(tmp_path / 'more' / '1.png', 30)
    draw(tmp_path / 'more' / 'deep' / 'er' / '2.WEBP'.lower(), 40)
    (tmp_path / 'more' / 'notes.txt').write_text('no image')
    assert values(build()) == [10, 20]
    dataset = build(tmp_path / 'more')
    assert sorted(values(dataset)[:2]) == [10, 20] and len(dataset) == 4 and 30 in values(dataset)
    assert dataset.metainfo['classes'] == ('a', 'b')


@pytest.mark.parametrize('collate', [default_collate, pseudo_collate])
def test_batches_of_both_go_through_the_preprocessor(build, tmp_path, collate):
    draw(tmp_path / 'more' / '1.png', 30)
    dataset = build(tmp_path / 'more')
    assert not any('gt_label' in dataset[index]['data_samples'] for index in range(3))
    preprocessor = ClsDataPreprocessor(num_classes=2, mean=[0.] * 3, std=[1.] * 3, to_rgb=True)
    batch = preprocessor(collate([dataset[0], dataset[2]]), training=True)
    assert batch['inputs'].shape == (2, 3, 8, 8) and batch['inputs'].dtype == torch.float32
    assert all(sample.img_path for sample in batch['data_samples'])


def test_missing_or_empty_folder_is_told(build, tmp_path):
    with pytest.raises(UserError, match=r'there is no folder .*nowhere of unlabelled images'):
        build(tmp_path / 'nowhere')
    (tmp_path / 'empty').mkdir()
    with pytest.raises(UserError, match='empty has no unlabelled image in it'):
        build(tmp_path / 'empty')
