"""Metadata prepare images as the test pipeline does, to the last bit."""
import numpy as np
import pytest
import torch
from mmengine.config import Config

from lcvision.deploy.export.metadata import image_steps
from lcvision.errors import UserError
from lcvision.inference.preprocess import ImageSteps, NetworkInput, Normalisation
from lcvision.inference.runtime.preparation import prepare_image

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
STEPS = [
    [dict(type='Resize', scale=(64, 96), keep_ratio=False, interpolation='bicubic')],
    [dict(type='Resize', scale=(64, 96), keep_ratio=True)],
    [dict(type='Resize', scale=32, interpolation='area')],
    [dict(type='mmpretrain.ResizeEdge', scale=48), dict(type='CenterCrop', crop_size=32)],
    [dict(type='mmpretrain.EfficientNetCenterCrop', crop_size=40, interpolation='bicubic', backend='pillow')],
    [],
]


def config_of(steps) -> Config:
    pipeline = [dict(type='lcvision.LoadImage'), *steps, dict(type='mmpretrain.PackInputs')]
    return Config(dict(default_scope='mmpretrain', test_dataloader=dict(dataset=dict(pipeline=pipeline))),
                  filename=__file__)


@pytest.mark.parametrize('steps', STEPS, ids=lambda steps: '-'.join(step['type'] for step in steps) or 'none')
@pytest.mark.parametrize('shape', [(75, 101), (130, 66)])
def test_as_the_pipeline(steps, shape):
    image = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    config = config_of(steps)
    sample = ImageSteps(config)(image)
    height, width = sample.image.shape[:2]
    values = {name: torch.tensor(value).view(3, 1, 1) for name, value in (('mean', MEAN), ('std', STD))}
    normalisation = Normalisation(**values, swap=True, divisor=32)
    padded = normalisation.padded(sample.image.shape)
    expected = NetworkInput(normalisation, (height, width), torch.Size((1, 3, *padded)), False)(sample.image)
    rule = dict(steps=image_steps(config), colour='RGB', normalised_inside=False, mean=MEAN, std=STD, pad_value=0.,
                size=list(padded), dynamic=None, divisor=32)
    found = prepare_image(image, rule)
    np.testing.assert_array_equal(found.x, expected.numpy())
    assert (found.shape, found.original) == ((height, width), shape)
    if steps and steps[0]['type'] == 'Resize':
        assert found.scale == pytest.approx(sample.meta['scale_factor'])
    inside = prepare_image(image, {**rule, 'normalised_inside': True, 'divisor': 1, 'size': [height, width]})
    np.testing.assert_array_equal(inside.x[0], sample.image[..., ::-1])
    np.testing.assert_array_equal(prepare_image(image, {**rule, 'dynamic': 'size'}).x, found.x)


def test_a_step_that_cannot_be_described():
    with pytest.raises(UserError, match='its test pipeline has Albumentations, which a file cannot describe'):
        image_steps(config_of([dict(type='mmpretrain.Albumentations')]))
    config = config_of([])
    config.test_dataloader.dataset.pipeline[0]['to_float32'] = True
    with pytest.raises(UserError, match='reads images with to_float32=True, which a file cannot describe'):
        image_steps(config)


@pytest.mark.parametrize('changes, wanted', [(dict(dynamic=None), '64x96'),
                                             (dict(normalised_inside=True), 'multiples of 32')])
def test_an_image_of_another_size_is_refused(changes, wanted):
    rule = dict(steps=[], colour='RGB', normalised_inside=False, mean=None, std=None, pad_value=0., size=[64, 96],
                dynamic='size', divisor=32)
    with pytest.raises(UserError, match=f'an image of 40x50 .* becomes an input of 64x64, and the file takes {wanted}'):
        prepare_image(np.zeros((40, 50, 3), np.uint8), {**rule, **changes})
