import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from lcvision.errors import UserError
from lcvision.visualization import DetectionPainter, painter_for
from lcvision.visualization.palette import distinct_colour
from lcvision.visualization.style import Style

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
