from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.datasets.transforms import LoadAnnotations, Resize
from mmdet.structures import DetDataSample
from mmdet.structures.bbox import HorizontalBoxes
from mmengine.dataset import Compose
from mmengine.structures import InstanceData

from lcvision.errors import UserError
from lcvision.visualization import DetectionPainter, painter_for
from lcvision.visualization.detection import (
    LabelLayer,
    annotations_are_resized,
    draw_box,
    draw_dashed_box,
    pixel_corners,
    true_boxes,
)
from lcvision.visualization.painter import Style, distinct_colour

META = dict(classes=('cat', 'dog'), palette=[(255, 0, 0), (0, 200, 0)])
RED, GREEN = (0, 0, 255), (0, 200, 0)  # as in an image, BGR


def sample(boxes, labels, scores, true=(), true_labels=(), shape=(200, 300)):
    out = DetDataSample(metainfo=dict(ori_shape=shape, scale_factor=(0.5, 0.5), img_path='a.jpg'))
    out.pred_instances = InstanceData(bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4),
                                      labels=torch.tensor(labels, dtype=torch.long), scores=torch.tensor(scores))
    out.gt_instances = InstanceData(bboxes=torch.tensor(true, dtype=torch.float32).reshape(-1, 4),
                                    labels=torch.tensor(true_labels, dtype=torch.long))
    return out


def blank(height=200, width=300):
    return np.full((height, width, 3), 128, np.uint8)


def has(image, colour):
    return (image == colour).all(axis=-1)


def test_a_scene_has_the_good_predictions_the_best_first():
    painter = DetectionPainter(META, score_thr=0.3)
    boxes = [[1, 1, 9, 9], [2, 2, 9, 9], [3, 3, 9, 9], [float('nan'), 3, 9, 9], [5, 5, 9, 9]]
    scene = painter.read(sample(boxes, [0, 1, 0, 1, 1], [0.5, 0.2, 0.9, 0.9, 0.3]))
    assert scene.boxes[:, 0].tolist() == [3, 1, 5]
    assert scene.labels.tolist() == [0, 0, 1]
    assert scene.scores.tolist() == pytest.approx([0.9, 0.5, 0.3])


def test_boxes_are_where_they_should_be_in_the_colours_of_their_classes():
    painter = DetectionPainter(META)
    scene = painter.read(sample([[40, 60, 120, 150], [180, 60, 260, 150]], [0, 1], [0.9, 0.8]))
    image = painter.paint(blank(), scene, Style(font=11, line=1, dash=4))
    for left, right, colour in ((40, 120, RED), (180, 260, GREEN)):
        assert has(image[70:151, left], colour).all() and has(image[60:151, right], colour).all()
        assert has(image[150, left:right + 1], colour).all()
        assert (image[80:145, left + 5:right - 5] == 128).all()
    assert not has(image[:, 125:175], RED).any() and (image[155:] == 128).all()
    assert has(image[45:60, 40:120], RED).sum() > 100, 'the label stands above its box'


def test_a_picture_of_another_size_has_its_boxes_scaled():
    painter = DetectionPainter(META)
    scene = painter.read(sample([[40, 60, 120, 150]], [0], [0.9], [[200, 100, 280, 180]], [0]))
    image = painter.paint(blank(400, 900), scene, Style(font=11, line=1, dash=4))
    assert has(image[150:300, 120], RED).all() and has(image[300, 120:360], RED).all()
    assert has(image[200:361, 600], (255, 255, 255)).sum() > 70
    assert (image[370:] == 128).all()


@pytest.mark.parametrize('resized', [False, True])
def test_true_boxes_are_thin_dashed_and_in_the_right_place(resized):
    painter = DetectionPainter(META, annotations_resized=resized)
    true = [[20, 25, 70, 80]] if resized else [[40, 50, 140, 160]]
    image = painter.paint(blank(), painter.read(sample([], [], [], true, [1])))
    drawn = (image != 128).any(axis=2)
    rows, columns = np.nonzero(drawn)
    assert [columns.min(), rows.min(), columns.max(), rows.max()] == [40, 50, 140, 160]
    assert drawn[50, 40:141].all() and not drawn[51:160, 41:140].any()
    white = has(image[50, 40:141], (255, 255, 255)).mean()
    assert 0.4 < white < 0.6


def test_crowded_labels_leave_all_boxes_visible():
    painter = DetectionPainter(META)
    boxes = [[20 + i, 30 + i, 120 + i, 120 + i] for i in range(0, 60, 2)]
    image = painter.paint(blank(), painter.read(sample(boxes, [0] * 30, [0.9 - i / 100 for i in range(30)])))
    assert has(image, RED).sum() > 5000


def test_labels_without_a_class_are_drawn_all_the_same():
    painter = DetectionPainter({})
    scene = painter.read(sample([[40, 60, 120, 150]], [3], [0.9]))
    image = painter.paint(blank(), scene)
    assert has(image, distinct_colour(3)[::-1]).sum() > 300
    assert painter.name(3) == 'class 3'


def test_nothing_found_nothing_drawn():
    painter = DetectionPainter(META)
    scene = painter.read(sample([], [], []))
    assert (painter.paint(blank(), scene) == 128).all()
    assert painter.variety(scene) == 0
    assert 'ground truth' not in painter.remark([scene])


def test_variety_legend_and_remark():
    painter = DetectionPainter(META, score_thr=0.45)
    scene = painter.read(sample([[0, 0, 9, 9]], [0], [0.9], [[0, 0, 9, 9], [1, 1, 8, 8]], [0, 1]))
    assert painter.variety(scene) == 2
    assert painter.variety(painter.read(sample([[0, 0, 9, 9]], [0], [0.9]))) == 1
    assert painter.legend([scene]) == [('cat', (255, 0, 0)), ('dog', (0, 200, 0))]
    assert '0.45' in painter.remark([scene]) and 'ground truth' in painter.remark([scene])


