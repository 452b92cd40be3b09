"""Pairs of folders: where they may lie, which mask belongs to which image, which classes there are, what is loaded."""
from pathlib import Path

import cv2
import numpy as np
import pytest
import street_like

from lcvision.datasets import mask_folder
from lcvision.datasets.mask_coding import read_mask
from lcvision.datasets.mask_folder import ClassList, MaskFolderDataset, find, holds, pair_up, read_class_list
from lcvision.datasets.transforms import LoadMask
from lcvision.errors import UserError
from lcvision.registry import DATASETS
from tests.mistakes import message


@pytest.mark.parametrize('images, masks', [
    ('images/{}', 'masks/{}'), ('{}/images', '{}/masks'), ('img_dir/{}', 'ann_dir/{}')])
@pytest.mark.parametrize('split, name', [('train', 'train'), ('val', 'val'), ('val', 'validation'), ('val', 'valid')])
def test_splits_are_found(tmp_path, images, masks, split, name):
    places = tmp_path / images.format(name), tmp_path / masks.format(name)
    street_like.image(places[0] / 'a.jpg')
    street_like.mask(places[1] / 'a.png', 1)
    (tmp_path / 'classes.txt').write_text('road\ncar')
    assert holds(tmp_path)
    found = find(tmp_path, split)
    assert found['data_prefix'] == dict(img_path=str(places[0]), seg_map_path=str(places[1]))
    assert found['metainfo']['classes'] == ('road', 'car') and not found['by_colour'] and found['part'] is None
    other = 'val' if split == 'train' else 'train'
    assert f'{tmp_path} has no images for {other!r}' in message(find, tmp_path, other)


