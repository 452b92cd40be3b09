"""What every backbone promises (lcvision.models.backbones.base), checked on all of them."""
import copy
import itertools
import math
import re

import pytest
import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from lcvision.models.backbones.base import Backbone
from lcvision.registry import MODELS

# One line for each backbone: its type and the arguments that make it small.
CASES = [
    ('EfficientNetELite', dict(width=0.25, depth=0.5)),
    ('EfficientNetELite', dict(hardware_friendly=True, width=0.514, depth=0.5)),
    ('EfficientNetELite', dict(image_size=203, padding='static', width=0.25, depth=0.5)),
    ('HGNetV2', dict(arch='b0')),
    ('MobileNetV1', dict(scale=0.25)),
    ('MobileNetV2', dict(style='paddle', scale=0.5)),
    ('MobileNetV2', dict(style='torchvision', scale=0.25)),
    ('MobileNetV3', dict(style='paddle', scale=0.25)),
    ('MobileNetV3', dict(style='paddleseg2021', scale=0.25)),
    ('MobileNetV3', dict(style='torchvision', arch='small', scale=0.25)),
    ('PPLCNet', dict(scale=0.25)),
    ('PPLCNetV2', dict(arch='small')),
    ('SeesawNet', dict(arch='shuffle', depth='0.5D', expand=3)),
    ('SeesawNet', dict(arch='share_v0', depth='0.5D', expand=3)),
    ('ShuffleNetV2', dict(scale=0.33)),
]
STRIDES = (4, 8, 16, 32)
SUBSETS = [subset for size in range(1, 5) for subset in itertools.combinations(range(4), size)]


@pytest.fixture(autouse=True, params=['cpu', pytest.param('cuda', marks=pytest.mark.gpu)])
def device(request, monkeypatch):
    """Where everything is made."""
    monkeypatch.setattr(torch.backends.cudnn, 'allow_tf32', False)
    monkeypatch.setattr(torch.backends.cudnn, 'deterministic', True)
    with torch.device(request.param):
        yield request.param


@pytest.fixture(params=CASES, ids=[f'{kind}-{next(iter(kwargs.values()), "")}' for kind, kwargs in CASES])
def build(request):
    """Builds the backbone with further arguments."""
    kind, kwargs = request.param
    return lambda **more: MODELS.build({'type': f'lcvision.{kind}', **kwargs, **more})


def image(height=64, width=64):
    return torch.randn(2, 3, height, width)


def norms(model):
    return [m for m in model.modules() if isinstance(m, _BatchNorm)]


def statistics(model):
    return torch.cat([torch.cat((m.running_mean, m.running_var)) for m in norms(model)])


def most_frozen(build):
    """The largest legal ``frozen_stages``, as the error tells it."""
    with pytest.raises(ValueError) as error:
        build(frozen_stages=1000)
    return int(re.search(r'-1\.\.(\d+)', str(error.value))[1])


def test_every_backbone_has_a_case():
    import lcvision.models  # noqa: F401
    known = {name for name, kind in MODELS.module_dict.items() if issubclass(kind, Backbone)}
    assert {kind for kind, _ in CASES} == known


@pytest.mark.parametrize('size', [(64, 64), (96, 32), (65, 97), (33, 63), (7, 1)], ids=str)
@torch.no_grad()
def test_outputs_are_as_declared(build, size):
    model = build().eval()
    assert model.out_strides == STRIDES and len(model.out_channels) == 4
    assert isinstance(model.out_channels, tuple) and isinstance(model.out_strides, tuple)
    maps = model(image(*size))
    assert isinstance(maps, tuple)
    assert [tuple(m.shape) for m in maps] == [(2, c, *(math.ceil(side / s) for side in size))
                                              for c, s in zip(model.out_channels, model.out_strides, strict=True)]
    assert all(m.isfinite().all() for m in maps)