def test_a_legend_of_very_many_classes_has_those_to_be_seen():
    painter = DetectionPainter(dict(classes=[f'c{i}' for i in range(80)]))
    scene = painter.read(sample([[0, 0, 9, 9]], [70], [0.9], [[0, 0, 9, 9]], [5]))
    assert [name for name, _ in painter.legend([scene])] == ['c5', 'c70']


def test_the_painter_is_chosen_by_what_a_sample_holds():
    assert isinstance(painter_for(sample([], [], []), META, 0.3, False), DetectionPainter)
    with pytest.raises(UserError, match='pred_instances'):
        painter_for(DetDataSample(), META, 0.3, False)


def dataset(*transforms):
    return SimpleNamespace(pipeline=Compose(transforms))


def annotated(boxes, **meta):
    out = DetDataSample(metainfo=dict(ori_shape=(480, 640), **meta))
    out.gt_instances = InstanceData(bboxes=boxes, labels=torch.arange(len(boxes)))
    return out


def test_the_order_of_the_pipeline_decides():
    load, resize = LoadAnnotations(with_bbox=True), Resize(scale=(320, 320))
    assert annotations_are_resized(dataset(load, resize))
    assert not annotations_are_resized(dataset(resize, load))
    assert not annotations_are_resized(dataset(resize))
    assert not annotations_are_resized(SimpleNamespace())


def test_wrapped_datasets_are_looked_into():
    inner = dataset(LoadAnnotations(with_bbox=True), Resize(scale=(320, 320)))
    assert annotations_are_resized(SimpleNamespace(dataset=inner))
    assert annotations_are_resized(SimpleNamespace(datasets=[SimpleNamespace(dataset=inner)]))


def test_resized_boxes_are_brought_back():
    boxes = torch.tensor([[10.0, 20.0, 30.0, 40.0]])
    for given in (boxes, HorizontalBoxes(boxes)):
        there = annotated(given, scale_factor=(0.5, 0.25))
        back, labels = true_boxes(there, resized=True)
        assert back.tolist() == [[20, 80, 60, 160]] and labels.tolist() == [0]
        assert true_boxes(there, resized=False)[0].tolist() == boxes.tolist()
    assert boxes.tolist() == [[10, 20, 30, 40]]


def test_samples_without_annotations():
    for nothing in (DetDataSample(), annotated(torch.zeros(0, 4))):
        boxes, labels = true_boxes(nothing, resized=True)
        assert boxes.shape == (0, 4) and labels.shape == (0,)
        assert boxes.dtype == np.float32


STYLE = Style(font=12, line=2, dash=4)
COLOUR = (255, 0, 0)


def canvas(height=100, width=160):
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
    image = canvas()
    draw_box(image, np.array([20, 30, 60, 70]), COLOUR, 1)
    assert marked(image) == [20, 30, 60, 70]
    for edge in (image[30, 20:61], image[70, 20:61], image[30:71, 20], image[30:71, 60]):
        assert (edge == (0, 0, 255)).all()
    assert (image[31:70, 21:60] == 128).all()


def test_a_dashed_box_is_light_and_dark_in_turn():
    image = canvas()
    draw_dashed_box(image, np.array([20, 30, 60, 70]), 4)
    assert marked(image) == [20, 30, 60, 70]
    top = image[30, 20:61, 0].astype(int)
    assert (top[:4] == 255).all() and (top[4:8] < 100).all() and (top[8:12] == 255).all()
    assert (image[31:70, 21:60] == 128).all()


@pytest.mark.parametrize('corners', [[0, 0, 159, 99], [159, 99, 159, 99], [5, 5, 5, 60]])
def test_boxes_at_the_rim_and_without_area(corners):
    image = canvas()
    draw_dashed_box(image, np.array(corners), 4)
    assert marked(image) == corners


def test_a_label_sits_on_its_box():
    image = canvas()
    assert LabelLayer(image, STYLE).add(np.array([40, 50, 120, 90]), ('cat 0.90',), COLOUR) == 'cat 0.90'
    x1, y1, x2, y2 = marked(image)
    assert x1 == 39 and x2 < 120
    assert y1 < 45 and y2 == 51, 'it ends with the line of the box, which is two pixels wide'
    assert (image == (0, 0, 255)).all(axis=2).sum() > 100


@pytest.mark.parametrize('corners', [[0, 0, 30, 30], [150, 95, 159, 99], [0, 0, 159, 99], [150, 0, 159, 5]])
def test_a_label_stays_inside_the_image(corners):
    image = canvas()
    alone = canvas(300, 400)
    LabelLayer(alone, STYLE).add(np.array([100, 100, 150, 150]), ('cat 0.90',), COLOUR)
    assert LabelLayer(image, STYLE).add(np.array(corners), ('cat 0.90',), COLOUR)
    assert (image != 128).any(axis=2).sum() == (alone != 128).any(axis=2).sum()


def test_labels_never_cover_each_other_and_give_way():
    image = canvas(60, 120)
    layer = LabelLayer(image, STYLE)
    drawn = []
    for _ in range(30):
        before = image.copy()
        text = layer.add(np.array([30, 20, 90, 45]), ('cat 0.90', '0.90'), COLOUR)
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
    image = canvas(6, 6)
    assert LabelLayer(image, STYLE).add(np.array([0, 0, 5, 5]), ('cat 0.90', '0.90'), COLOUR) is None
    assert (image == 128).all()
