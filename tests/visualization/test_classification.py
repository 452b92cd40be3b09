import numpy as np
import pytest
import torch
from mmpretrain.structures import DataSample

from lcvision.errors import UserError
from lcvision.visualization import ClassificationPainter, painter_for
from lcvision.visualization.classification import RIGHT, UNKNOWN, WRONG
from lcvision.visualization.painter import Style

META = dict(classes=('cat', 'dog', 'emu'))


def sample(label=1, truth=1, **meta):
    out = DataSample(metainfo=dict(img_path='a.jpg', **meta))
    score = torch.full((3,), 0.05)
    score[label] = 0.9
    out.set_pred_score(score).set_pred_label(label)
    return out if truth is None else out.set_gt_label(truth)


def blank(height=240, width=320):
    return np.full((height, width, 3), 128, np.uint8)


def count(image, colour):
    return (image == colour[::-1]).all(axis=-1).sum()


@pytest.fixture
def painter():
    return ClassificationPainter(META)


def test_a_scene_has_the_best_class_its_score_and_the_truth(painter):
    scene = painter.read(sample(2, 1))
    assert (scene.label, scene.true_labels) == (2, (1,)) and scene.score == pytest.approx(0.9)
    assert painter.read(sample(2, None)).true_labels == ()
    assert painter.read(sample(2, [0, 2])).true_labels == (0, 2)


@pytest.mark.parametrize('truth, colour', [(1, RIGHT), (0, WRONG), (None, UNKNOWN), ([0, 1], RIGHT)], ids=str)
def test_the_frame_says_whether_it_is_right(painter, truth, colour):
    image = painter.paint(blank(), painter.read(sample(1, truth)))
    assert count(image, colour) > 2 * (240 + 320)
    assert not any(count(image, other) for other in {RIGHT, WRONG, UNKNOWN} - {colour})
    for edge in (image[0], image[-1], image[:, 0], image[:, -1]):
        assert (edge == colour[::-1]).all()


def test_the_true_class_is_written_where_it_is_another(painter):
    style = Style(font=14, line=2, dash=4)
    right = painter.paint(blank(), painter.read(sample(1, 1)), style)
    wrong = painter.paint(blank(), painter.read(sample(1, 2)), style)
    def written(image):
        return np.flatnonzero((image[:, 8:-8] != 128).any(axis=(1, 2)))[4:-4]
    assert len(written(wrong)) > 1.5 * len(written(right))
    assert (wrong[4:150, 4:-4] == 128).all(), 'the middle of the image stays as it is'


def test_an_image_is_painted_in_place_unless_letters_would_not_fit(painter):
    scene, large, small = painter.read(sample()), blank(), blank(32, 48)
    assert painter.paint(large, scene) is large
    painted = painter.paint(small, scene)
    assert painted.shape == (224, 336, 3) and (small == 128).all()
    tile = blank(40, 40)
    assert painter.paint(tile, scene, Style(font=11, line=1, dash=4)) is tile, 'a given style keeps the size'


def test_long_names_stay_inside(painter):
    painter = ClassificationPainter(dict(classes=['x' * 300] * 3))
    image = painter.paint(blank(), painter.read(sample(1, 2)))
    assert (image[:, -1] == WRONG[::-1]).all() and count(image, WRONG) > 1500


def test_legend_remark_and_variety(painter):
    right, wrong, unknown = (painter.read(sample(1, truth)) for truth in (1, 2, None))
    assert painter.legend([right, wrong]) == [('right', RIGHT), ('wrong', WRONG)]
    assert painter.legend([unknown]) == [('not annotated', UNKNOWN)]
    assert 'true class' in painter.remark([wrong]) and 'true class' not in painter.remark([right])
    assert painter.variety(right) == painter.variety(wrong) == 1
    assert painter.name(1) == 'dog' and painter.name(7) == 'class 7'


def test_the_painter_is_chosen_by_what_a_sample_holds():
    assert isinstance(painter_for(sample(), META, 0.3, False), ClassificationPainter)


def test_a_data_set_without_files_is_told(painter):
    bare = DataSample().set_pred_score(torch.rand(3)).set_pred_label(0)
    with pytest.raises(UserError, match='without --show-dir'):
        painter.read(bare)