def test_every_subset_of_outputs_is_that_part_of_all(build):
    torch.manual_seed(0)
    whole, x = build().eval(), image()
    sizes = {}
    for subset in SUBSETS:
        model = build(out_indices=subset).eval()
        # Strict but for stages that are not built: what is there has the names it has in the whole.
        missing, _ = model.load_state_dict(whole.state_dict(), strict=False)
        assert not missing
        with torch.no_grad():
            maps, expected = model(x), whole(x)
        assert model.out_strides == tuple(STRIDES[i] for i in subset)
        assert model.out_channels == tuple(whole.out_channels[i] for i in subset)
        assert len(maps) == len(subset)
        assert all(torch.equal(m, expected[i]) for m, i in zip(maps, subset, strict=True))
        sizes.setdefault(subset[-1], set()).add(sum(p.numel() for p in model.parameters()))
    assert all(len(counts) == 1 for counts in sizes.values()), 'earlier outputs must cost nothing'
    assert sorted(sizes, key=lambda last: max(sizes[last])) == [0, 1, 2, 3]


@pytest.mark.parametrize('subset', [(0,), (1,), (0, 2), (0, 1, 2, 3)], ids=str)
def test_gradients_reach_every_parameter(build, subset):
    """A stage behind the last output would get none: it must not be built."""
    model = build(out_indices=subset).train()
    model.init_weights()
    sum(m.square().mean() for m in model(image())[-1:]).backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None, name
        # One number for all channels in front of norms has no influence on the maps, and may have no gradient.
        alive = parameter.grad.abs().max() > 0 or parameter.numel() == 1
        assert parameter.grad.isfinite().all() and alive, name


def test_nothing_is_frozen_unless_asked(build):
    model = build().train()
    assert all(p.requires_grad for p in model.parameters())
    assert all(m.training for m in model.modules())


def test_frozen_stages_stay_as_they_are(build):
    most, before = most_frozen(build), set()
    assert most >= 4
    for count in range(most + 1):
        model = build(frozen_stages=count)
        for switched in (model.train(), model.eval().train()):
            assert switched is model
            frozen = {name for name, p in model.named_parameters() if not p.requires_grad}
            # A stage that only pools adds nothing.
            assert frozen == before if count and not list(model.stages[count - 1].parameters()) else frozen > before
            for name, module in model.named_modules():
                own = [f'{name}.{p}' for p, _ in module.named_parameters(recurse=False)]
                assert not own or module.training == (own[0] not in frozen), name
        before = frozen
    assert before == {name for name, _ in model.named_parameters()}, 'the last stage cannot be frozen'


def test_frozen_norms_keep_their_statistics(build):
    model = build(frozen_stages=1).train()
    for name, parameter in model.named_parameters():
        if name.endswith('bias'):
            nn.init.normal_(parameter)
    states = {name: value.clone() for name, value in model.state_dict().items()}
    sum(m.square().mean() for m in model(image())).backward()
    # The decay moves also what has no gradient: a norm's bias before a 1 x 1 convolution with norm, or its scale there.
    torch.optim.SGD([p for p in model.parameters() if p.requires_grad], 0.1, weight_decay=0.1).step()
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, states[name])}
    frozen = {name.rpartition('.')[0] for name, p in model.named_parameters() if not p.requires_grad}
    assert frozen and not {name for name in changed if name.rpartition('.')[0] in frozen}
    assert {name for name in states if name.rpartition('.')[0] not in frozen} == changed


def test_frozen_stages_combine_with_fewer_outputs(build):
    model = build(frozen_stages=0, out_indices=(1,)).train()
    assert any(p.requires_grad for p in model.parameters()) and not all(p.requires_grad for p in model.parameters())


def test_norm_eval_keeps_statistics_and_trains_the_rest(build):
    model = build(norm_eval=True).train()
    assert norms(model) and not any(m.training for m in norms(model))
    assert all(p.requires_grad for p in model.parameters()) and model.training
    before = statistics(model)
    model(image())
    assert torch.equal(statistics(model), before)
    usual = build().train()
    before = statistics(usual)
    usual(image())
    assert all(m.training for m in norms(usual)) and not torch.equal(statistics(usual), before)


@pytest.mark.parametrize('norm_cfg', [dict(type='BN', eps=1e-3, momentum=0.01), dict(type='SyncBN'),
                                      dict(type='GN', num_groups=4)], ids=lambda cfg: cfg['type'])
