"""Faults of images and masks are told before anything runs, with the file."""
import numpy as np
import pytest
import street_like
from PIL import Image

from lcvision.datasets import mask_check
from lcvision.datasets.mask_check import check_masks, image_size
from lcvision.datasets.mask_coding import Mask, MaskCoding
from lcvision.errors import UserError


@pytest.fixture
def pairs(tmp_path):
    """Three images with masks of the classes 0..2."""
    return [(street_like.image(tmp_path / f'images/{i}.jpg', seed=i),
             street_like.mask(tmp_path / f'masks/{i}.png', street_like.columns([0, 2, 255]))) for i in range(3)]


def check(pairs):
    return check_masks(pairs, MaskCoding(3), 'the set')


def message(pairs):
    with pytest.raises(UserError) as error:
        check(pairs)
    assert '\n' not in str(error.value)
    return str(error.value)


def test_sizes_are_counted(pairs):
    street_like.image(pairs[2][0], (16, 16))
    street_like.mask(pairs[2][1], np.zeros((16, 16), np.uint8))
    sizes = check(pairs).sizes
    assert sizes == {(40, 24): 2, (16, 16): 1} and sizes.total() == 3


def test_nothing_is_told():
    assert 'the set is empty' in message([])


def test_missing_masks_are_counted_and_named(pairs):
    pairs[1][1].unlink()
    pairs[2][1].unlink()
    text = message(pairs)
    assert text.startswith('2 of 3 images of the set have no mask') and str(pairs[1][0]) in text
    assert str(pairs[1][1]) in text


def test_another_size_is_told(pairs):
    street_like.mask(pairs[2][1], np.zeros((24, 41), np.uint8))
    text = message(pairs)
    assert f'{pairs[2][1]} is 41x24' in text and f'{pairs[2][0]} is 40x24' in text


def test_an_image_is_measured_upright(pairs):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(np.zeros((40, 24, 3), np.uint8)).save(pairs[1][0], exif=exif)
    assert image_size(pairs[1][0]) == (40, 24)
    assert check(pairs).sizes == {(40, 24): 3}


@pytest.mark.parametrize('kind', [np.uint16, np.int32])
def test_a_deep_mask_is_told(pairs, kind):
    Image.fromarray(np.zeros(street_like.SHAPE, kind)).save(pairs[1][1], format='TIFF')
    text = message(pairs)
    assert str(pairs[1][1]) in text and '8 bits' in text


@pytest.mark.parametrize('which, said', [(0, 'Image file'), (1, 'Mask file')])
def test_what_is_no_image_is_told(pairs, which, said):
    pairs[1][which].write_bytes(b'<html></html>')
    text = message(pairs)
    assert text.startswith(f'{said} {pairs[1][which]} ')


def test_a_torn_mask_is_told(pairs):
    content = pairs[1][1].read_bytes()
    pairs[1][1].write_bytes(content[:-20])
    assert str(pairs[1][1]) in message(pairs)


def test_a_wrong_label_is_told(pairs):
    street_like.mask(pairs[2][1], street_like.columns([0, 3]))
    text = message(pairs)
    assert str(pairs[2][1]) in text and 'value 3,' in text and '0..2' in text


def test_colour_tables_that_differ_are_told(pairs):
    table = [(9, 9, 9), (1, 1, 1), (7, 7, 7)]
    for index, (_, mask) in enumerate(pairs):
        street_like.mask(mask, street_like.columns([0, 2, 255]), table if index < 2 else table[::-1])
    text = message(pairs)
    for word in ('index 0', '(9, 9, 9)', '(7, 7, 7)', str(pairs[0][1]), str(pairs[2][1]), 'classes.txt'):
        assert word in text
    # An index that no pixel has may have any colour.
    street_like.mask(pairs[2][1], street_like.columns([1, 255]), table[::-1])
    assert check(pairs).labels == {0, 1, 2, 255}


def test_it_is_told_which_labels_occur_and_whether_255_is_one_by_default(pairs):
    found = check(pairs)
    assert found.labels == {0, 2, 255} and found.ignored and found.num_read == 3
    for listed in ({(0, 0, 0): 0, (2, 2, 2): 1, (255,) * 3: 255}, {(0, 0, 0): 0, (2, 2, 2): 1, (255,) * 3: 2}):
        assert not check_masks(pairs, MaskCoding(3, colours=listed), 'the set').ignored
    for _, mask in pairs:
        street_like.mask(mask, street_like.columns([0, 2]))
    assert not check(pairs).ignored


def test_a_large_set_is_sampled_evenly(pairs, monkeypatch):
    read = []
    monkeypatch.setattr(mask_check, 'read_mask', lambda path: read.append(path) or Mask(np.zeros((24, 40), np.uint8)))
    monkeypatch.setattr(mask_check, 'PIXELS', 2 * 24 * 40)
    check(pairs)
    assert read == [pairs[0][1], pairs[2][1]]
    read.clear()
    monkeypatch.setattr(mask_check, 'PIXELS', 3 * 24 * 40)
    check(pairs)
    assert read == [mask for _, mask in pairs]
