"""Mask files of every kind become labels; others are told in one sentence."""
import numpy as np
import pytest
import street_like
from PIL import Image

from lcvision.datasets.mask_coding import MaskCoding, mismatch, read_mask
from tests.mistakes import message

COLOURS = {(128, 64, 128): 0, (0, 0, 142): 1, (0, 0, 0): 255}


@pytest.mark.parametrize('pixels', [street_like.columns([0, 3, 255]), street_like.columns([[1, 2, 3], [200, 0, 9]])],
                         ids=['indices', 'colours'])
@pytest.mark.parametrize('ending', ['png', 'bmp', 'tif'])
def test_what_is_written_is_read(tmp_path, pixels, ending):
    path = street_like.mask(tmp_path / f'm.{ending}', pixels)
    for found, table in (read_mask(path), read_mask(path, path.read_bytes())):
        assert found.dtype == np.uint8 and np.array_equal(found, pixels) and table is None


def test_a_palette_gives_its_indices(tmp_path):
    pixels = street_like.columns([0, 2, 255])
    path = street_like.mask(tmp_path / 'm.png', pixels, [(9, 9, 9), (7, 7, 7), (255, 0, 0)])
    with Image.open(path) as image:
        assert image.mode == 'P'
    found, table = read_mask(path)
    assert np.array_equal(found, pixels) and table[:3] == ((9, 9, 9), (7, 7, 7), (255, 0, 0))


def test_one_bit_and_transparency(tmp_path):
    bits = street_like.columns([0, 1])
    Image.fromarray(bits.astype(bool)).save(tmp_path / 'bits.png')
    assert np.array_equal(read_mask(tmp_path / 'bits.png').pixels, bits)
    rgb = street_like.columns([[1, 2, 3], [200, 0, 9]])
    Image.fromarray(np.dstack([rgb, np.full(rgb.shape[:2], 7, np.uint8)])).save(tmp_path / 'rgba.png')
    assert np.array_equal(read_mask(tmp_path / 'rgba.png').pixels, rgb)
    Image.fromarray(np.dstack([bits, bits])).save(tmp_path / 'la.png')
    assert np.array_equal(read_mask(tmp_path / 'la.png').pixels, bits)


@pytest.mark.parametrize('mode', ['I;16', 'I', 'F', 'RGB16'])
def test_more_than_8_bits_are_refused(tmp_path, mode):
    if mode == 'RGB16':
        import cv2
        path = tmp_path / 'm.png'
        cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint16))
    else:
        path = tmp_path / ('m.png' if mode == 'I;16' else 'm.tif')
        kind = {'I;16': np.uint16, 'I': np.int32, 'F': np.float32}[mode]
        Image.fromarray(np.zeros((4, 4), kind)).save(path)
    text = message(read_mask, path)
    assert str(path) in text and '8 bits' in text


