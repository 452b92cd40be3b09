"""Images of an .npz file through pipelines and loaders, in this process and in workers."""
import image_tree
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from lcvision.datasets.npz_image_dataset import NpzImageDataset
from lcvision.errors import UserError

PIPELINE = [dict(type='lcvision.LoadAnyImage'), dict(type='PackInputs')]


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpretrain')


@pytest.fixture
def path(tmp_path):
    return image_tree.npz(tmp_path / 'set.npz')


def loader(path, workers, **kwargs):
    return Runner.build_dataloader(dict(
        batch_size=2, num_workers=workers, sampler=dict(type='DefaultSampler', shuffle=False),
        collate_fn=dict(type='default_collate'),
        dataset=dict(type='lcvision.NpzImageDataset', data_file=str(path), pipeline=PIPELINE, **kwargs)), seed=0)


def test_images_and_labels_are_those_of_the_file(path):
    dataset = NpzImageDataset(path, 'train', pipeline=PIPELINE)
    assert len(dataset) == 6 and dataset.metainfo['classes'] == image_tree.CLASSES
    for index, sample in enumerate(dataset):
        image = sample['inputs'].permute(1, 2, 0).numpy().astype(int)
        assert image.shape == (32, 32, 3)
        assert np.abs(image - image_tree.picture(index, 32, 32)).mean() < 8
        assert sample['data_samples'].gt_label.item() == index % 3
        assert sample['data_samples'].img_path == f'npz://{path}/train_{index:05d}.jpg'
    assert len(NpzImageDataset(path, 'test', pipeline=PIPELINE)) == 3


@pytest.mark.parametrize('context', ['fork', 'spawn'])
def test_workers_give_what_this_process_gives(path, context):
    alone = list(loader(path, 0))
    cfg = loader(path, 2)
    cfg.multiprocessing_context = context
    together = list(cfg)
    assert len(alone) == len(together) == 3
    for a, b in zip(alone, together, strict=True):
        assert (a['inputs'] == b['inputs']).all() and a['inputs'].shape == (2, 3, 32, 32)
        assert [s.gt_label.item() for s in a['data_samples']] == [s.gt_label.item() for s in b['data_samples']]


def test_a_part_of_a_split_keeps_its_images(path):
    dataset = NpzImageDataset(path, 'train', pipeline=PIPELINE, indices=[4, 1])
    assert [sample['data_samples'].img_path[-9:] for sample in dataset] == ['00004.jpg', '00001.jpg']


def test_other_names_of_classes_win(path):
    dataset = NpzImageDataset(path, metainfo=dict(classes=('x', 'y', 'z')), pipeline=PIPELINE)
    assert dataset.metainfo['classes'] == ('x', 'y', 'z')


def test_an_image_that_cannot_be_decoded_is_named(tmp_path):
    content = image_tree.arrays()
    start = content['train_offsets'][3]
    content['train_data'][start:start + 40] = 0
    np.savez(tmp_path / 'set.npz', **content)
    for workers in (0, 1):
        with pytest.raises(UserError, match=r'set\.npz/train_00003\.jpg is not an image'):
            list(loader(tmp_path / 'set.npz', workers))


def test_a_split_that_is_not_there_is_told(path):
    with pytest.raises(UserError, match="no split 'val'"):
        NpzImageDataset(path, 'val', pipeline=PIPELINE)
