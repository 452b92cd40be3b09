import numpy as np
import pytest
import torch
from mmengine.structures import PixelData
from mmseg.structures import SegDataSample

from lcvision.visualization import SegmentationPainter, painter_for
from lcvision.visualization.painter import Style, distinct_colour

META = dict(classes=('road', 'sky', 'car'), palette=[(200, 0, 0), (0, 0, 200), (0, 200, 0)])
STYLE = Style(font=11, line=2, dash=4)
ROAD, SKY, CAR = ((0, 0, 200), (200, 0, 0), (0, 200, 0))  # as in an image, BGR
GREY = 100


def sample(labels, truth=None):
    out = SegDataSample()
    out.pred_sem_seg = PixelData(data=torch.as_tensor(labels)[None])
    if truth is not None:
        out.gt_sem_seg = PixelData(data=torch.as_tensor(truth, dtype=torch.long)[None])
    return out


def halves(height=60, width=80, dtype=torch.uint8):
    """Sky above, road below."""
    labels = torch.ones((height, width), dtype=dtype)
    labels[height // 2:] = 0
    return labels


def paint(labels, truth=None, shape=None, meta=META):
    painter = SegmentationPainter(meta)
    image = np.full((*(shape or labels.shape), 3), GREY, np.uint8)
    painted = painter.paint(image, painter.read(sample(labels, truth)), STYLE)
    assert painted is image
    return painted


def mixed(colour):
    """A class colour over the grey."""
    return pytest.approx(0.45 * GREY + 0.55 * np.array(colour), abs=1)


@pytest.mark.parametrize('dtype', [torch.uint8, torch.int16, torch.int64])
def test_classes_cover_the_image_and_meet_in_a_bright_line(dtype):
    image = paint(halves(dtype=dtype))
    assert image[5, 40] == mixed(SKY) and image[55, 40] == mixed(ROAD)
    assert (image[29] == SKY).all() and (image[30] == ROAD).all()
    assert (image[:28] == image[5, 40]).all() and (image[32:] == image[55, 40]).all()


def test_a_picture_of_another_size():
    image = paint(halves(), shape=(120, 40))
    assert image[10, 20] == mixed(SKY) and image[110, 20] == mixed(ROAD)
    assert (image[59] == SKY).all() and (image[60] == ROAD).all()


def test_wrong_pixels_are_striped_in_the_colour_of_the_truth():
    truth = halves()
    truth[40:56, 20:60] = 2
    image = paint(halves(), truth)
    striped = (image == CAR).all(axis=2)
    rows, columns = np.nonzero(striped)
    assert [rows.min(), rows.max(), columns.min(), columns.max()] == [40, 55, 20, 59]
    assert striped[40:56, 20:60].mean() == pytest.approx(0.5, abs=0.05)
    assert image[45, 20:60][~striped[45, 20:60]] == pytest.approx(
        np.tile(0.45 * GREY + 0.55 * np.array(ROAD), ((~striped[45, 20:60]).sum(), 1)), abs=1)
    assert not (paint(halves(), halves()) == CAR).all(axis=2).any()


@pytest.mark.parametrize('ignored', [255, 7])
def test_what_is_not_annotated_stays_plain(ignored):
    truth = halves().long()
    truth[10:20, 10:30] = ignored
    image = paint(halves(), truth)
    plain = (image == GREY).all(axis=2)
    assert plain[10:20, 10:30].all() and plain.sum() == 200


def test_truth_of_the_networks_size_is_fitted():
    truth = torch.nn.functional.interpolate(halves()[None, None].float(), (30, 40))[0, 0].long()
    truth[:, 20:] = 2
    image = paint(halves(), truth)
    striped = (image == CAR).all(axis=2)
    assert not striped[:, :40].any() and striped[:, 40:].mean() == pytest.approx(0.5, abs=0.05)


def test_without_a_style_the_legend_stands_below():
    painter = SegmentationPainter(META)
    scene = painter.read(sample(halves(), halves()))
    image = painter.paint(np.full((60, 80, 3), GREY, np.uint8), scene)
    assert image.shape[1] == 80 and image.shape[0] > 90
    foot = image[60:]
    assert [(foot == colour).all(axis=2).sum() > 50 for colour in (ROAD, SKY, CAR)] == [True, True, False]


def test_legend_variety_and_remark():
    painter = SegmentationPainter(META)
    truth = halves().long()
    truth[:, 40:] = 255
    truth[0, 0] = 2
    seen, bare = painter.read(sample(halves(), truth)), painter.read(sample(halves()))
    assert painter.legend([seen]) == [('road', (200, 0, 0)), ('sky', (0, 0, 200)), ('car', (0, 200, 0))]
    assert [name for name, _ in painter.legend([bare])] == ['road', 'sky']
    assert (painter.variety(seen), painter.variety(bare)) == (3, 2)
    assert painter.remark([bare]) == 'colour: predicted class'
    assert painter.remark([seen, bare]).startswith('100.0 % of the annotated pixels right; ')
    truth[:, :40] = 2
    assert painter.remark([painter.read(sample(halves(), truth))]).startswith('0.0 %')
    nothing = painter.read(sample(halves(), torch.full((60, 80), 255)))
    assert painter.remark([nothing]) == 'colour: predicted class' and painter.variety(nothing) == 0


def test_classes_without_name_and_colour_are_drawn_all_the_same():
    image = paint(torch.full((60, 80), 5), meta={})
    assert image[30, 40] == mixed(distinct_colour(5)[::-1])
    assert SegmentationPainter({}).name(5) == 'class 5'


def test_very_many_classes():
    painter = SegmentationPainter(dict(classes=[f'c{index}' for index in range(400)]))
    scene = painter.read(sample(torch.full((60, 80), 399, dtype=torch.int16), torch.full((60, 80), 255)))
    assert [name for name, _ in painter.legend([scene])] == ['c255', 'c399']
    assert painter.remark([scene]).startswith('0.0 %')


def test_the_painter_is_chosen_by_the_sample():
    assert isinstance(painter_for(sample(halves()), META, 0.3, False), SegmentationPainter)
