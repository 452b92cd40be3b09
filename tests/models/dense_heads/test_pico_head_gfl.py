"""Parity of the paper's PicoDet with PaddleDetection b1186bc822, from pixels to losses and gradients."""
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config

from tests.fixture import assert_close
from tests.models.dense_heads import parity

FIXTURE, MODEL = 'det_paper_pplcnet_x0_25', dict(generation='paper')
GRADIENTS = {
    'neck.laterals.0.weight': 'neck.pan_lateral0.weight',
    'bbox_head.predictors.0.bias': 'head.head_cls0.bias',
    'bbox_head.predictors.2.weight': 'head.head_cls2.weight',
}


@torch.no_grad()
def test_forward_equals_reference(model, fixture):
    feats = model.backbone(fixture['infer/input'])
    maps = model.neck(feats)
    scores, distances = model.bbox_head(maps)
    for level in range(3):
        assert_close(feats[level], fixture[f'infer/backbone/{level}'])
        assert_close(maps[level], fixture[f'infer/neck/{level}'])
        assert_close(scores[level], fixture[f'infer/head/cls_logit/{level}'])
        assert_close(distances[level], fixture[f'infer/head/reg/{level}'])


def test_decoded_boxes_and_selection_equal_reference(model, fixture):
    parity.assert_selection(model, fixture, placed=True)


def test_assignment_equals_reference(model, fixture, ground_truths):
    sizes = [(16, 20), (8, 10), (4, 5)]
    priors = model.bbox_head.priors([torch.zeros(1, 1, *size) for size in sizes])
    labels, boxes, num_pos = model.bbox_head.targets(priors, [h * w for h, w in sizes], ground_truths)
    assert torch.equal(labels.view(2, -1), fixture['train/assign/labels'])
    assert torch.equal(boxes.view(2, -1, 4)[labels.view(2, -1) < 4],
                       fixture['train/assign/bbox_targets'][labels.view(2, -1) < 4])
    assert num_pos == fixture['train/assign/pos_num'].sum()


@pytest.mark.parametrize('mode', ['bn_eval', 'bn_train'])
def test_losses_and_gradients_equal_reference(model, fixture, ground_truths, mode):
    model.train(mode == 'bn_train')
    total = parity.assert_losses(model, fixture, ground_truths, f'train/{mode}', rtol=1e-4, loss_cls='loss_qfl')
    parity.assert_gradients(model, fixture, total, f'train/{mode}', GRADIENTS, rtol=1e-4)


def test_images_without_objects_train(model, ground_truths):
    parity.assert_images_without_objects_train(model, ground_truths[1], (64, 64))


def test_parameter_count_equals_reference():
    """PicoDet with PP-LCNet 1x and 0.5x at 96 channels and 80 classes, less the reference's three unused scalars."""
    for name, count in (('1x', 1_207_059), ('0_5x', 418_787)):
        model = MODELS.build(Config.fromfile(f'configs/detection/picodet_pplcnet_{name}.py').model)
        assert sum(p.numel() for p in model.parameters()) == count - 3
