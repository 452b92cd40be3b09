"""What the parity tests of the three generations of PicoDet share: a small model, and what must equal the reference."""
import numpy as np
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from lcvision.models.dense_heads.pico_head import flatten_levels
from tests.fixture import Fixture, assert_close


def small_model(generation: str, **head) -> torch.nn.Module:
    """The model of the fixtures: PP-LCNet 0.25x, 32 channels, four classes."""
    init_default_scope('mmdet')
    config = Config.fromfile(f'configs/_base_/models/picodet_{generation}.py')
    config.merge_from_dict(dict(model=dict(
        backbone=dict(scale=0.25), neck=dict(in_channels=[32, 64, 128], out_channels=32),
        bbox_head=dict(num_classes=4, in_channels=32, **head))))
    return MODELS.build(config.model)


def head_maps(model, image):
    return model.bbox_head(model.neck(model.backbone(image)))


@torch.no_grad()
def assert_selection(model, fixture: Fixture, placed: bool = False) -> InstanceData:
    """Scores, boxes (``placed``: on the image as it was) and what is selected of them, which is returned."""
    head, maps = model.bbox_head, head_maps(model, fixture['infer/input'])
    scale = fixture['infer/scale_factor'][0]
    meta = dict(img_shape=tuple(fixture['infer/input'].shape[2:]), scale_factor=(scale[1], scale[0]))
    scores, boxes = head.scores(*maps), head.decode(flatten_levels(maps[1]), head.priors(maps[0]))
    assert_close(scores.transpose(1, 2), fixture['infer/scores'])
    if placed:
        boxes = torch.from_numpy(head.place(boxes[0].numpy(), meta, True))[None]
    assert (boxes - fixture['infer/boxes']).abs().max() < 5e-3
    result, = head.predict_by_feat(*maps, batch_img_metas=[meta], rescale=True)
    expected = fixture['infer/nms/dets']
    assert len(result) == len(expected)
    order = np.lexsort((expected[:, 0], -expected[:, 1]))
    assert torch.equal(result.labels.float(), expected[order, 0])
    assert_close(result.scores, expected[order, 1])
    assert (result.bboxes - expected[order, 2:]).abs().max() < 5e-3
    return result


def assert_losses(model, fixture: Fixture, ground_truths, prefix: str, dtype=torch.float32, rtol: float = 1e-5,
                  loss_cls: str = 'loss_vfl') -> torch.Tensor:
    """Each loss is the reference's; returns their sum."""
    maps = head_maps(model, fixture['train/input'].to(dtype))
    losses = model.bbox_head.loss_by_feat(*maps, ground_truths, [{}, {}])
    for ours, theirs in dict(loss_cls=loss_cls, loss_bbox='loss_bbox', loss_dfl='loss_dfl').items():
        torch.testing.assert_close(losses[ours].float(), fixture[f'{prefix}/{theirs}'], rtol=rtol, atol=0)
    return sum(losses.values())


def assert_gradients(model, fixture: Fixture, total: torch.Tensor, prefix: str, names: dict[str, str],
                     rtol: float) -> None:
    """The sum of the losses is the reference's; so are its gradients, but for ten times the tolerance."""
    torch.testing.assert_close(total.float(), fixture[f'{prefix}/loss'], rtol=rtol, atol=0)
    total.backward()
    parameters = dict(model.named_parameters())
    for ours, theirs in names.items():
        assert_close(parameters[ours].grad.float(), fixture[f'{prefix}/grad/{theirs}'], 10 * rtol)


def assert_images_without_objects_train(model, some: InstanceData, size: tuple[int, int]) -> None:
    """Two of them, then one of them beside an image with objects."""
    nothing = InstanceData(bboxes=torch.zeros(0, 4), labels=torch.zeros(0, dtype=torch.long))
    image = torch.randn(2, 3, *size)
    losses = model.bbox_head.loss_by_feat(*head_maps(model, image), [nothing, nothing], [{}, {}])
    assert losses['loss_bbox'] == losses['loss_dfl'] == 0 and losses['loss_cls'] > 0
    sum(losses.values()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    losses = model.bbox_head.loss_by_feat(*head_maps(model, image), [nothing, some], [{}, {}])
    assert all(loss > 0 and loss.isfinite() for loss in losses.values())
