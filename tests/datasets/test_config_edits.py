"""Numbers of classes, and lists with a number for each class, anywhere in a model's config; sizes in pipelines."""
import pytest
from mmengine.config import ConfigDict

from lcvision.datasets.sources.config_edits import fit_sizes, set_num_classes
from lcvision.errors import UserError


def model(**loss):
    return ConfigDict(
        decode_head=[dict(num_classes=3, in_channels=[8, 16, 32], loss_decode=[dict(type='A', **loss), dict(type='B')]),
                     dict(num_classes=3, sampler=dict(class_weight=[1., 2., 3.]), loss_decode=dict(type='A', **loss))],
        auxiliary_head=dict(num_classes=3, loss_decode=dict(type='A', **loss)), class_weight=None)


@pytest.mark.parametrize('given, expected', [
    ([1., 2., 3.], [1.] * 5), ([.5] * 3, [.5] * 5), ([2., 2., 2., .1], [2.] * 5 + [.1]), (.25, .25), (None, None)])
@pytest.mark.parametrize('key', ['class_weight', 'alpha', 'pos_weight'])
def test_class_weights_follow_the_number_of_classes(key, given, expected):
    cfg = model(**{key: given})
    set_num_classes(cfg, 5)
    losses = [cfg.decode_head[0].loss_decode[0], cfg.decode_head[1].loss_decode, cfg.auxiliary_head.loss_decode]
    assert [loss[key] for loss in losses] == [expected] * 3
    assert cfg.decode_head[1].sampler.class_weight == [1.] * 5 and cfg.decode_head[0].in_channels == [8, 16, 32]
    assert [head.num_classes for head in (*cfg.decode_head, cfg.auxiliary_head)] == [5] * 3


def test_weights_of_as_many_classes_are_kept_if_they_are_the_same():
    for other in (False, True):
        cfg = model(class_weight=[1., 2., 3.])
        set_num_classes(cfg, 3, other)
        assert cfg.auxiliary_head.loss_decode.class_weight == ([1.] * 3 if other else [1., 2., 3.])


# Twice as wide, three times as high.
BEFORE, NOW = (400, 100), (800, 300)


@pytest.mark.parametrize('step, expected', [
    (dict(type='Resize', scale=(200, 100), keep_ratio=True), dict(scale=(400, 300))),
    (dict(type='mmseg.Resize', scale=[200, 100]), dict(scale=(400, 300))),
    (dict(type='Resize', scale=200), dict(scale=600)),
    (dict(type='Resize', scale=(-1, 100)), dict(scale=(-1, 300))),
    (dict(type='Resize', scale_factor=0.5), dict(scale_factor=0.5)),
    (dict(type='RandomResize', scale=(400, 100), ratio_range=(0.5, 2.)), dict(scale=(800, 300), ratio_range=(0.5, 2.))),
    (dict(type='RandomResize', scale=[(400, 100), (40, 10)]), dict(scale=[(800, 300), (80, 30)])),
    (dict(type='RandomChoiceResize', scales=[10, 20]), dict(scales=[30, 60])),
    (dict(type='RandomChoiceResize', scales=[(400, 100)]), dict(scales=[(800, 300)])),
    (dict(type='ResizeShortestEdge', scale=[10, 20], max_size=40), dict(scale=(20, 60), max_size=120)),
    (dict(type='RandomMosaic', img_scale=(100, 400)), dict(img_scale=(300, 800))),
    (dict(type='RandomCrop', crop_size=(400, 400)), dict(crop_size=(300, 400))),
    (dict(type='RandomCrop', crop_size=400), dict(crop_size=300)),
    (dict(type='CenterCrop', crop_size=(400, 400)), dict(crop_size=(400, 300))),
    (dict(type='Pad', size=(900, 200), pad_val=dict(img=1, seg=255)), dict(size=(800, 200))),
    (dict(type='Pad', size_divisor=32), dict(size_divisor=32)),
    (dict(type='RandomCutOut', cutout_shape=(8, 8)), dict(cutout_shape=(8, 8))),
    (dict(type='SegDataPreProcessor', size=(400, 400), test_cfg=dict(size=(900, 9))),
     dict(size=(300, 400), test_cfg=dict(size=(300, 9)))),
])
def test_scales_grow_with_the_images_and_windows_lie_in_them(step, expected):
    step = ConfigDict(step)
    fit_sizes([step], BEFORE, NOW)
    assert {key: step[key] for key in expected} == expected


def test_steps_within_steps():
    padding = dict(type='RandomApply', transforms=[dict(type='Pad', size=(900, 9))])
    pipeline = [ConfigDict(type='RandomChoice', transforms=[[dict(type='Resize', scale=(400, 100))], [padding]])]
    fit_sizes(pipeline, BEFORE, NOW)
    first, second = pipeline[0].transforms
    assert first[0].scale == (800, 300) and second[0].transforms[0].size == (800, 9)


@pytest.mark.parametrize('step, before', [(dict(type='Other', size=(9, 9)), BEFORE),
                                          (dict(type='Albu', transforms=[dict(type='Crop', height=9)]), BEFORE),
                                          (dict(type='Resize', scale=(9, 9)), None)])
def test_what_cannot_be_known_is_refused(step, before):
    with pytest.raises(UserError, match='in pixels') as error:
        fit_sizes([ConfigDict(step)], before, NOW)
    assert '800x300' in str(error.value) and 'image_size' in str(error.value) and '\n' not in str(error.value)
    # That the step fits these images can be said.
    fit_sizes([ConfigDict(step)], NOW, NOW)