@pytest.mark.parametrize('damage, said', [(lambda data: data[:len(data) // 2], 'ends early'),
                                          (lambda data: b'', 'decoded'), (lambda data: b'<html>' * 9, 'decoded'),
                                          (lambda data: data[:45] + b'\0' * 20 + data[65:], 'decoded')],
                         ids=['torn', 'empty', 'html', 'garbled'])
def test_damage_is_told(tmp_path, damage, said):
    path = street_like.mask(tmp_path / 'm.png', street_like.columns(range(30)))
    path.write_bytes(damage(path.read_bytes()))
    text = message(read_mask, path)
    assert str(path) in text and said in text


def test_what_is_missing_or_a_jpeg_is_told(tmp_path):
    assert str(tmp_path / 'none.png') in message(read_mask, tmp_path / 'none.png')
    assert str(tmp_path) in message(read_mask, tmp_path)
    path = street_like.mask(tmp_path / 'm.jpg', 3)
    assert 'JPEG' in message(read_mask, path)


def test_labels_and_what_does_not_count():
    pixels = street_like.columns([0, 2, 255])
    assert np.array_equal(MaskCoding(3).labels(pixels, 'm.png'), pixels)
    assert np.array_equal(MaskCoding(None).labels(street_like.columns([0, 200]), 'm'), street_like.columns([0, 200]))
    assert np.array_equal(MaskCoding(3, ignore_index=7).labels(street_like.columns([1, 7]), 'm'),
                          street_like.columns([1, 7]))


@pytest.mark.parametrize('value', [3, 4, 200, 254])
def test_a_value_of_no_class_is_told_with_the_range(value):
    text = message(MaskCoding(3).labels, street_like.columns([0, value, 255]), 'dir/m.png')
    assert 'dir/m.png' in text and f'value {value},' in text and '0..2' in text and '255' in text


def test_many_wrong_values_are_counted():
    text = message(MaskCoding(1).labels, np.arange(256, dtype=np.uint8)[None], 'm.png')
    assert '1, 2, 3, 4, and 250 more' in text and 'legal are 0,' in text


def test_a_map_of_values():
    coding = MaskCoding(2, label_map={0: 255, 7: 0, 26: 1})
    assert coding.labels(np.array([[0, 7, 26, 255]], np.uint8), 'm').tolist() == [[255, 0, 1, 255]]
    text = message(coding.labels, np.array([[8]], np.uint8), 'm')
    assert 'value 8,' in text and 'legal are 7, 26' in text and '0, 255 for' in text


def test_reduced_labels():
    coding = MaskCoding(2, reduce_zero_label=True)
    assert coding.labels(np.array([[0, 1, 2, 255]], np.uint8), 'm').tolist() == [[255, 0, 1, 255]]
    assert 'value 3,' in message(coding.labels, np.array([[3]], np.uint8), 'm')
    assert MaskCoding(None, reduce_zero_label=True).labels(np.array([[254]], np.uint8), 'm')[0, 0] == 253


def test_colours_become_labels():
    coding = MaskCoding(2, colours=COLOURS)
    pixels = street_like.columns(list(COLOURS))
    assert np.array_equal(coding.labels(pixels, 'm'), street_like.columns([0, 1, 255]))
    # Indices are still indices.
    assert np.array_equal(coding.labels(street_like.columns([0, 1, 255]), 'm'), street_like.columns([0, 1, 255]))
    text = message(coding.labels, street_like.columns([(0, 0, 0), (1, 2, 3)]), 'dir/m.png')
    assert 'dir/m.png' in text and '(1, 2, 3)' in text and 'ignore' in text


def test_colours_without_a_list_are_told_but_grey_ones_are_indices():
    text = message(MaskCoding(2).labels, street_like.columns([(0, 0, 0), (1, 2, 3)]), 'm.png')
    assert 'm.png' in text and 'classes.txt' in text
    assert np.array_equal(MaskCoding(2).labels(street_like.columns([(0, 0, 0), (1, 1, 1)]), 'm'),
                          street_like.columns([0, 1]))


def test_black_and_white_may_be_classes():
    coding = MaskCoding(2, colours={(0, 0, 0): 0, (255, 255, 255): 1})
    for pixels in (street_like.columns([0, 255]), street_like.columns([(0,) * 3, (255,) * 3])):
        assert np.array_equal(coding.labels(pixels, 'm'), street_like.columns([0, 1]))
    assert 'value 1,' in message(coding.labels, street_like.columns([0, 1]), 'm')


# Pascal VOC's first colours; the classes are listed in another order, and not all of them.
VOC = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0)]


def test_the_colours_of_a_table_tell_the_classes_where_they_are_listed():
    coding = MaskCoding(3, colours={(128, 128, 0): 0, (0, 0, 0): 1, (128, 0, 0): 2})
    labels = coding.labels(street_like.columns([0, 1, 3, 255]), 'm', VOC)
    assert np.array_equal(labels, street_like.columns([1, 2, 0, 255]))
    text = message(coding.labels, street_like.columns([0, 2]), 'dir/m.png', VOC)
    assert 'dir/m.png' in text and '(0, 128, 0)' in text and 'ignore' in text and 'give no colours' in text
    assert 'index 9' in message(coding.labels, street_like.columns([0, 9]), 'dir/m.png', VOC)
    assert np.array_equal(MaskCoding(4).labels(street_like.columns([0, 3]), 'm', VOC), street_like.columns([0, 3]))


def test_the_colour_of_what_does_not_count_may_be_listed():
    table = [*VOC, *[(1, 2, index) for index in range(251)], (224, 224, 192)]
    for colours in ({(0, 0, 0): 0, (224, 224, 192): 255}, {(0, 0, 0): 0, (224, 224, 192): 1}, {(0, 0, 0): 0}):
        labels = MaskCoding(2, colours=colours).labels(street_like.columns([0, 255]), 'm', table)
        assert np.array_equal(labels, street_like.columns([0, colours.get((224, 224, 192), 255)]))


def test_a_table_of_greys_says_nothing(tmp_path):
    pixels = street_like.columns([0, 1, 2])
    found = read_mask(street_like.mask(tmp_path / 'm.png', pixels, [(index,) * 3 for index in range(256)]))
    assert found.table is None and np.array_equal(found.pixels, pixels)


def test_sizes_are_told_as_width_and_height():
    text = str(mismatch('a.jpg', (40, 24), 'a.png', (39, 24)))
    assert 'a.png is 39x24' in text and 'a.jpg is 40x24' in text
