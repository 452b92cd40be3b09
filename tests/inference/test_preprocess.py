"""Test pipelines and input tensors against what mmdet, mmseg and mmpretrain do."""
import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import MODELS, TRANSFORMS, init_default_scope

from lcvision.errors import UserError
from lcvision.inference.preprocess import ImageSteps, NetworkInput, Normalisation


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


CONFIGS = ['detection/picodet_pplcnet_1x', 'detection/picodet_v2_l_640', 'classification/pplcnet_1x',
           'classification/elite0', 'classification/pplcnet_0_5x_cifar10', 'segmentation/deeplabv3plus_pplcnet_1x']
LAYOUTS = [torch.contiguous_format, torch.channels_last]


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


def preprocessor(config):
    init_default_scope(config.default_scope)
    settings = dict(config.model.get('data_preprocessor') or config.data_preprocessor)
    return MODELS.build(settings)


def packed(config, image, path):
    """What the config's own pipeline makes of the image file."""
    assert cv2.imwrite(str(path), image)
    skipped = ('LoadAnnotations', 'LoadMask')
    pipeline = Compose([TRANSFORMS.build(step) for step in config.test_dataloader.dataset.pipeline
                        if step['type'].rsplit('.', 1)[-1] not in skipped])
    return pipeline(dict(img_path=str(path), img_id=0))


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('name', CONFIGS)
def test_tensors_equal_the_data_preprocessors(name, layout, tmp_path):
    config = Config.fromfile(f'configs/{name}.py')
    rule, steps = Normalisation.of(preprocessor(config)), ImageSteps(config)
    for shape in ((97, 131), (240, 180)):
        image = noise(*shape)
        data = packed(config, image, tmp_path / 'image.png')
        expected = preprocessor(config)(pseudo_collate([data]), False)['inputs']
        sample = steps(image)
        padded = torch.Size((1, 3, *rule.padded(sample.image.shape)))
        x = NetworkInput(rule, sample.image.shape[:2], padded, layout is torch.channels_last)(sample.image)
        assert x.is_contiguous(memory_format=layout) and torch.equal(x, expected)
        meta = data['data_samples'].metainfo
        assert sample.meta['ori_shape'] == tuple(meta['ori_shape']) == shape
        assert tuple(sample.meta['img_shape']) == tuple(meta['img_shape'][:2])
        if 'scale_factor' in meta:
            assert sample.meta['scale_factor'] == tuple(meta['scale_factor'])


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('settings', [
    dict(type='mmdet.DetDataPreprocessor', mean=[1., 2., 3.], std=[4., 5., 6.], bgr_to_rgb=True, pad_size_divisor=32,
         pad_value=7),
    dict(type='mmdet.DetDataPreprocessor', mean=[10.], std=[20.], pad_size_divisor=16),
    dict(type='mmdet.DetDataPreprocessor', pad_size_divisor=16),
    dict(type='mmpretrain.ClsDataPreprocessor', mean=[1., 2., 3.], std=[4., 5., 6.], pad_size_divisor=8, pad_value=3),
    dict(type='mmseg.SegDataPreProcessor', mean=[1., 2., 3.], std=[4., 5., 6.], bgr_to_rgb=True, size_divisor=32),
    dict(type='mmseg.SegDataPreProcessor', mean=[1., 2., 3.], std=[4., 5., 6.], pad_val=5,
         test_cfg=dict(size_divisor=32)),
    dict(type='mmseg.SegDataPreProcessor', mean=[1., 2., 3.], std=[4., 5., 6.], pad_val=5,
         test_cfg=dict(size=(64, 96))),
])
def test_padding_and_channels(settings, layout):
    init_default_scope(settings['type'].split('.')[0])
    module, image = MODELS.build(settings), noise(50, 70)
    samples = None
    planes = torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1)))
    if 'mmseg' in settings['type']:
        from mmseg.structures import SegDataSample
        samples = [SegDataSample()]
    data = dict(inputs=[planes], data_samples=samples)
    expected = module(data, False)['inputs']
    rule = Normalisation.of(module)
    assert rule.padded(image.shape) == tuple(expected.shape[2:])
    prepare = NetworkInput(rule, (50, 70), expected.shape, layout is torch.channels_last)
    assert torch.equal(prepare(image[::-1]).flip(2)[:, :, -50:], expected[:, :, :50])
    first = prepare(image)
    assert torch.equal(first, expected)
    assert prepare(image[:, ::-1]).data_ptr() == first.data_ptr(), 'memory is not reused'
    # A pipeline may hand on floats.
    assert torch.equal(prepare(image.astype(np.float32)), expected)


def test_an_unknown_preprocessor_is_refused():
    class Other(torch.nn.Module):
        pass

    with pytest.raises(UserError, match='Other is no data preprocessor'):
        Normalisation.of(Other())
