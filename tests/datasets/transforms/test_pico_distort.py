import numpy as np
import pytest
from mmengine.registry import TRANSFORMS
from PIL import Image, ImageEnhance

from lcvision.datasets.transforms import PicoDistort

GREY = np.array([0.299, 0.587, 0.114])
TO_YIQ = np.array([[0.299, 0.587, 0.114], [0.596, -0.274, -0.321], [0.211, -0.523, 0.311]])
FROM_YIQ = np.array([[1, 0.956, 0.621], [1, -0.272, -0.647], [1, -1.107, 1.705]])


@pytest.fixture
def rgb():
    return np.random.default_rng(0).integers(0, 256, (37, 53, 3), dtype=np.uint8)


def naive_2021(rgb, steps):
    """The chain one step after the other, in double precision."""
    img = rgb.astype(np.float64)
    for name, value in steps:
        if name == 'brightness':
            img = img + value
        elif name == 'contrast':
            img = img * value
        elif name == 'saturation':
            img = img * value + (img @ GREY)[..., None] * (1 - value)
        else:
            y, i, q = np.moveaxis(img @ TO_YIQ.T, -1, 0)
            cos, sin = np.cos(value * np.pi), np.sin(value * np.pi)
            img = np.stack((y, cos * i - sin * q, sin * i + cos * q), -1) @ FROM_YIQ.T
    return img


def naive_pil(rgb, steps):
    picture = Image.fromarray(rgb)
    for name, value in steps:
        if name == 'hue':
            hsv = np.array(picture.convert('HSV'))
            hsv[..., 0] = (hsv[..., 0] + value).astype(np.int64).astype(np.uint8)
            picture = Image.fromarray(hsv, 'HSV').convert('RGB')
        else:
            kind = {'brightness': 'Brightness', 'contrast': 'Contrast', 'saturation': 'Color'}[name]
            picture = getattr(ImageEnhance, kind)(picture).enhance(value)
    return np.array(picture)


def drawn(distort, seed):
    np.random.seed(seed)
    return list(distort._draw())


def applied(distort, img, seed):
    np.random.seed(seed)
    return distort({'img': img.copy()})['img']


@pytest.mark.parametrize('order', ['bgr', 'rgb'])
def test_2021_equals_the_steps_one_after_the_other(rgb, order):
    distort = PicoDistort(channel_order=order)
    flip = slice(None, None, -1 if order == 'bgr' else 1)
    lengths = set()
    for seed in range(60):
        steps = drawn(distort, seed)
        lengths.add(len(steps))
        out = applied(distort, rgb[..., flip], seed)
        np.testing.assert_allclose(out[..., flip], naive_2021(rgb, steps), atol=2e-4 * 255)
        assert out.dtype == (np.float32 if steps else np.uint8)
    assert lengths == {0, 1, 2, 3, 4}


def test_2021_neither_clips_nor_rounds(rgb):
    distort = PicoDistort(skip=0)
    outs = np.stack([applied(distort, rgb, seed) for seed in range(20)])
    assert outs.min() < -10 and outs.max() > 265
    assert np.abs(outs - outs.round()).max() > 0.4


def test_2021_is_float32_exact_to_rounding(rgb):
    distort = PicoDistort(skip=0, channel_order='rgb')
    for seed in range(20):
        reference = naive_2021(rgb, drawn(distort, seed))
        assert np.abs(applied(distort, rgb, seed) - reference).max() < 1e-6 * np.abs(reference).max()


@pytest.mark.parametrize('order', ['bgr', 'rgb'])
def test_pil_equals_pillow(rgb, order):
    distort = PicoDistort(version='pil', channel_order=order)
    flip = slice(None, None, -1 if order == 'bgr' else 1)
    for seed in range(60):
        steps = drawn(distort, seed)
        out = applied(distort, rgb[..., flip], seed)
        assert out.dtype == np.uint8
        assert np.array_equal(out[..., flip], naive_pil(rgb, steps))


def test_each_is_skipped_half_the_time_and_the_order_is_random():
    np.random.seed(0)
    distort = PicoDistort()
    draws = [list(distort._draw()) for _ in range(4000)]
    for name, (low, high) in {'brightness': (.5, 1.5), 'contrast': (.5, 1.5), 'saturation': (.5, 1.5),
                              'hue': (-18, 18)}.items():
        values = np.array([value for steps in draws for step, value in steps if step == name])
        assert abs(len(values) / 4000 - 0.5) < 0.03
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() <= high
        first = np.mean([steps[0][0] == name for steps in draws if steps])
        assert abs(first - 0.25) < 0.03


def test_views_and_flips_are_accepted(rgb):
    for version in ('2021', 'pil'):
        distort = PicoDistort(version=version, skip=0)
        view = rgb[3:30, 5:41][:, ::-1]
        np.random.seed(0)
        out = distort({'img': view})['img']
        np.random.seed(0)
        assert np.array_equal(out, distort({'img': view.copy()})['img'])


def test_the_image_given_is_not_changed(rgb):
    before = rgb.copy()
    for version in ('2021', 'pil'):
        PicoDistort(version=version, skip=0)({'img': rgb})
    assert np.array_equal(rgb, before)


def test_skip_one_leaves_the_image(rgb):
    assert PicoDistort(skip=1)({'img': rgb})['img'] is rgb


def test_wrong_use(rgb):
    with pytest.raises(ValueError, match="'2021' or 'pil'"):
        PicoDistort(version='2020')
    with pytest.raises(ValueError, match="'bgr' or 'rgb'"):
        PicoDistort(channel_order='grb')
    with pytest.raises(ValueError, match='probability'):
        PicoDistort(skip=2)
    with pytest.raises(ValueError, match='uint8'):
        PicoDistort(version='pil', skip=0)({'img': rgb.astype(np.float32)})


def test_is_registered():
    assert TRANSFORMS.build({'type': 'lcvision.PicoDistort', 'version': 'pil'}).version == 'pil'
