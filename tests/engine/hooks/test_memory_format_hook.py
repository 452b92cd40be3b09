import logging
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import MessageHub
from mmengine.registry import MODELS, init_default_scope

from lcvision.deploy.network import raw_network
from lcvision.engine.hooks.memory_format_hook import MemoryFormatHook, step_seconds
from lcvision.engine.optim import BF16OptimWrapper


def two_stage():
    init_default_scope('mmdet')
    norm, anchors = dict(type='BN'), dict(type='AnchorGenerator', scales=[8], ratios=[1.], strides=[8, 16])
    coder = dict(type='DeltaXYWHBBoxCoder')
    return MODELS.build(ConfigDict(
        type='FasterRCNN', backbone=dict(type='lcvision.PPLCNet', scale=0.25, out_indices=(1, 2)),
        neck=dict(type='FPN', in_channels=[32, 64], out_channels=16, num_outs=2, norm_cfg=norm),
        rpn_head=dict(type='RPNHead', in_channels=16, feat_channels=16, anchor_generator=anchors, bbox_coder=coder),
        roi_head=dict(
            type='StandardRoIHead',
            bbox_roi_extractor=dict(type='SingleRoIExtractor', featmap_strides=[8, 16], out_channels=16,
                                    roi_layer=dict(type='RoIAlign', output_size=7, sampling_ratio=0)),
            bbox_head=dict(type='Shared2FCBBoxHead', in_channels=16, fc_out_channels=16, num_classes=3,
                           bbox_coder=coder)),
        train_cfg=None,
        test_cfg=dict(rpn=dict(nms_pre=10, max_per_img=10, min_bbox_size=0, nms=dict(type='nms', iou_threshold=0.7)),
                      rcnn=dict(score_thr=0.05, nms=dict(type='nms', iou_threshold=0.5), max_per_img=10))))


def test_a_two_stage_detector_is_measured():
    model = two_stage()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert set(step_seconds(model)) == {'contiguous', 'channels_last', 'channels_last_split'}
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="memory_format='nhwc' must be one of auto, contiguous, channels_last, "
                                         "channels_last_split"):
        MemoryFormatHook('nhwc')


def test_the_fastest_format_is_taken_and_kept(monkeypatch):
    init_default_scope('mmpretrain')
    model = MODELS.build(ConfigDict(
        type='ImageClassifier', backbone=dict(type='lcvision.PPLCNet', scale=0.25),
        neck=dict(type='GlobalAveragePooling'), head=dict(type='LinearClsHead', num_classes=3, in_channels=128)))
    seen, infos = [], {}
    monkeypatch.setattr('lcvision.engine.hooks.memory_format_hook.step_seconds', lambda model, bfloat16: seen.append(
        bfloat16) or dict(contiguous=4., channels_last=3., channels_last_split=2.))
    optim = BF16OptimWrapper(torch.optim.SGD(model.parameters(), 0.1))
    runner = SimpleNamespace(model=model, optim_wrapper=optim, logger=logging.getLogger(), message_hub=SimpleNamespace(
        get_info=infos.get, update_info=infos.__setitem__))
    hook = MemoryFormatHook()
    hook.before_train(runner)
    assert hook.chosen == ('channels_last_split (forward and backward pass: contiguous 1.00, channels_last 0.75, '
                           'channels_last_split 0.50)')
    assert seen == [True] and infos == {'memory_format': 'channels_last_split'}
    assert sum('_conv_forward' in vars(module) for module in model.modules()) == 27
    network = raw_network(model, (64, 64))
    assert not any({'_conv_forward', 'forward'} & set(vars(module)) for module in network.modules())
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_a_resumed_run_keeps_what_was_measured(monkeypatch):
    hub, model = MessageHub('memory format'), torch.nn.Sequential()
    model.backbone = torch.nn.Conv2d(3, 1, 1)
    runner = SimpleNamespace(model=model, message_hub=hub, logger=logging.getLogger(), optim_wrapper=None)
    for ratio, reason in ((0.5, 'forward and backward pass: contiguous 1.00, channels_last 0.50'), (2., 'as before')):
        monkeypatch.setattr('lcvision.engine.hooks.memory_format_hook.step_seconds',
                            lambda *_, r=ratio: dict(contiguous=1., channels_last=r))
        hook = MemoryFormatHook()
        hook.before_train(runner)
        assert hook.chosen == f'channels_last ({reason})'


def test_a_map_that_was_one_pixel_is_converted_again():
    model = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1), torch.nn.Upsample(size=8), torch.nn.Conv2d(3, 4, 1))
    seen = []
    MemoryFormatHook('channels_last').before_train(SimpleNamespace(model=model, logger=logging.getLogger()))
    model[2].register_forward_hook(lambda _, args, output: seen.extend((args[0], output)))
    model(torch.randn(2, 3, 8, 8))
    assert all(x.is_contiguous(memory_format=torch.channels_last) for x in seen) and len(seen) == 2
