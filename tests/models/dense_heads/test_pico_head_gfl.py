"""Parity of the paper's PicoDet with PaddleDetection b1186bc822, from pixels to losses and gradients."""
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from lcvision.models.dense_heads.pico_head import flatten_levels
from lcvision.weights.from_paddle import convert
from tests.fixture import Fixture, assert_close

LOSSES = dict(loss_cls='loss_qfl', loss_bbox='loss_bbox', loss_dfl='loss_dfl')
GRADIENTS = {
    'neck.laterals.0.weight': 'neck.pan_lateral0.weight',
    'bbox_head.predictors.0.bias': 'head.head_cls0.bias',
    'bbox_head.predictors.2.weight': 'head.head_cls2.weight',
}


@pytest.fixture(scope='module')
def fixture():
    return Fixture('det_paper_pplcnet_x0_25')


@pytest.fixture
def model(fixture):
    init_default_scope('mmdet')
    config = Config.fromfile('configs/_base_/models/picodet_paper.py')
    config.merge_from_dict(dict(model=dict(
        backbone=dict(scale=0.25), neck=dict(in_channels=[32, 64, 128], out_channels=32),
        bbox_head=dict(num_classes=4, in_channels=32))))
    model = MODELS.build(config.model)
    model.load_state_dict(convert(fixture.params, model))
    return model.eval()


@pytest.fixture
def ground_truths(fixture):
    return [InstanceData(bboxes=fixture[f'train/gt_bbox/{b}'], labels=fixture[f'train/gt_class/{b}'][:, 0].long())
            for b in range(2)]


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


@torch.no_grad()
def test_decoded_boxes_and_selection_equal_reference(model, fixture):
    head = model.bbox_head
    maps = head(model.neck(model.backbone(fixture['infer/input'])))
    scale = fixture['infer/scale_factor'][0]
    meta = dict(img_shape=tuple(fixture['infer/im_shape'][0].int().tolist()), scale_factor=(scale[1], scale[0]))
    scores, boxes = head.scores(*maps), head.decode(flatten_levels(maps[1]), head.priors(maps[0]))
    assert_close(scores.transpose(1, 2), fixture['infer/scores'])
    assert np.abs(head.place(boxes[0].numpy(), meta, True) - fixture['infer/boxes'][0].numpy()).max() < 5e-3
    result, = head.predict_by_feat(*maps, batch_img_metas=[meta], rescale=True)
    expected = fixture['infer/nms/dets']
    assert len(result) == len(expected)
    order = np.lexsort((expected[:, 0], -expected[:, 1]))
    assert torch.equal(result.labels.float(), expected[order, 0])
    assert_close(result.scores, expected[order, 1])
    assert (result.bboxes - expected[order, 2:]).abs().max() < 5e-3


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
    image = fixture['train/input']
    maps = model.bbox_head(model.neck(model.backbone(image)))
    losses = model.bbox_head.loss_by_feat(*maps, ground_truths, [{}, {}])
    for ours, theirs in LOSSES.items():
        torch.testing.assert_close(losses[ours], fixture[f'train/{mode}/{theirs}'], rtol=1e-4, atol=0)
    total = sum(losses.values())
    torch.testing.assert_close(total, fixture[f'train/{mode}/loss'], rtol=1e-4, atol=0)
    total.backward()
    parameters = dict(model.named_parameters())
    for ours, theirs in GRADIENTS.items():
        assert_close(parameters[ours].grad, fixture[f'train/{mode}/grad/{theirs}'], 1e-3)


def test_images_without_objects_train(model):
    maps = model.bbox_head(model.neck(model.backbone(torch.randn(2, 3, 64, 64))))
    nothing = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
    losses = model.bbox_head.loss_by_feat(*maps, [nothing, nothing], [{}, {}])
    assert losses['loss_bbox'] == losses['loss_dfl'] == 0 and losses['loss_cls'] > 0
    sum(losses.values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())


def test_parameter_count_equals_reference():
    """PicoDet with PP-LCNet 1x and 0.5x at 96 channels and 80 classes, less the reference's three unused scalars."""
    for name, count in (('1x', 1_207_059), ('0_5x', 418_787)):
        model = MODELS.build(Config.fromfile(f'configs/detection/picodet_pplcnet_{name}.py').model)
        assert sum(p.numel() for p in model.parameters()) == count - 3
