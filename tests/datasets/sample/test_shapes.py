"""The rendered shapes: told apart by their outline, and lying before one another."""
import cv2
import numpy as np
import pytest

from lcvision.datasets.sample.shapes import NAMES, outline, render_shapes


def test_outlines_differ_and_fill_the_unit_circle():
    filled = []
    for label in range(len(NAMES)):
        points = outline(label)
        assert np.linalg.norm(points, axis=1).max() == pytest.approx(1)
        canvas = np.zeros((64, 64), np.uint8)
        cv2.fillPoly(canvas, [np.round(32 + 30 * points).astype(np.int32)], 1)
        filled.append(canvas > 0)
    overlaps = [(a & b).sum() / (a | b).sum() for i, a in enumerate(filled) for b in filled[:i]]
    assert max(overlaps) < 0.9


def test_a_shape_in_front_is_cut_out_of_the_one_behind():
    hidden = 0
    for seed in range(8):
        image, instances = render_shapes(np.random.default_rng(seed))
        seen = sum(one.mask.astype(int) for one in instances)
        assert seen.max() <= 1 and image.dtype == np.uint8 and image.std() > 8
        hidden += sum(bool((outline_of(one) & ~one.mask).sum() > 200) for one in instances)
    assert hidden


def outline_of(instance):
    points = np.argwhere(instance.mask)[:, ::-1].astype(np.int32)
    hull = np.zeros(instance.mask.shape, np.uint8)
    cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return hull > 0
