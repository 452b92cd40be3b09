import numpy as np
import pytest

from lcvision.visualization.grid import contact_sheet, tile_sizes


def picture(size, value):
    return np.full((*size, 3), value, np.uint8)


def found(page, value):
    rows, columns = np.nonzero((page == value).all(axis=2))
    return [int(v) for v in (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)]


def test_rows_are_equally_wide_and_ratios_are_kept():
    shapes = [(480, 640), (640, 480), (500, 500), (480, 640), (480, 640), (480, 640)]
    sizes = tile_sizes(shapes, width=1000, columns=3)
    for row in (sizes[:3], sizes[3:]):
        assert len({height for height, _ in row}) == 1
        assert sum(width for _, width in row) + 2 * 16 == pytest.approx(1000, abs=1)
    for (height, width), (tall, wide) in zip(shapes, sizes, strict=True):
        assert wide / tall == pytest.approx(width / height, rel=0.01)


def test_a_short_last_row_is_no_higher_than_the_others():
    sizes = tile_sizes([(480, 640)] * 4, width=1000, columns=3)
    assert sizes[3][0] == sizes[0][0] and sizes[3][1] == pytest.approx(sizes[0][1], abs=1)


def test_a_single_and_an_extreme_image():
    assert tile_sizes([(480, 640)], width=900, columns=3) == [(300, 400)]
    (height, width), = tile_sizes([(20, 2000)], width=900, columns=3)
    assert width <= 900 and height >= 200


def test_pictures_lie_in_rows_and_columns_without_touching():
    size = (60, 80)
    values = [10, 20, 30, 40, 50]
    page = contact_sheet([(f'{v}.jpg', picture(size, v)) for v in values], columns=3)
    places = [found(page, value) for value in values]
    assert [x for x, *_ in places] == [20, 116, 212, 20, 116]
    assert places[0][1] == places[1][1] == places[2][1] < places[3][1] == places[4][1]
    for x1, y1, x2, y2 in places:
        assert (x2 - x1, y2 - y1) == (80, 60)
        title = page[y1 - 20:y1 - 2, x1:x2]
        assert title.min() < 120, 'a title stands above each picture'
    assert page.shape[1] == 212 + 80 + 20
    assert (page[:, :20] == 255).all() and (page[:, -20:] == 255).all()


def test_the_legend_is_at_the_foot_in_its_colours():
    tiles = [('a', picture((60, 300), 128))]
    bare = contact_sheet(tiles)
    page = contact_sheet(tiles, [('cat', (255, 0, 0)), ('dog', (0, 200, 0))], 'dashed: ground truth')
    assert page.shape[0] > bare.shape[0] and page.shape[1] == bare.shape[1]
    cat, dog = found(page, (0, 0, 255)), found(page, (0, 200, 0))
    assert cat[1] == dog[1] > found(page, 128)[3]
    assert cat[2] < dog[0]
    assert page[cat[1]:cat[3], cat[2] + 4:dog[0]].min() < 100, 'a name stands between the swatches'
    assert page[cat[3] + 6:].min() < 160, 'the remark stands below'


def test_a_long_legend_is_broken_into_lines():
    legend = [(f'class number {i}', (i, 0, 255)) for i in range(40)]
    page = contact_sheet([('a', picture((60, 400), 128))], legend)
    tops = []
    for i in range(40):
        x1, y1, x2, _ = found(page, (255, 0, i))
        assert 20 <= x1 < x2 <= 420
        tops.append(y1)
    assert tops == sorted(tops) and len(set(tops)) >= 10


def test_a_sheet_of_nothing_is_refused():
    with pytest.raises(ValueError, match='tiles is empty'):
        contact_sheet([])
