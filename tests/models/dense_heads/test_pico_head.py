"""What the heads inherit: losses in full precision under mixed precision, targets."""
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData


@pytest.mark.parametrize('generation', ['paper', 'legacy'])
def test_mixed_precision_keeps_coordinates(generation, monkeypatch):
    init_default_scope('mmdet')
    config = Config.fromfile(f'configs/_base_/models/picodet_{generation}.py')
    config.merge_from_dict(dict(model=dict(
        backbone=dict(scale=0.25), neck=dict(in_channels=[32, 64, 128], out_channels=32),
        bbox_head=dict(num_classes=4, in_channels=32, stacked_convs=2))))
    model = MODELS.build(config.model)
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
