import numpy as np
import pytest

from lcvision.visualization.boxes import LabelLayer, draw_box, draw_dashed_box, pixel_corners
from lcvision.visualization.style import Style

STYLE = Style(font=12, line=2, dash=4)
RED = (255, 0, 0)


def blank(height=100, width=160):
    return np.full((height, width, 3), 128, np.uint8)


def marked(image):
    """First column and row, last column and row of what was drawn."""
    rows, columns = np.nonzero((image != 128).any(axis=2))
    return [columns.min(), rows.min(), columns.max(), rows.max()]


def test_corners_are_rounded_and_clipped():
    corners = pixel_corners(np.array([[-5.0, 3.4, 200.0, 3.6]]), (100, 160, 3))
    assert corners.tolist() == [[0, 3, 159, 4]]
    assert pixel_corners(np.zeros((0, 4)), (100, 160)).shape == (0, 4)


def test_a_solid_box_lies_on_its_edges_and_is_empty_inside():
    image = blank()
    draw_box(image, np.array([20, 30, 60, 70]), RED, 1)
    assert marked(image) == [20, 30, 60, 70]
    for edge in (image[30, 20:61], image[70, 20:61], image[30:71, 20], image[30:71, 60]):
        assert (edge == (0, 0, 255)).all()
    assert (image[31:70, 21:60] == 128).all()


def test_a_dashed_box_is_light_and_dark_in_turn():
    image = blank()
    draw_dashed_box(image, np.array([20, 30, 60, 70]), 4)
    assert marked(image) == [20, 30, 60, 70]
    top = image[30, 20:61, 0].astype(int)
    assert (top[:4] == 255).all() and (top[4:8] < 100).all() and (top[8:12] == 255).all()
    assert (image[31:70, 21:60] == 128).all()


@pytest.mark.parametrize('corners', [[0, 0, 159, 99], [159, 99, 159, 99], [5, 5, 5, 60]])
def test_boxes_at_the_rim_and_without_area(corners):
    image = blank()
    draw_dashed_box(image, np.array(corners), 4)
    assert marked(image) == corners


def test_a_label_sits_on_its_box():
    image = blank()
    assert LabelLayer(image, STYLE).add(np.array([40, 50, 120, 90]), ('cat 0.90',), RED) == 'cat 0.90'
    x1, y1, x2, y2 = marked(image)
    assert x1 == 39 and x2 < 120
    assert y1 < 45 and y2 == 51, 'it ends with the line of the box, which is two pixels wide'
    assert (image == (0, 0, 255)).all(axis=2).sum() > 100


@pytest.mark.parametrize('corners', [[0, 0, 30, 30], [150, 95, 159, 99], [0, 0, 159, 99], [150, 0, 159, 5]])
def test_a_label_stays_inside_the_image(corners):
    image = blank()
    alone = blank(300, 400)
    LabelLayer(alone, STYLE).add(np.array([100, 100, 150, 150]), ('cat 0.90',), RED)
    assert LabelLayer(image, STYLE).add(np.array(corners), ('cat 0.90',), RED)
    assert (image != 128).any(axis=2).sum() == (alone != 128).any(axis=2).sum()


def test_labels_never_cover_each_other_and_give_way():
    image = blank(60, 120)
    layer = LabelLayer(image, STYLE)
    drawn = []
    for _ in range(30):
        before = image.copy()
        text = layer.add(np.array([30, 20, 90, 45]), ('cat 0.90', '0.90'), RED)
        drawn.append(text)
        if text is None:
            assert np.array_equal(before, image)
        else:
            new = (before != image).any(axis=2)
            assert new.any() and (before[new] == 128).all()
    assert drawn[0] == 'cat 0.90'
    assert drawn.count('cat 0.90') >= 3
    assert drawn[-1] is None
    shown = [text for text in drawn if text]
    assert drawn[:len(shown)] == shown


def test_no_room_at_all():
    image = blank(6, 6)
    assert LabelLayer(image, STYLE).add(np.array([0, 0, 5, 5]), ('cat 0.90', '0.90'), RED) is None
    assert (image == 128).all()