def test_norm_cfg_is_that_of_every_norm(build, norm_cfg):
    model = build(norm_cfg=norm_cfg).eval()
    kind = {'BN': nn.BatchNorm2d, 'SyncBN': nn.SyncBatchNorm, 'GN': nn.GroupNorm}[norm_cfg['type']]
    found = [m for m in model.modules() if isinstance(m, _BatchNorm | nn.GroupNorm)]
    assert len(found) == len(norms(build())) and all(isinstance(m, kind) for m in found)
    assert all(getattr(m, key) == norm_cfg[key] for m in found for key in norm_cfg if key != 'type')
    assert all(m.isfinite().all() for m in model(image()))
    assert all(p.requires_grad for p in model.parameters())


def test_initialisation_is_finite_and_keeps_the_signal_alive(build):
    model = build()
    for parameter in model.parameters():
        nn.init.constant_(parameter, 7.)
    model.init_weights()
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            assert module.weight.isfinite().all() and module.weight.std() > 0, name
            assert abs(module.weight.mean()) < 0.5 * module.weight.std(), name
            assert module.bias is None or not module.bias.any(), name
        elif isinstance(module, _BatchNorm):
            assert (module.weight == 1).all() and not module.bias.any(), name
    with torch.no_grad():
        maps = model.train()(image())
    assert all(m.isfinite().all() and m.std() > 1e-3 for m in maps)
    assert all((m[0] - m[1]).abs().max() > 1e-3 for m in maps), 'two images give one map'


def test_pretrained_weights_stay_untouched(build, tmp_path):
    source = build()
    for parameter in source.parameters():
        nn.init.uniform_(parameter, 0.5, 1.5)
    path = tmp_path / 'weights.pth'
    torch.save(source.state_dict(), path)
    model = build(init_cfg=dict(type='Pretrained', checkpoint=str(path)), frozen_stages=1)
    model.init_weights()
    assert all(torch.equal(value, source.state_dict()[name]) for name, value in model.state_dict().items())


def test_state_dict_and_copies_give_the_same_maps(build):
    model, x = build().train(), image()
    model(x)
    other = build()
    other.load_state_dict(model.state_dict())
    with torch.no_grad():
        expected = model.eval()(x)
        for again in (model(x), other.eval()(x), copy.deepcopy(model)(x)):
            assert all(torch.equal(a, b) for a, b in zip(again, expected, strict=True))


@pytest.mark.parametrize('training', [False, True], ids=['eval', 'train'])
@torch.no_grad()
def test_channels_last_gives_the_same_maps(build, training):
    model, x = build(), image(65, 96)
    model.init_weights()
    model.train(training)
    expected = copy.deepcopy(model)(x)
    maps = model.to(memory_format=torch.channels_last)(x.contiguous(memory_format=torch.channels_last))
    for actual, wanted in zip(maps, expected, strict=True):
        # In training each norm of a few values blows the last bits up.
        assert (actual - wanted).abs().max() <= (1e-3 if training else 1e-4) * wanted.abs().max()


@torch.no_grad()
def test_input_is_left_alone(build):
    x = image()
    before = x.clone()
    build().eval()(x)
    assert torch.equal(x, before)


@torch.no_grad()
def test_exported_graph_gives_the_same_maps(build):
    model, x = build().eval(), image()
    exported = torch.export.export(model, (x,)).module()
    y = image()
    for actual, wanted in zip(exported(y), model(y), strict=True):
        torch.testing.assert_close(actual, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize('output_stride', [8, 16])
@torch.no_grad()
def test_output_stride_keeps_weights_and_channels(build, output_stride):
    """Weights of one output stride fit another; channels stay, maps get finer."""
    plain, dense = build().eval(), build(output_stride=output_stride).eval()
    dense.load_state_dict(plain.state_dict())
    assert dense.out_strides == tuple(min(stride, output_stride) for stride in STRIDES)
    x = image(65, 97)
    for a, b, stride in zip(dense(x), plain(x), dense.out_strides, strict=True):
        assert a.shape[-2:] == (math.ceil(65 / stride), math.ceil(97 / stride)) and a.shape[1] == b.shape[1]
        assert a.isfinite().all()
