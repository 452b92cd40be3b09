"""The random colour: one for all pixels, along ImageNet's axes, and without a wrap at black and white."""
import numpy as np
import pytest
from mmcv.transforms import Compose

from lcvision.datasets.transforms import PCALighting


def colours(count, std=0.1):
    np.random.seed(0)
    black = np.zeros((1, 1, 3), np.uint8)
    return np.stack([PCALighting(std).transform(dict(img=black))['img'][0, 0] for _ in range(count)])


def test_one_colour_for_all_pixels():
    image = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    changed = PCALighting().transform(dict(img=image.copy()))['img']
    difference = changed - image
    assert changed.dtype == np.float32 and changed.shape == image.shape
    np.testing.assert_allclose(difference, np.broadcast_to(difference[0, 0], difference.shape), atol=1e-4)
    assert np.abs(difference).max() > 0


def test_colours_vary_as_imagenets():
    found = colours(4000)
    covariance = np.cov(found.T)
    values, vectors = np.linalg.eigh(covariance)
    np.testing.assert_allclose(np.sqrt(values[::-1]), [5.54625, 0.4794, 0.11475], rtol=0.06)
    # The first axis is nearly grey, with a little more blue than red; images are in BGR.
    first = np.abs(vectors[:, -1])
    np.testing.assert_allclose(first, [0.5836, 0.5808, 0.5675], atol=0.01)
    assert first[0] > first[2]


def test_nothing_wraps():
    found = colours(100)
    assert found.min() < 0 and np.abs(found).max() < 60


def test_zero_changes_nothing_but_the_type():
    image = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(Compose([dict(type='lcvision.PCALighting', std=0)])(dict(img=image))['img'], image)


def test_wrong_std_is_explained():
    with pytest.raises(ValueError, match='PCALighting: std=-1 must be at least 0'):
        PCALighting(-1)
