"""Parity of the October 2021 PicoDet with PaddleDetection 666f597f, from pixels to losses and gradients."""
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config

from lcvision.models.dense_heads.pico_head import flatten_levels
from tests.fixture import assert_close
from tests.models.dense_heads import parity
from tests.models.dense_heads.parity import head_maps

FIXTURE, MODEL = 'det_legacy_pplcnet_x0_25', dict(generation='legacy', stacked_convs=2)
GRADIENTS = {
    'backbone.stem.conv.weight': 'backbone.conv1.conv.weight',
    'neck.laterals.0.conv.weight': 'neck.conv_t.convs.0.conv.weight',
    'bbox_head.predictors.0.bias': 'head.head_cls0.bias',
    'bbox_head.predictors.2.weight': 'head.head_cls2.weight',
}


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


def test_decoded_boxes_and_selection_equal_reference(model, fixture):
    result = parity.assert_selection(model, fixture)
    assert len(result) == 100
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
    total = parity.assert_losses(model, fixture, ground_truths, f'train/{mode}', rtol=1e-4)
    parity.assert_gradients(model, fixture, total, f'train/{mode}', GRADIENTS, rtol=1e-4)


def test_images_without_objects_train(model, ground_truths):
    parity.assert_images_without_objects_train(model, ground_truths[1], (64, 64))


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
