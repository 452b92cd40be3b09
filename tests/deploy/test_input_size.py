import pytest
from mmengine.config import Config

from lcvision.deploy.input_size import find_input_size, parse_input_size
from lcvision.errors import UserError


def config(*steps, model=None, wrap=False):
    dataset = dict(type='CocoDataset', pipeline=list(steps))
    if wrap:
        dataset = dict(type='RepeatDataset', dataset=dataset)
    return Config(dict(model=model or {}, test_dataloader=dict(dataset=dataset)))


@pytest.mark.parametrize('text, size', [('416x416', (416, 416)), ('512x1024', (512, 1024)), (' 8X16 ', (8, 16))])
def test_parse(text, size):
    assert parse_input_size(text) == size


@pytest.mark.parametrize('text', ['416', '0x4', '-1x4', '4x4x4', 'axb', '', '1.5x2', '416,416'])
def test_parse_wrong(text):
    with pytest.raises(UserError, match='HEIGHTxWIDTH'):
        parse_input_size(text)


@pytest.mark.parametrize('steps, size', [
    ([dict(type='LoadImageFromFile'), dict(type='Resize', scale=(1024, 512))], (512, 1024)),
    ([dict(type='mmdet.Resize', scale=(416, 320), keep_ratio=False)], (320, 416)),
    ([dict(type='lcvision.Resize', scale=64)], (64, 64)),
    ([dict(type='ResizeEdge', scale=256), dict(type='CenterCrop', crop_size=224)], (224, 224)),
    ([dict(type='Resize', scale=(640, 480), keep_ratio=True), dict(type='Pad', size=(640, 640))], (640, 640)),
    ([dict(type='Pad', size_divisor=32), dict(type='Resize', scale=(96, 64))], (64, 96)),
])
def test_pipeline(steps, size):
    assert find_input_size(config(*steps)) == size
    assert find_input_size(config(*steps, wrap=True)) == size


def test_padding_of_the_preprocessor():
    model = dict(data_preprocessor=dict(pad_size_divisor=32))
    assert find_input_size(config(dict(type='Resize', scale=(1333, 800)), model=model)) == (800, 1344)


def test_sliding_window_is_what_the_network_sees():
    model = dict(test_cfg=dict(mode='slide', crop_size=(256, 512)))
    assert find_input_size(config(dict(type='Resize', scale=(2048, 1024)), model=model)) == (256, 512)


def test_other_places():
    pipeline = [dict(type='Resize', scale=(32, 64))]
    assert find_input_size(Config(dict(test_pipeline=pipeline))) == (64, 32)
    assert find_input_size(Config(dict(val_dataloader=dict(dataset=dict(pipeline=pipeline))))) == (64, 32)
    assert find_input_size(Config(dict(model=dict(data_preprocessor=dict(size=(24, 48)))))) == (24, 48)


def test_images_left_as_they_are_have_the_size_that_the_config_says():
    pipeline = [dict(type='lcvision.LoadImage')]
    cfg = Config(dict(image_size=(2048, 1000), test_dataloader=dict(dataset=dict(pipeline=pipeline)),
                      model=dict(data_preprocessor=dict(size_divisor=16))))
    assert find_input_size(cfg) == (1008, 2048)


def test_images_left_as_they_are_have_the_size_of_the_config():
    cfg = config(dict(type='LoadImageFromFile'))
    cfg.image_size = (2048, 1024)
    assert find_input_size(cfg) == (1024, 2048)
    cfg.model.data_preprocessor = dict(size=(64, 32))
    assert find_input_size(cfg) == (64, 32)
    resized = config(dict(type='Resize', scale=(96, 64)))
    resized.image_size = (2048, 1024)
    assert find_input_size(resized) == (64, 96)


def test_unknown_size_says_what_to_do():
    with pytest.raises(UserError, match='--input-size'):
        find_input_size(config(dict(type='LoadImageFromFile')))
