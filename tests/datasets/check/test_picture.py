"""The picture shows what is annotated."""
import numpy as np

from lcvision.datasets.check.faults import look_at
from lcvision.datasets.check.layouts import read_folder
from lcvision.datasets.check.picture import draw_samples
from lcvision.visualization.painter import distinct_colour
from tests.datasets import image_tree, street_like
from tests.datasets.check import exports

COLOURS = [distinct_colour(label)[::-1] for label in range(3)]


def draw(root, colours=COLOURS):
    picture = draw_samples(look_at(read_folder(root)))
    assert picture.dtype == np.uint8 and picture.shape[1] > 1000
    return [int((picture == colour).all(2).sum()) for colour in colours]


def test_boxes_have_the_colours_of_their_classes(tmp_path):
    assert [count > 1000 for count in draw(exports.yolo(tmp_path))] == [True, True, False]


def test_masks_and_classes(tmp_path):
    assert all(count > 100 for count in draw(street_like.pairs(tmp_path / 'masks')))
    assert draw(image_tree.tree(tmp_path / 'tree')) == [0, 0, 0]


def test_an_image_that_cannot_be_decoded_is_grey(tmp_path):
    grey = (128, 128, 128)
    exports.yolo(tmp_path)
    whole, = draw(tmp_path, [grey])
    for path in (tmp_path / 'train/images').iterdir():
        content = path.read_bytes()
        path.write_bytes(content[:200] + bytes(len(content) - 300) + content[-100:])
    broken, = draw(tmp_path, [grey])
    assert broken > 20_000 > whole
