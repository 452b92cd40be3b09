"""What of a test pipeline a predictor takes."""
import cv2
import numpy as np
import pytest
from mmengine.config import Config

from lcvision.errors import UserError
from lcvision.inference.image_steps import ImageSteps


def config(*steps, scope='mmdet'):
    pipeline = [dict(type='lcvision.LoadImage'), *steps, dict(type='PackDetInputs')]
    return Config(dict(default_scope=scope, test_dataloader=dict(dataset=dict(dataset=dict(pipeline=pipeline)))))


@pytest.mark.parametrize('step, size, fixed', [
    (dict(type='Resize', scale=(160, 96), keep_ratio=False), (96, 160), (96, 160)),
    (dict(type='Resize', scale=(160, 96), keep_ratio=True), (96, 144), None),
    (dict(type='Resize', scale_factor=0.5), (50, 75), None),
    (dict(type='LoadAnnotations', with_bbox=True), (100, 150), None),
])
def test_sizes(step, size, fixed):
    steps = ImageSteps(config(step))
    sample = steps(np.zeros((100, 150, 3), np.uint8))
    assert sample.image.shape == (*size, 3) and sample.meta['img_shape'] == size
    assert sample.meta['ori_shape'] == (100, 150)
    assert sample.meta['scale_factor'] == (size[1] / 150, size[0] / 100)
    assert steps.fixed_shape() == fixed


def test_a_pipeline_of_floats_resizes_floats():
    image = np.random.default_rng(0).integers(0, 255, (100, 150, 3), np.uint8)
    given = config(dict(type='Resize', scale=(40, 30), keep_ratio=False))
    given.test_dataloader.dataset.dataset.pipeline[0].to_float32 = True
    resized = ImageSteps(given)(image).image
    assert resized.dtype == np.float32 and np.array_equal(resized, cv2.resize(image.astype(np.float32), (40, 30)))


def test_faults_are_told():
    with pytest.raises(UserError, match='no test_dataloader'):
        ImageSteps(Config(dict(model=dict())))
    with pytest.raises(UserError, match='TestTimeAug'):
        ImageSteps(config(dict(type='TestTimeAug', transforms=[])))
    with pytest.raises(UserError, match=r'Resize of the test pipeline of .* does not build'):
        ImageSteps(config(dict(type='Resize', colour='red')))


@pytest.mark.parametrize('shape', [(1, 30000), (1_000_000, 1), (200, 1)])
def test_a_thread_of_an_image_is_refused(shape):
    steps = ImageSteps(config(dict(type='mmpretrain.ResizeEdge', scale=256, edge='short')))
    with pytest.raises(UserError, match=f'the image is {shape[1]}x{shape[0]}: .*LCVISION_MAX_ASPECT'):
        steps(np.zeros((*shape, 3), np.uint8))
    assert steps(np.zeros((10, 500, 3), np.uint8)).image.shape == (256, 12800, 3)
