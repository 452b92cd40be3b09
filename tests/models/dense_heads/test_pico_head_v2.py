"""Parity of PicoDet v2 with PaddleDetection 666f597f, from pixels to losses and gradients, in both phases."""
import math

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.logging import MessageHub
from mmengine.registry import init_default_scope

from lcvision.models.dense_heads import pico_head_v2
from lcvision.models.dense_heads.pico_head import flatten_levels
from lcvision.models.dense_heads.pico_head_v2 import PicoSE
from tests.fixture import assert_close
from tests.models.dense_heads import parity
from tests.models.dense_heads.parity import head_maps

FIXTURE, MODEL = 'det_v2_pplcnet_x0_25', dict(generation='v2')
EPOCHS = dict(static=0, tal=100)
GRADIENTS = {
    'backbone.stem.conv.weight': 'backbone.conv1.conv.weight',
    'neck.laterals.0.conv.weight': 'neck.conv_t.convs.0.conv.weight',
    'bbox_head.predictors.0.bias': 'head.head_cls0.bias',
    'bbox_head.reg_predictors.0.weight': 'head.head_reg0.weight',
}


@pytest.fixture(autouse=True)
def at_epoch():
    hub = MessageHub.get_current_instance()
    yield lambda epoch: hub.update_info('epoch', epoch)
    hub.runtime_info.pop('epoch', None)


def targets(head, maps, ground_truths):
    """Label, target score and owner of every cell, as the fixtures store them."""
    priors, scores = head.priors(maps[0]), head.scores(*maps)
    boxes = head.decode(flatten_levels(maps[1]), priors)
    cells, labels, owned, quality = head.targets(priors, [m[0, 0].numel() for m in maps[0]], scores, boxes,
                                                 ground_truths)
    dense = torch.full((scores[..., 0].numel(),), 4), torch.zeros(scores[..., 0].numel()), torch.zeros_like(boxes)
    dense[0][cells], dense[1][cells], dense[2].view(-1, 4)[cells] = labels, quality, owned
    return dense[0].view(len(scores), -1), dense[1].view(len(scores), -1), dense[2]


@torch.no_grad()
def test_head_maps_equal_reference(model, fixture):
    maps = head_maps(model, fixture['infer/input'])
    for kind, name in zip(maps, ('cls_logit', 'reg', 'align_logit'), strict=True):
        assert len(kind) == 4
        for level in range(4):
            assert_close(kind[level], fixture[f'infer/head/{name}/{level}'])


@torch.no_grad()
def test_scores_and_boxes_in_training_equal_reference(model, fixture):
    head, maps = model.bbox_head, head_maps(model, fixture['train/input'])
    assert_close(head.scores(*maps), fixture['train/bn_eval/head/scores'])
    logits, priors = flatten_levels(maps[1]), head.priors(maps[0])
    assert_close(logits[:, ::7], fixture['train/bn_eval/head/reg__sub7'])
    assert_close(head.decode(logits, priors) / priors[:, 2:], fixture['train/bn_eval/head/boxes_over_stride'])


def test_decoded_boxes_and_selection_equal_reference(model, fixture):
    result = parity.assert_selection(model, fixture)
    assert len(result) == 100
    assert result.bboxes.min() < 0, 'boxes of this generation are not clipped'


@pytest.mark.parametrize('phase', EPOCHS)
@pytest.mark.parametrize('mode', ['bn_eval', 'bn_train'])
@torch.no_grad()
def test_targets_equal_reference(model, fixture, ground_truths, mode, phase, at_epoch):
    at_epoch(EPOCHS[phase])
    model.train(mode == 'bn_train')
    labels, quality, boxes = targets(model.bbox_head, head_maps(model, fixture['train/input']), ground_truths)
    prefix = f'train/{mode}/{phase}/assign'
    assert torch.equal(labels.int(), fixture[f'{prefix}/labels'])
    assert (quality - fixture[f'{prefix}/score_targets_max']).abs().max() < 3e-4
    assert torch.equal(boxes[labels < 4], fixture[f'{prefix}/bbox_targets'][labels < 4])


@pytest.mark.parametrize('phase', EPOCHS)
@pytest.mark.parametrize('mode', ['bn_eval', 'bn_train'])
def test_losses_and_gradients_equal_reference(model, fixture, ground_truths, mode, phase, at_epoch):
    # In double precision: a unit of the fixture lies within 3e-7 of a kink of its hard-swish, and which side single
    # precision puts it on moves the gradients by 2e-3.
    at_epoch(EPOCHS[phase])
    model.double().train(mode == 'bn_train')
    for gts in ground_truths:
        gts.bboxes = gts.bboxes.double()
    prefix = f'train/{mode}/{phase}'
    total = parity.assert_losses(model, fixture, ground_truths, prefix, torch.float64)
    parity.assert_gradients(model, fixture, total, prefix, GRADIENTS, rtol=1e-5)


@pytest.mark.parametrize('phase', EPOCHS)
def test_losses_in_single_precision(model, fixture, ground_truths, phase, at_epoch):
    at_epoch(EPOCHS[phase])
    parity.assert_losses(model, fixture, ground_truths, f'train/bn_eval/{phase}')


