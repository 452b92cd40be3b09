"""The MobileNetV3 rows of table 4: sizes, weight decay, one step of training."""
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from lcvision.complexity import count_params


def load(name):
    init_default_scope('mmdet')
    config = Config.fromfile(f'configs/detection/picodet_{name}.py')
    return config, MODELS.build(config.model)


def decays(config, model):
    """Weight decay of every parameter."""
    names = {parameter: name for name, parameter in model.named_parameters()}
    groups = build_optim_wrapper(model, config.optim_wrapper).optimizer.param_groups
    assert {group['lr'] for group in groups} == {0.3}
    return {names[parameter]: group['weight_decay'] for group in groups for parameter in group['params']}


@pytest.mark.parametrize('name, params, channels', [
    # Paddle counts three scalars more, which nothing uses.
    ('mobilenetv3_large_0_35x', 489_395 - 3, (16, 40, 56)),
    ('mobilenetv3_large_0_75x', None, (32, 88, 120)),
])
def test_detector(name, params, channels):
    config, model = load(name)
    assert model.backbone.out_channels == tuple(config.model.neck.in_channels) == channels
    assert model.backbone.out_strides == (8, 16, 32)
    assert params is None or count_params(model) == params
    model.init_weights()
    boxes = torch.tensor([[10., 10., 60., 80.], [30., 40., 120., 110.]])
    sample = DetDataSample(metainfo=dict(img_shape=(128, 128), scale_factor=(1., 1.), ori_shape=(128, 128)))
    sample.gt_instances = InstanceData(bboxes=boxes, labels=torch.tensor([0, 79]))
    images = torch.randn(1, 3, 128, 128)
    optim_wrapper = build_optim_wrapper(model, config.optim_wrapper)
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    losses = model.train().loss(images.repeat(2, 1, 1, 1), [sample, sample])
    total, _ = model.parse_losses(losses)
    assert total.isfinite()
    optim_wrapper.update_params(total)
    assert sum(not torch.equal(p, before[name]) for name, p in model.named_parameters()) > 0.9 * len(before)
    with torch.no_grad():
        (result,) = model.eval().predict(images, [sample])
    assert result.pred_instances.bboxes.shape[1] == 4


@pytest.mark.parametrize('name', ['mobilenetv3_large_0_35x', 'mobilenetv3_large_0_75x'])
def test_backbone_does_not_decay_and_the_rest_does(name):
    config, model = load(name)
    found = decays(config, model)
    assert len(found) == len(list(model.parameters()))
    norms = {n for n in found if '.bn.' in n}
    assert {found[n] for n in found if n.startswith('backbone.')} == {0.}
    assert {found[n] for n in norms} == {0.}
    assert {found[n] for n in found.keys() - norms if not n.startswith('backbone.')} == {1e-4}


def test_pplcnet_keeps_the_decay_of_its_convolutions():
    found = decays(*load('pplcnet_0_5x'))
    assert {value for name, value in found.items() if name.startswith('backbone.') and '.bn.' not in name} == {1e-4}
