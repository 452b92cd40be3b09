"""What the heads inherit: losses in full precision under mixed precision, targets."""
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from lcvision.class_nms import class_nms
from lcvision.models.dense_heads.pico_head import flatten_levels
from tests.models.dense_heads.parity import small_model


@pytest.mark.parametrize('generation', ['paper', 'legacy'])
def test_mixed_precision_keeps_coordinates(generation, monkeypatch):
    model = small_model(generation, stacked_convs=2)
    sample = DetDataSample(metainfo=dict(img_shape=(320, 320), batch_input_shape=(320, 320)))
    sample.gt_instances = InstanceData(
        bboxes=torch.tensor([[257.3, 201.1, 301.7, 280.9], [10., 20., 90., 70.]]), labels=torch.tensor([1, 3]))
    image, seen, gather = torch.randn(1, 3, 320, 320), [], model.bbox_head.gather_targets
    monkeypatch.setattr(model.bbox_head, 'gather_targets', lambda *args: seen.append(gather(*args)) or seen[-1])
    full = model.loss(image, [sample])
    with torch.autocast('cpu', dtype=torch.bfloat16):
        mixed = model.loss(image, [sample])
    boxes = seen[1][1][seen[1][0] < 4]
    assert (boxes[:, None] == sample.gt_instances.bboxes).all(-1).any(1).all(), 'targets were rounded'
    for name, loss in mixed.items():
        assert loss.dtype == torch.float32
        torch.testing.assert_close(loss, full[name], rtol=0.2, atol=0)
    sum(mixed.values()).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_gathered_targets():
    init_default_scope('mmdet')
    head = MODELS.build(dict(type='lcvision.PicoHeadOTA', num_classes=7, in_channels=8, stacked_convs=1))
    gts = [InstanceData(bboxes=torch.tensor([[0., 0., 4., 4.], [1., 2., 3., 4.]]), labels=torch.tensor([5, 6])),
           InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))]
    labels, boxes, num_pos = head.gather_targets([torch.tensor([2, 0, 2]), torch.tensor([0, 0, 0])], gts)
    assert labels.tolist() == [6, 7, 6, 7, 7, 7]
    assert boxes.tolist() == [[1, 2, 3, 4], [0] * 4, [1, 2, 3, 4], *3 * [[0] * 4]]
    assert num_pos == 2 + 1


@torch.no_grad()
@pytest.mark.parametrize('layout', [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize('score_thr, nms_pre', [(0.3, -1), (0.3, 40), (0.3, 1000), (0.0, 25), (1.0, -1)])
@pytest.mark.parametrize('kind', ['PicoHeadGFL', 'PicoHeadOTA', 'PicoHeadV2'])
def test_prediction_equals_decoding_every_cell(kind, score_thr, nms_pre, layout):
    init_default_scope('mmdet')
    head = MODELS.build(dict(type=f'lcvision.{kind}', num_classes=6, in_channels=8, stacked_convs=1, strides=[8, 16],
                             test_cfg=dict(score_thr=score_thr, nms=dict(iou_threshold=0.5), nms_pre=nms_pre,
                                           max_per_img=60)))
    sizes = [(12, 10), (6, 5)]
    channels = (6, 32, 1) if kind == 'PicoHeadV2' else (6, 32)
    maps = [[(torch.randn(2, c, *size) * 2 - float(c == 6)).contiguous(memory_format=layout) for size in sizes]
            for c in channels]
    metas = [dict(img_shape=(96, 80), scale_factor=factor) for factor in ((0.5, 0.25), (2., 2.))]
    results = head.predict_by_feat(*maps, batch_img_metas=metas, rescale=True)
    scores, priors = head.scores(*maps), head.priors(maps[0])
    boxes = head.decode(flatten_levels(maps[1]), priors)
    for result, score, box, meta in zip(results, scores, boxes, metas, strict=True):
        best, kept, start = score.amax(1), [], 0
        for height, width in sizes:
            level = best[start:start + height * width]
            kept.append(level.argsort(descending=True)[:nms_pre if nms_pre >= 0 else None].sort().values + start)
            start += height * width
        cells = torch.cat(kept)
        cell, label = (score[cells] > score_thr).nonzero(as_tuple=True)
        box, score = torch.from_numpy(head.place(box[cells[cell]].numpy(), meta, True)), score[cells[cell], label]
        order = torch.from_numpy(class_nms(box.numpy(), score.numpy(), label.numpy(), 0.5, 1000, 60))
        assert torch.equal(result.labels, label[order])
        torch.testing.assert_close(result.scores, score[order])
        torch.testing.assert_close(result.bboxes, box[order], atol=1e-4, rtol=1e-5)
        assert result.bboxes.shape[1] == 4 and (len(result) > 5) == (score_thr < 1)


@pytest.mark.parametrize('as_list', [False, True])
@pytest.mark.parametrize('kind', ['PicoHeadGFL', 'PicoHeadOTA', 'PicoHeadV2'])
def test_weights_read_from_a_file_stay(kind, as_list, tmp_path):
    init_default_scope('mmdet')
    settings = dict(type=f'lcvision.{kind}', num_classes=6, in_channels=8, stacked_convs=1)
    source = MODELS.build(settings)
    for parameter in source.parameters():
        torch.nn.init.uniform_(parameter, 0.5, 1.5)
    torch.save(source.state_dict(), tmp_path / 'head.pth')
    init_cfg = dict(type='Pretrained', checkpoint=str(tmp_path / 'head.pth'))
    head = MODELS.build({**settings, 'init_cfg': [init_cfg] if as_list else init_cfg})
    head.init_weights()
    assert all(torch.equal(value, source.state_dict()[name]) for name, value in head.state_dict().items())
    # A second call changes nothing either, whatever happened in between.
    other = MODELS.build(settings)
    other.init_weights()
    assert all(predictor.bias[0].item() == pytest.approx(-4.59512) for predictor in other.predictors)
    other.load_state_dict(source.state_dict())
    other.init_weights()
    assert all(torch.equal(value, source.state_dict()[name]) for name, value in other.state_dict().items())


@pytest.mark.parametrize('nms', [dict(type='soft_nms', iou_threshold=0.6), dict(type='nms', iou_thr=0.5),
                                 dict(type='nms', iou_threshold=0.6, class_agnostic=True), {}])
def test_suppression_that_is_not_there_is_refused(nms):
    init_default_scope('mmdet')
    settings = dict(type='lcvision.PicoHeadOTA', num_classes=6, in_channels=8, stacked_convs=1, strides=[8])
    with pytest.raises(ValueError, match=r"test_cfg\.nms=.*give dict\(type='nms', iou_threshold=NUMBER\)"):
        MODELS.build(dict(settings, test_cfg=dict(score_thr=0.1, nms=nms, max_per_img=9)))
    maps = [[torch.zeros(1, channels, 2, 2)] for channels in (6, 32)]
    with pytest.raises(ValueError, match='iou_threshold=NUMBER'):
        MODELS.build(settings).predict_by_feat(*maps, batch_img_metas=[{}],
                                               cfg=dict(score_thr=0.1, nms=nms, max_per_img=9))
