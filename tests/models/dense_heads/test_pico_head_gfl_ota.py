"""Parity of the October 2021 PicoDet with PaddleDetection 666f597f, from pixels to losses and gradients."""
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

LOSSES = dict(loss_cls='loss_vfl', loss_bbox='loss_bbox', loss_dfl='loss_dfl')
GRADIENTS = {
    'backbone.stem.conv.weight': 'backbone.conv1.conv.weight',
    'neck.laterals.0.conv.weight': 'neck.conv_t.convs.0.conv.weight',
    'bbox_head.predictors.0.bias': 'head.head_cls0.bias',
    'bbox_head.predictors.2.weight': 'head.head_cls2.weight',
}


@pytest.fixture(scope='module')
def fixture():
    return Fixture('det_legacy_pplcnet_x0_25')


@pytest.fixture
def model(fixture):
    init_default_scope('mmdet')
    config = Config.fromfile('configs/_base_/models/picodet_legacy.py')
    config.merge_from_dict(dict(model=dict(
        backbone=dict(scale=0.25), neck=dict(in_channels=[32, 64, 128], out_channels=32),
        bbox_head=dict(num_classes=4, in_channels=32, stacked_convs=2))))
    model = MODELS.build(config.model)
    model.load_state_dict(convert(fixture.params, model))
    return model.eval()


@pytest.fixture
def ground_truths(fixture):
    return [InstanceData(bboxes=fixture[f'train/gt_bbox/{b}'], labels=fixture[f'train/gt_class/{b}'][:, 0].long())
            for b in range(2)]


def head_maps(model, image):
    return model.bbox_head(model.neck(model.backbone(image)))


@torch.no_grad()
def test_head_maps_equal_reference(model, fixture):
    scores, distances = head_maps(model, fixture['infer/input'])
    assert len(scores) == len(distances) == 4
    for level in range(4):
        assert_close(scores[level], fixture[f'infer/head/cls_logit/{level}'])
        assert_close(distances[level], fixture[f'infer/head/reg/{level}'])
    scores, distances = head_maps(model, fixture['train/input'])
    for level in range(4):
        assert_close(scores[level], fixture[f'train/bn_eval/head/cls_logit/{level}'])
        assert_close(distances[level][:, :, ::2, ::2], fixture[f'train/bn_eval/head/reg__sub2/{level}'])


@torch.no_grad()
def test_decoded_boxes_and_selection_equal_reference(model, fixture):
    head, maps = model.bbox_head, head_maps(model, fixture['infer/input'])
    scores, boxes = head.scores(*maps), head.decode(flatten_levels(maps[1]), head.priors(maps[0]))
    assert_close(scores.transpose(1, 2), fixture['infer/scores'])
    assert (boxes - fixture['infer/boxes']).abs().max() < 5e-3
    scale = fixture['infer/scale_factor'][0]
    meta = dict(img_shape=(96, 96), scale_factor=(scale[1], scale[0]))
    result, = head.predict_by_feat(*maps, batch_img_metas=[meta], rescale=True)
    expected = fixture['infer/nms/dets']
    assert len(result) == len(expected) == 100
    order = np.lexsort((expected[:, 0], -expected[:, 1]))
    assert torch.equal(result.labels.float(), expected[order, 0])
    assert_close(result.scores, expected[order, 1])
    assert (result.bboxes - expected[order, 2:]).abs().max() < 5e-3
    assert result.bboxes.min() < 0, 'boxes of this generation are not clipped'


@pytest.mark.parametrize('mode', ['bn_eval', 'bn_train'])
@torch.no_grad()
def test_assignment_of_own_predictions_equals_reference(model, fixture, ground_truths, mode):
    model.train(mode == 'bn_train')
    scores, distances = head_maps(model, fixture['train/input'])
    head = model.bbox_head
    labels, boxes, num_pos = head.targets(
        head.priors(scores), [], ground_truths, flatten_levels(scores), flatten_levels(distances))
    expected = fixture[f'train/{mode}/assign/labels']
    assert torch.equal(labels.view(2, -1), expected)
    assert torch.equal(boxes.view(2, -1, 4)[expected < 4],
                       fixture[f'train/{mode}/assign/bbox_targets'][expected < 4])
    assert num_pos == fixture[f'train/{mode}/assign/pos_num'].sum()


@pytest.mark.parametrize('mode', ['bn_eval', 'bn_train'])
def test_losses_and_gradients_equal_reference(model, fixture, ground_truths, mode):
    model.train(mode == 'bn_train')
    losses = model.bbox_head.loss_by_feat(*head_maps(model, fixture['train/input']), ground_truths, [{}, {}])
    for ours, theirs in LOSSES.items():
        torch.testing.assert_close(losses[ours], fixture[f'train/{mode}/{theirs}'], rtol=1e-4, atol=0)
    total = sum(losses.values())
    torch.testing.assert_close(total, fixture[f'train/{mode}/loss'], rtol=1e-4, atol=0)
    total.backward()
    parameters = dict(model.named_parameters())
    for ours, theirs in GRADIENTS.items():
        assert_close(parameters[ours].grad, fixture[f'train/{mode}/grad/{theirs}'], 1e-3)


def test_images_without_objects_train(model, ground_truths):
    nothing = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
    image = torch.randn(2, 3, 64, 64)
    losses = model.bbox_head.loss_by_feat(*head_maps(model, image), [nothing, nothing], [{}, {}])
    assert losses['loss_bbox'] == losses['loss_dfl'] == 0 and losses['loss_cls'] > 0
    sum(losses.values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    losses = model.bbox_head.loss_by_feat(*head_maps(model, image), [nothing, ground_truths[1]], [{}, {}])
    assert all(loss > 0 and loss.isfinite() for loss in losses.values())


# Millions, of the reference, which has one unused scalar a level: all, backbone, neck, head.
@pytest.mark.parametrize(('name', 'counts'), [
    ('1x', (1.831, 1.016, 0.435, 0.379)), ('1_5x', (3.108,)), ('2_5x', (7.085,))])
def test_parameter_counts_equal_reference(name, counts):
    model = MODELS.build(Config.fromfile(f'configs/detection/picodet_legacy_pplcnet_{name}.py').model)
    parts = (model, model.backbone, model.neck, model.bbox_head)[:len(counts)]
    unused = (4, 0, 0, 4)
    ours = [sum(p.numel() for p in part.parameters()) + extra for part, extra in zip(parts, unused, strict=False)]
    assert [round(count / 1e6, 3) for count in ours] == list(counts)


def test_parameter_count_of_fixture_is_exact(model):
    assert sum(p.numel() for p in model.parameters()) + 4 == 128_716
