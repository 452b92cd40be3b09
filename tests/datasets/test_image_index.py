"""The list of a tree's images: what it holds, and when a remembered one counts."""
import json
import os
from pathlib import Path

import image_tree
import pytest

from lcvision.datasets import image_index
from lcvision.datasets.image_folder import ImageFolderDataset
from lcvision.datasets.image_index import images_of_classes
from tests.mistakes import message


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Any tree is large, and none has changed a moment ago."""
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    monkeypatch.setattr(image_index, '_LARGE', 1)
    monkeypatch.setattr(image_index, '_SETTLED_S', 0)
    return tmp_path / 'cache/lcvision/folders'


@pytest.fixture
def folder(tmp_path):
    (tmp_path / 'far').mkdir()
    (tmp_path / 'far/x.png').touch()
    for name in ('bee/2.jpg', 'bee/10.JPEG', 'bee/wild/1.png', 'bee/.hidden.jpg', 'bee/notes.txt', '.ant/1.jpg'):
        path = tmp_path / 'set' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / 'set/bee/link').symlink_to(tmp_path / 'far')
    (tmp_path / 'set/bee/file.jpg').symlink_to(tmp_path / 'far/x.png')
    (tmp_path / 'set/bee/nothing.jpg').symlink_to(tmp_path / 'nothing')
    (tmp_path / 'set/bee/itself.jpg').symlink_to(tmp_path / 'set/bee/itself.jpg')
    os.mkfifo(tmp_path / 'set/bee/pipe.jpg')
    return tmp_path / 'set'


FOUND = {'.ant': ['1.jpg'], 'bee': ['10.JPEG', '2.jpg', 'file.jpg', 'link/x.png', 'wild/1.png']}


def test_images_are_listed_in_order(folder, tmp_path, monkeypatch):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    assert images_of_classes(folder) == FOUND and [*FOUND] == sorted(FOUND)
    assert not (tmp_path / 'cache').exists()  # small


def test_a_folder_in_itself_is_named(folder):
    (folder / 'bee/wild/round').symlink_to(folder)
    assert 'remove this symbolic link' in message(images_of_classes, folder)


def test_a_large_tree_is_listed_once(folder, cache, monkeypatch):
    first = images_of_classes(folder)
    monkeypatch.setattr(image_index, '_images', None)
    assert images_of_classes(folder) == first == FOUND and [*images_of_classes(folder)] == [*first]


@pytest.mark.parametrize('change', [
    lambda folder: (folder / 'bee/3.jpg').touch(), lambda folder: (folder / 'bee/wild/1.png').unlink(),
    lambda folder: (folder / 'bee/link/y.png').touch(), lambda folder: (folder / 'bee/2.jpg').rename(folder / '3.jpg'),
    lambda folder: (folder / '.ant').rename(folder / 'cow')])
def test_a_change_is_seen(folder, cache, change):
    images_of_classes(folder)
    change(folder)
    found = images_of_classes(folder)
    assert found != FOUND
    for path in cache.iterdir():
        path.unlink()
    assert images_of_classes(folder) == found


def test_a_folder_that_changed_a_moment_ago_is_not_remembered(folder, cache, monkeypatch):
    monkeypatch.setattr(image_index, '_SETTLED_S', 3600)
    assert images_of_classes(folder) == FOUND and not cache.exists()


@pytest.mark.parametrize('content', ['', '[]', '{"schema": 1}', '{"schema": 0, "stamps": {}, "images": {"a": []}}'])
def test_a_spoiled_list_is_made_again(folder, cache, content):
    images_of_classes(folder)
    path, = cache.iterdir()
    path.write_text(content)
    assert images_of_classes(folder) == FOUND == json.loads(path.read_text())['images']


def test_only_the_last_lists_are_kept(folder, cache, monkeypatch):
    monkeypatch.setattr(image_index, '_KEPT', 2)
    for number in range(4):
        images_of_classes(folder.rename(folder.with_name(str(number))) if not number else
                          Path(folder.with_name(str(number - 1))).rename(folder.with_name(str(number))))
    assert len([*cache.iterdir()]) == 2


def test_without_a_cache_the_list_is_made_each_time(folder, cache):
    cache.parent.parent.mkdir()
    cache.parent.touch()
    assert images_of_classes(folder) == images_of_classes(folder) == FOUND


def test_a_dataset_has_all_images_and_their_labels(tmp_path, cache):
    root = image_tree.tree(tmp_path / 'set')
    for _ in range(2):  # listed, and remembered
        data = ImageFolderDataset(data_prefix=str(root / 'train'), metainfo=dict(classes=image_tree.CLASSES))
        assert [(Path(one['img_path']), one['gt_label']) for one in map(data.get_data_info, range(len(data)))] == [
            (root / 'train' / name / f'{index}.jpg', label) for label, name in enumerate(image_tree.CLASSES)
            for index in range(4)]
