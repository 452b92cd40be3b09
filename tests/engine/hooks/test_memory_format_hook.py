import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.registry import MODELS, init_default_scope

from lcvision.engine.hooks.memory_format_hook import MemoryFormatHook, channels_last_ratio


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
    assert channels_last_ratio(model) > 0
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_an_unknown_format_is_refused():
    with pytest.raises(ValueError, match="memory_format='nhwc' must be one of auto, channels_last, contiguous"):
        MemoryFormatHook('nhwc')