def test_phase_follows_the_epoch(model, fixture, ground_truths, at_epoch):
    maps = head_maps(model, fixture['train/input'])
    totals = [sum(model.bbox_head.loss_by_feat(*maps, ground_truths, [{}, {}]).values())]
    for epoch in (99, 100, 250):
        at_epoch(epoch)
        totals.append(sum(model.bbox_head.loss_by_feat(*maps, ground_truths, [{}, {}]).values()))
    assert totals[0] == totals[1] != totals[2] == totals[3]


@pytest.mark.parametrize('phase', EPOCHS)
def test_images_without_objects_train(model, ground_truths, phase, at_epoch):
    at_epoch(EPOCHS[phase])
    parity.assert_images_without_objects_train(model, ground_truths[1], (160, 192))


@pytest.mark.parametrize(('mean', 'divisor'), [(4.0, 4.0), (0.5, 1.0)])
def test_several_devices_share_the_average_which_is_at_least_one(model, fixture, ground_truths, monkeypatch, mean,
                                                                 divisor):
    maps = head_maps(model, fixture['train/input'])
    alone = model.bbox_head.loss_by_feat(*maps, ground_truths, [{}, {}])
    own = []
    monkeypatch.setattr(pico_head_v2, 'get_world_size', lambda: 2)
    monkeypatch.setattr(pico_head_v2, 'reduce_mean', lambda total: own.append(total) or torch.full_like(total, mean))
    shared = model.bbox_head.loss_by_feat(*maps, ground_truths, [{}, {}])
    for name, loss in alone.items():
        torch.testing.assert_close(shared[name], loss * own[0] / divisor)


def test_saturated_scores_give_finite_gradients(model, ground_truths):
    maps = [[torch.full((2, channels, *size), 60.).requires_grad_() for size in ((8, 8), (4, 4), (2, 2), (1, 1))]
            for channels in (4, 32, 1)]
    losses = model.bbox_head.loss_by_feat(*maps, ground_truths, [{}, {}])
    sum(losses.values()).backward()
    assert all(loss.isfinite() for loss in losses.values())
    assert all(m.grad.isfinite().all() for kind in maps for m in kind)


@pytest.mark.parametrize('phase', EPOCHS)
def test_mixed_precision_computes_targets_and_losses_in_full(model, fixture, ground_truths, phase, at_epoch):
    at_epoch(EPOCHS[phase])
    samples = []
    for gts in ground_truths:
        samples.append(DetDataSample(metainfo=dict(img_shape=(160, 192))))
        samples[-1].gt_instances = gts
    full = model.loss(fixture['train/input'], samples)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed = model.loss(fixture['train/input'], samples)
    for name, loss in mixed.items():
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, full[name], rtol=0.05, atol=0)


def test_initialises_as_reference():
    model = parity.small_model(**MODEL)
    model.init_weights()
    head = model.bbox_head
    for level in range(4):
        assert torch.allclose(head.predictors[level].bias, torch.tensor(-math.log(99)))
        assert not head.reg_predictors[level].bias.any() and not head.se[level].fc.bias.any()
        assert 0.0008 < head.se[level].fc.weight.std() < 0.0012
        for conv in (head.predictors[level], head.towers[level][1].pw.conv, head.se[level].conv.conv):
            assert 0.007 < conv.weight.std() < 0.013
        dense = head.cls_align[level].dw.conv.weight
        bound = (6 / dense[0].numel()) ** 0.5
        assert dense.shape == (1, 32, 5, 5) and 0.98 * bound < dense.abs().max() <= bound


# Of the reference at 80 classes, in millions, running statistics not counted; it has one unused scalar a level.
@pytest.mark.parametrize(('size', 'millions'), [('xs', 0.704), ('s', 1.186), ('m', 3.465), ('l', 5.805)])
def test_parameter_counts_equal_reference(size, millions):
    init_default_scope('mmdet')
    model = MODELS.build(Config.fromfile(f'configs/detection/picodet_v2_{size}_320.py').model)
    assert round((sum(p.numel() for p in model.parameters()) + 4) / 1e6, 3) == millions


def test_exact_counts_of_the_reference_run_and_the_fixture(model):
    trained = MODELS.build(Config.fromfile('configs/detection/picodet_v2_s_bccd_reference.py').model)
    assert sum(p.numel() for p in trained.parameters()) + 4 == 1_156_620
    assert sum(b.numel() for name, b in trained.named_buffers() if 'running' in name) == 19_568
    assert sum(p.numel() for p in model.parameters()) + 4 == 162_848


def test_gates_by_the_mean_and_mixes():
    se = PicoSE(3, norm_cfg=dict(type='BN'), act_cfg=dict(type='ReLU')).eval()
    torch.nn.init.zeros_(se.fc.weight)
    se.fc.bias.data = torch.tensor([0., 100., -100.])
    se.conv.conv.weight.data = torch.eye(3)[:, :, None, None]
    x = torch.rand(2, 3, 4, 5)
    expected = x * torch.tensor([0.5, 1., 0.])[:, None, None] / (1 + se.conv.bn.eps) ** 0.5
    torch.testing.assert_close(se(x), expected)


def test_gate_sees_the_whole_map():
    se = PicoSE(4, norm_cfg=dict(type='BN'), act_cfg=dict(type='HSwish')).eval()
    x = torch.rand(1, 4, 6, 6)
    changed = x.clone()
    changed[..., 5, 5] += 10
    assert not torch.allclose(se(x)[..., 0, 0], se(changed)[..., 0, 0])
