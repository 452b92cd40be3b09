import numpy as np
import pytest

from lcvision.visualization.text import chip, draw_text, paste, rounded, shorten, swatch, text_mask


def blank(height=40, width=120):
    return np.full((height, width, 3), 128, np.uint8)


def test_the_height_of_a_line_depends_on_its_size_alone():
    assert text_mask('a', 14).shape[0] == text_mask('Äg|', 14).shape[0] == text_mask('', 14).shape[0]
    assert text_mask('a', 28).shape[0] > text_mask('a', 14).shape[0]
    assert text_mask('aaaa', 14).shape[1] > text_mask('a', 14).shape[1]


def test_text_is_drawn_in_its_colour_and_only_there():
    image = blank()
    end = draw_text(image, 'HIH', (10, 5), 20, (255, 0, 0))
    changed = np.argwhere((image != 128).any(axis=2))
    assert changed[:, 1].min() >= 10 and changed[:, 1].max() < end
    assert (image == (0, 0, 255)).all(axis=2).any()


def test_shorten_keeps_both_ends():
    name = 'a_very_long_name_of_an_image_0123.jpg'
    short = shorten(name, 14, 120)
    assert text_mask(short, 14).shape[1] <= 120
    assert short.startswith('a_very') and short.endswith('.jpg') and '…' in short
    assert shorten(name, 14, 2000) == name
    assert shorten('', 14, 10) == ''


@pytest.mark.parametrize('colour', [(0, 0, 142), (250, 240, 60)])
def test_a_chip_is_a_plate_with_letters_that_contrast(colour):
    plate, cover = chip('RBC 0.62', 14, colour)
    assert plate.shape[:2] == cover.shape
    assert cover[0, 0] < 0.5 and cover[cover.shape[0] // 2, 1] == 1
    lightness = plate.mean(axis=2)
    assert lightness.max() - lightness.min() > 100
    assert (plate == np.float32(colour[::-1])).all(axis=2).mean() > 0.4


def test_rounded_is_symmetric_and_full_inside():
    cover = rounded(11, 21, 3)
    assert np.array_equal(cover, cover[::-1]) and np.array_equal(cover, cover[:, ::-1])
    assert cover[5].min() == 1 and cover[0, 0] < 0.5


@pytest.mark.parametrize('origin', [(-3, -2), (117, 38), (500, 0), (-50, 0)])
def test_what_lies_outside_is_cut_off(origin):
    image = blank()
    paste(image, np.full((6, 8, 3), 255, np.float32), np.ones((6, 8), np.float32), origin)
    expected = blank()
    x, y = origin
    expected[max(y, 0):max(y + 6, 0), max(x, 0):max(x + 8, 0)] = 255
    assert np.array_equal(image, expected)


def test_swatch():
    image = blank()
    swatch(image, (10, 10), 12, (1, 2, 3))
    assert tuple(image[16, 16]) == (3, 2, 1)
    assert (image[:10] == 128).all() and (image[22:] == 128).all()


def test_what_is_kept_of_large_letters_is_bounded():
    import tracemalloc
    tracemalloc.start()
    for number in range(300):
        chip(f'class {number}', 120, (1, 2, 3))
    kept = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert kept < 50 << 20


def test_a_text_is_rendered_once(monkeypatch):
    first = text_mask('once', 14)
    monkeypatch.setattr('lcvision.visualization.text.Image.new', None)
    assert np.array_equal(text_mask('once', 14), first)
