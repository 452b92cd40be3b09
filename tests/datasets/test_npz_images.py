"""The .npz layout: what is read, by what address, through which pipelines, and what is wrong with a file."""
import cv2
import image_tree
import numpy as np
import pytest
from mmengine import fileio
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from lcvision.datasets.npz_images import NpzImageDataset, NpzImages
from lcvision.errors import UserError


def message(path):
    with pytest.raises(UserError) as error:
        NpzImages(path)
    assert '\n' not in str(error.value) and str(path) in str(error.value)
    return str(error.value)


@pytest.fixture
def path(tmp_path):
    return image_tree.npz(tmp_path / 'set.npz')


def test_classes_splits_and_labels_are_read(path):
    images = NpzImages(path)
    assert images.classes == image_tree.CLASSES and all(type(name) is str for name in images.classes)
    assert set(images.splits) == {'train', 'test'}
    assert images.labels('train').tolist() == [0, 1, 2, 0, 1, 2] and len(images.labels('test')) == 3
    with pytest.raises(UserError, match="no split 'val', only train, test"):
        images.labels('val')


def test_an_address_is_read_by_mmengine(path):
    images = NpzImages(path)
    for index in range(6):
        address = images.address('train', index)
        assert address == f'npz://{path}/train_{index:05d}.jpg'
        content = fileio.get(address)
        assert content == images.encoded('train', index)
        expected = cv2.imencode('.jpg', image_tree.picture(index, 32, 32))[1].tobytes()
        assert content == expected
    assert fileio.get(images.address('test', 2)) == images.encoded('test', 2)
    with pytest.raises(NotImplementedError, match='is an image'):
        fileio.get_text(images.address('test', 2))


def test_any_number_of_images_and_a_split_with_an_underscore_have_addresses(tmp_path):
    base = image_tree.arrays()
    path = image_tree.npz(tmp_path / 'set.npz', **{
        f'my_val_{part}': base[f'test_{part}'] for part in ('data', 'offsets', 'labels')})
    images = NpzImages(path)
    assert fileio.get(images.address('my_val', 1)) == images.encoded('test', 1)
    assert images.address('train', 1_234_567).endswith('/train_1234567.jpg')


@pytest.mark.parametrize('absent', ['classes', 'train_data', 'test_offsets'])
def test_a_missing_array_is_named(tmp_path, absent):
    text = message(image_tree.npz(tmp_path / 'set.npz', **{absent: None}))
    assert f'has no {absent}:' in text and "'<split>_labels'" in text


def test_arrays_of_another_layout_are_listed(tmp_path):
    np.savez(tmp_path / 'x.npz', images=np.zeros(3), y=np.zeros(3))
    text = message(tmp_path / 'x.npz')
    assert 'has no classes' in text and 'this file has images, y' in text
    np.savez(tmp_path / 'y.npz', classes=np.array(['a']))
    assert 'has no <split>_labels' in message(tmp_path / 'y.npz')


@pytest.mark.parametrize('change', [
    dict(train_offsets=np.array([0, 5, 3])), dict(train_offsets=np.array([1, 2, 3, 4, 5, 6, 7])),
    dict(train_labels=np.zeros((6, 1), np.uint8)), dict(train_labels=np.zeros(6)), dict(train_labels=np.zeros(5, int)),
    dict(train_data=np.zeros(10, np.uint8)), dict(train_data=np.zeros(10, np.float32))], ids=str)
def test_arrays_that_do_not_fit_together_are_described(tmp_path, change):
    text = message(image_tree.npz(tmp_path / 'set.npz', **change))
    (array,) = change.values()
    assert "arrays of 'train' do not fit together" in text and f'{array.dtype} {array.shape}' in text


@pytest.mark.parametrize('wrong', [3, -1, 200])
def test_a_label_out_of_range_is_named(tmp_path, wrong):
    labels = np.array([0, 1, wrong, 0, wrong, 2])
    text = message(image_tree.npz(tmp_path / 'set.npz', train_labels=labels))
    assert f'train_labels[2] is {wrong}' in text and 'lie in 0..2 (2 such labels)' in text


def test_a_split_without_images_is_told(tmp_path):
    none = dict(test_data=np.zeros(0, np.uint8), test_offsets=np.zeros(1, int), test_labels=np.zeros(0, int))
    assert "the split 'test' has no images" in message(image_tree.npz(tmp_path / 'set.npz', **none))


def test_files_that_are_no_npz_are_told(path, tmp_path):
    assert 'no file' in message(tmp_path / 'absent.npz')
    for name, content in (('torn', path.read_bytes()[:-200]), ('text', b'hello'), ('empty', b'')):
        bad = tmp_path / f'{name}.npz'
        bad.write_bytes(content)
        assert 'not an .npz file that can be read' in message(bad)
    np.save(tmp_path / 'one.npy', np.zeros(3))
    (tmp_path / 'one.npy').rename(tmp_path / 'one.npz')
    assert 'not an .npz file' in message(tmp_path / 'one.npz')


def test_nothing_is_unpickled(tmp_path):
    objects = np.array(['ant', None, object], dtype=object)
    np.savez(tmp_path / 'set.npz', **{**image_tree.arrays(), 'classes': objects})
    assert 'not an .npz file that can be read' in message(tmp_path / 'set.npz')


PIPELINE = [dict(type='lcvision.LoadAnyImage'), dict(type='PackInputs')]


@pytest.fixture(autouse=True)
def scope():
    init_default_scope('mmpretrain')


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
