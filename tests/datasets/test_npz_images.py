"""The .npz layout: what is read, by what address, and what is wrong with a file."""
import cv2
import image_tree
import numpy as np
import pytest
from mmengine import fileio

from lcvision.datasets.npz_images import NpzImages
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
    assert set(images.splits) == {'train', 'test'} and images.has('test') and not images.has('val')
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
