import pytest

from lcvision.visualization.painter import Style, class_colours, distinct_colour, text_colour


def test_a_palette_made_for_the_classes_is_used():
    meta = dict(classes=('a', 'b'), palette=[(1, 2, 3), [4, 5, 6]])
    assert class_colours(meta) == [(1, 2, 3), (4, 5, 6)]


@pytest.mark.parametrize('palette', [[(220, 20, 60)] * 80, None, 'coco', [], [5] * 3, [(1, 2, 'x')] * 3,
                                     [(1, 2, 10 ** 400)] * 3, [([], {}, 0)] * 3])
def test_a_palette_of_other_classes_is_not_used(palette):
    colours = class_colours(dict(classes=('a', 'b', 'c'), palette=palette))
    assert colours == [distinct_colour(index) for index in range(3)]


def test_no_classes_no_colours():
    assert class_colours({}) == []


def test_many_colours_are_all_different():
    colours = [distinct_colour(index) for index in range(150)]
    assert len(set(colours)) == 150
    assert all(0 <= value <= 255 for colour in colours for value in colour)


def test_text_contrasts_with_its_ground():
    assert min(text_colour((0, 0, 142))) > 200
    assert max(text_colour((250, 240, 60))) < 60


def test_sizes_grow_with_the_image_and_have_a_floor():
    small, usual, large = (Style.for_image(shape) for shape in ((50, 50), (480, 640, 3), (3000, 4000)))
    assert (small.font, small.line, small.dash) == (11, 2, 4)
    assert usual.font == 14 and usual.line == 2
    assert large.font > 4 * usual.font and large.line > 4 * usual.line and large.dash > 4 * usual.dash
