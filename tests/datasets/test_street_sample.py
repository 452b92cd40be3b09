"""The rendered streets: reproducible, in Cityscapes layout, and with what a segmentor has to tell apart."""
import cv2
import numpy as np
import pytest

from lcvision.datasets.mask_check import check_masks
from lcvision.datasets.mask_coding import MaskCoding
from lcvision.datasets.sample import ensure_street_sample, render_street_sample
from lcvision.datasets.sample.segmentation import SIZE, render_street_image
from lcvision.datasets.sample.street_canvas import Camera, Label


@pytest.fixture(scope='module')
def streets():
    """A dozen streets: images and labels."""
    return [render_street_image(np.random.default_rng([1, index])) for index in range(12)]


def files_of(root):
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob('*') if path.is_file()}


def test_same_seed_same_bytes(tmp_path):
    for name, seed in (('a', 3), ('b', 3), ('c', 4)):
        render_street_sample(tmp_path / name, train_images=2, val_images=1, seed=seed)
    first, again, other = (files_of(tmp_path / name) for name in 'abc')
    assert len(first) == 6 and first == again
    assert first.keys() == other.keys() and all(first[name] != other[name] for name in first)
    assert len(set(first.values())) == 6


def test_it_is_a_sound_data_set(tmp_path):
    render_street_sample(tmp_path, train_images=2, val_images=1)
    for split, count in (('train', 2), ('val', 1)):
        images = sorted((tmp_path / 'leftImg8bit' / split).rglob('*_leftImg8bit.png'))
        masks = sorted((tmp_path / 'gtFine' / split).rglob('*_gtFine_labelTrainIds.png'))
        assert len(images) == count
        assert check_masks(list(zip(images, masks, strict=True)), MaskCoding(19), split).sizes == {SIZE[::-1]: count}


def test_eight_classes_are_in_nearly_every_street(streets):
    counts = [len(set(np.unique(labels)) - {255}) for _, labels in streets]
    assert np.mean(np.array(counts) >= 8) > 0.9 and np.mean(counts) > 9
    everywhere = set.intersection(*(set(np.unique(labels).tolist()) for _, labels in streets))
    assert everywhere >= {Label.ROAD, Label.SIDEWALK, Label.SKY}
    anywhere = set.union(*(set(np.unique(labels).tolist()) for _, labels in streets))
    assert len(anywhere - {255}) >= 15
    shares = np.bincount(np.concatenate([labels.ravel() for _, labels in streets]), minlength=256) / 12 / np.prod(SIZE)
    assert shares.max() < 0.5 and shares[255] < 0.1


def test_images_are_lit_and_textured(streets):
    means = [image.mean() for image, _ in streets]
    assert all(image.dtype == np.uint8 and image.shape == (*SIZE, 3) and image.std() > 15 for image, _ in streets)
    assert min(means) > 40 and max(means) < 220 and np.ptp(means) > 20


def test_labels_lie_where_the_image_changes(streets):
    ratios = []
    for image, labels in streets:
        gradient = cv2.magnitude(*(cv2.Sobel(image.mean(2), cv2.CV_64F, *d) for d in ((1, 0), (0, 1))))
        border = cv2.morphologyEx(labels, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
        ratios.append(gradient[border].mean() / gradient[~border].mean())
    assert min(ratios) > 1.5


def test_the_position_alone_does_not_tell(streets):
    stack = np.stack([labels for _, labels in streets])
    votes = np.stack([(stack == label).sum(0) for label in range(19)])
    ious = [(((votes.argmax(0) == label) & (stack == label)).sum() / max(((votes.argmax(0) == label) | (
        stack == label)).sum(), 1)) for label in np.unique(stack[stack < 255])]
    assert np.mean(ious) < 0.4


def test_the_camera_projects_and_looks_back():
    camera = Camera(400., 250., 110., 1.6, 5e-4, 0.7)
    points = np.array([(2., 0, 8.), (-3., 0, 20.), (0.7, 0, 12.)])
    x, z = camera.ground(*SIZE)
    for point, (column, row) in zip(points, camera.project(points), strict=True):
        for plane, wanted in ((x, point[0]), (z, point[2])):
            there = cv2.getRectSubPix(np.ascontiguousarray(plane), (1, 1), (column - 0.5, row - 0.5))[0, 0]
            assert there == pytest.approx(wanted, rel=0.03, abs=0.05)
    # A point at the height of the camera is seen on the horizon.
    assert camera.project(np.array([(5., 1.6, 9.)]))[0, 1] == 110


def test_first_use_renders_and_the_second_does_not(tmp_path, monkeypatch):
    calls = []

    def render(root):
        calls.append(root)
        render_street_sample(root, 1, 1)

    monkeypatch.setattr('lcvision.datasets.sample.segmentation.render_street_sample', render)
    assert ensure_street_sample(tmp_path / 'a/b') == tmp_path / 'a/b' == ensure_street_sample(tmp_path / 'a/b')
    assert len(calls) == 1 and len(files_of(tmp_path / 'a/b')) == 5