def test_what_was_taken_of_several_is_told(tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr('lcvision.datasets.layout.print_log', lambda text, logger: told.append(text))
    (tmp_path / 'classes.txt').write_text('road\ncar')
    for name in ('val', 'valid'):
        (tmp_path / 'images' / name).mkdir(parents=True)
        (tmp_path / 'masks' / name).mkdir(parents=True)
    find(tmp_path, 'val')
    assert len(told) == 1
    assert f"{tmp_path / 'images' / 'val'} is taken, not {tmp_path / 'images' / 'valid'} (" in told[0]


@pytest.mark.parametrize('count, held_out', [(2, [1]), (5, [4]), (12, [4, 9])])
def test_without_splits_every_fifth_is_held_out(tmp_path, count, held_out):
    street_like.pairs(tmp_path, splits=(), count=count)
    parts = {split: find(tmp_path, split) for split in ('train', 'val')}
    names = sorted(f'{index}.jpg' for index in range(count))
    chosen = {}
    for split, found in parts.items():
        assert found['data_prefix']['img_path'] == str(tmp_path / 'images') and found['part'] == split
        chosen[split] = [image.name for image, _ in pair_up(tmp_path / 'images', tmp_path / 'masks', found['part'])]
    assert chosen['val'] == [names[index] for index in held_out]
    assert sorted(chosen['train'] + chosen['val']) == names


def test_pairs_of_any_ending_and_depth(tmp_path):
    wanted = {'a.jpg': 'a.png', 'b.JPG': 'b.bmp', 'deep/c.png': 'deep/c_mask.png', 'd.e.jpeg': 'd.e_gt.tif',
              'f.webp': 'f_label.PNG', 'g.png': 'g.png', 'h.jpg': 'h.jpg'}
    for image, mask in wanted.items():
        for folder, name in (('images', image), ('masks', mask)):
            (tmp_path / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / name).write_bytes(b'')
    (tmp_path / 'masks/h.png').write_bytes(b'')
    (tmp_path / 'images/notes.txt').write_bytes(b'')
    found = dict(pair_up(tmp_path / 'images', tmp_path / 'masks'))
    wanted['h.jpg'] = 'h.png'
    assert found == {tmp_path / 'images' / image: tmp_path / 'masks' / mask for image, mask in wanted.items()}


def test_many_images_are_parted(monkeypatch):
    # Were each looked for among those held out, this would take minutes.
    monkeypatch.setattr(mask_folder, 'file_names', lambda folder: [f'{index:05}.png' for index in range(10_000)])
    assert [len(pair_up(Path('images'), Path('masks'), part)) for part in ('val', 'train')] == [2_000, 8_000]


def test_a_mask_that_is_missing_is_expected_as_png(tmp_path):
    street_like.pairs(tmp_path)
    (tmp_path / 'masks/val/1.png').unlink()
    pairs = pair_up(tmp_path / 'images/val', tmp_path / 'masks/val')
    assert [mask.name for _, mask in pairs] == ['0.png', '1.png']


def test_colours_of_the_list(tmp_path):
    street_like.pairs(tmp_path, classes='road 128 64 128\ncar 0 0 142\nignore 0 0 0')
    found = find(tmp_path, 'val')
    assert found['by_colour'] and found['ignored_colours'] == [[0, 0, 0]]
    assert found['metainfo'] == dict(classes=('road', 'car'), palette=[[128, 64, 128], [0, 0, 142]])


def test_without_a_list_the_masks_tell_the_classes(tmp_path):
    street_like.pairs(tmp_path, classes=None)
    street_like.mask(tmp_path / 'masks/train/0.png', street_like.columns([0, 4, 255]))
    for split in ('train', 'val'):
        metainfo = find(tmp_path, split)['metainfo']
        assert metainfo['classes'] == tuple(f'class {i}' for i in range(5))
        assert len({tuple(colour) for colour in metainfo['palette']}) == 5


def test_without_a_list_a_palette_gives_its_colours(tmp_path):
    street_like.pairs(tmp_path, classes=None)
    for path in (tmp_path / 'masks').rglob('*.png'):
        street_like.mask(path, street_like.columns([0, 1, 255]), [(9, 8, 7), (200, 0, 0)])
    assert find(tmp_path, 'val')['metainfo'] == dict(classes=('class 0', 'class 1'),
                                                                 palette=[[9, 8, 7], [200, 0, 0]])


def test_masks_that_tell_no_classes(tmp_path):
    street_like.pairs(tmp_path, classes=None, values=(0, 255))
    text = message(find, tmp_path, 'val')
    assert str(tmp_path) in text and 'index from 1 to 254' in text and 'classes.txt' in text
    path = street_like.mask(tmp_path / 'masks/val/1.png', street_like.columns([(0, 0, 0), (9, 1, 1)]))
    text = message(find, tmp_path, 'val')
    assert str(path) in text and 'classes.txt' in text
    for path in (tmp_path / 'masks').rglob('*.png'):
        path.unlink()
    assert 'no image with a mask' in message(find, tmp_path, 'val')


def test_smoothed_masks_without_a_list_are_told(tmp_path):
    street_like.pairs(tmp_path, classes=None, values=(0, 1, 7))
    assert len(find(tmp_path, 'val')['metainfo']['classes']) == 8
    disc = cv2.circle(np.zeros((64, 64), np.uint8), (32, 32), 20, 200, -1, cv2.LINE_AA)
    for path in (tmp_path / 'masks').rglob('*.png'):
        street_like.mask(path, disc)
    text = message(find, tmp_path, 'val')
    assert str(tmp_path) in text and 'smoothed' in text and 'classes.txt' in text


def test_without_a_list_masks_are_read_once_for_both_splits(tmp_path, monkeypatch):
    street_like.pairs(tmp_path, classes=None)
    read = []
    monkeypatch.setattr(mask_folder, 'read_mask', lambda path: read.append(path) or read_mask(path))
    val = find(tmp_path, 'val')
    train = find(tmp_path, 'train', val)
    assert len(read) == len(set(read)) == 4
    assert train['metainfo'] == val['metainfo'] and train['data_prefix']['img_path'] == str(tmp_path / 'images/train')


def test_half_a_pair_is_told(tmp_path):
    street_like.pairs(tmp_path)
    (tmp_path / 'masks').rename(tmp_path / 'labels')
    assert f'no folder {tmp_path / "masks/val"}' in message(find, tmp_path, 'val')
    (tmp_path / 'labels').rename(tmp_path / 'masks')
    (tmp_path / 'images').rename(tmp_path / 'pictures')
    assert holds(tmp_path)
    assert f'no folder {tmp_path / "images/val"}' in message(find, tmp_path, 'val')


def test_other_folders_are_none(tmp_path):
    (tmp_path / 'annotations').mkdir()
    assert not holds(tmp_path)


def build(root, split='val', **changes):
    return DATASETS.build({**find(root, split), **changes})


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


@pytest.mark.parametrize('text, expected', [
    ('road\ncar\n', ClassList(('road', 'car'))),
    ('\ntraffic light\r\n\n  class 3  \n', ClassList(('traffic light', 'class 3'))),
    ('road 128 64 128\ntraffic light\t250, 170, 30', ClassList(('road', 'traffic light'),
                                                               ((128, 64, 128), (250, 170, 30)))),
    ('\ufeffa 1 2 3\nignore 0 0 0\nb 4 5 6\nignore 9 9 9', ClassList(('a', 'b'), ((1, 2, 3), (4, 5, 6)),
                                                                   ((0, 0, 0), (9, 9, 9)))),
    ('1 2 3 4\na, b ,, 10 20 30', ClassList(('1', 'a, b'), ((2, 3, 4), (10, 20, 30)))),
    # Tried in every way, this line would take hours.
    ('a' + ', ' * 20_000 + '1\n1 2 3', ClassList(('a' + ', ' * 20_000 + '1', '1 2 3'))),
], ids=range(6))
def test_read(tmp_path, text, expected):
    path = tmp_path / 'classes.txt'
    path.write_text(text, encoding='utf-8')
    assert read_class_list(path) == expected


@pytest.mark.parametrize('text, said', [
    ('', 'lists 0 classes'), ('\n \n', 'lists 0 classes'), ('\n'.join(map(str, range(256))), 'lists 256 classes'),
    ('a\nb\na', "class 'a' on more than one line"), ('a 1 2 3\nb 1 2 3', 'colour (1, 2, 3) on more than one line'),
    ('a 1 2 3\nb', "no colour for 'b'"), ('a\nignore', "no colour for 'ignore'"), ('a 1 2 256', '1 2 256'),
])
def test_faults_are_told(tmp_path, text, said):
    path = tmp_path / 'classes.txt'
    path.write_text(text)
    with pytest.raises(UserError) as error:
        read_class_list(path)
    assert str(path) in str(error.value) and said in str(error.value) and '\n' not in str(error.value)


def test_what_is_no_text_is_told(tmp_path):
    path = tmp_path / 'classes.txt'
    path.write_bytes(b'\xff\xfe\x00r')
    with pytest.raises(UserError, match='UTF-8'):
        read_class_list(path)
    with pytest.raises(UserError, match='none'):
        read_class_list(tmp_path / 'none.txt')
