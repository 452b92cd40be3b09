"""ShuffleNetV2 against torchvision, PaddleClas' widths, and dilation behind a pooling."""
import pytest
import torch
import torchvision
from torch import nn

from lcvision.models import ShuffleNetV2
from tests.fixture import assert_close


@pytest.mark.parametrize('scale, name', [(0.5, 'x0_5'), (1.0, 'x1_0')])
@torch.no_grad()
def test_forward_equals_torchvision(scale, name):
    reference = getattr(torchvision.models, f'shufflenet_v2_{name}')().eval()
    for norm in (m for m in reference.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.uniform_(norm.running_var, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.5, 0.5)
    model = ShuffleNetV2(scale).eval()
    layers = nn.Sequential(reference.conv1, reference.stage2, reference.stage3, reference.stage4)
    model.load_state_dict(dict(zip(model.state_dict(), layers.state_dict().values(), strict=True)))
    image = torch.randn(2, 3, 65, 96)
    maps = [reference.maxpool(reference.conv1(image))]
    for stage in (reference.stage2, reference.stage3, reference.stage4):
        maps.append(stage(maps[-1]))
    for ours, theirs in zip(model(image), maps, strict=True):
        assert_close(ours, theirs, 1e-5)


# Millions of parameters, running statistics included, in PaddleClas' table (2x: 7.40 there, between the 7.39 without
# statistics and the 7.43 with them); the head has 512, 1024 or 2048 channels.
@pytest.mark.parametrize('scale, widths, head, millions', [
    (0.25, (24, 48, 96), 512, 0.61), (0.33, (32, 64, 128), 512, 0.65), (0.5, (48, 96, 192), 1024, 1.37),
    (1, (116, 232, 464), 1024, 2.29), (1.5, (176, 352, 704), 1024, 3.53), (2.0, (244, 488, 976), 2048, 7.43)])
def test_widths_and_parameters_are_paddleclas(scale, widths, head, millions):
    model = ShuffleNetV2(scale)
    assert model.out_channels == (24, *widths)
    own = sum(value.numel() for name, value in model.state_dict().items() if not name.endswith('num_batches_tracked'))
    assert (own + (widths[-1] + 4) * head + (head + 1) * 1000) / 1e6 == pytest.approx(millions, abs=0.0051)


@pytest.mark.parametrize('output_stride', [8, 16])
@torch.no_grad()
def test_dilation_begins_where_the_pooling_lets_it(output_stride):
    """The pooling has stride 2 without being a convolution: the walk has to count it."""
    model = ShuffleNetV2(0.33, output_stride=output_stride).eval()
    assert model.out_strides == (4, 8, min(16, output_stride), output_stride)
    assert model.stages[0].stride == 2
    rates = [max(m.dilation[0] for m in stage.modules() if isinstance(m, nn.Conv2d)) for stage in model.stages[1:]]
    assert rates == {8: [1, 2, 4], 16: [1, 1, 2]}[output_stride]
    size = 64 // output_stride
    assert model(torch.randn(1, 3, 64, 64))[-1].shape[-2:] == (size, size)


@torch.no_grad()
def test_dilated_network_sees_what_the_strided_one_sees():
    """Every second value of a dilated map is the strided network's where no border is near: dilation is no blur."""
    plain, dense = ShuffleNetV2(0.33).eval(), ShuffleNetV2(0.33, output_stride=16).eval()
    for norm in (m for m in plain.modules() if isinstance(m, nn.BatchNorm2d)):
        nn.init.uniform_(norm.running_var, 0.5, 1.5)
    dense.load_state_dict(plain.state_dict())
    image = torch.randn(1, 3, 160, 160)
    assert_close(dense(image)[-1][..., ::2, ::2], plain(image)[-1], 1e-5)


def test_wrong_scale_is_explained():
    with pytest.raises(ValueError, match=r'ShuffleNetV2: scale=0.75 must be one of 0.25, 0.33, 0.5, 1.0, 1.5, 2.0'):
        ShuffleNetV2(0.75)
