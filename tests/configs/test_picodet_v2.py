"""The recipe of each size of PicoDet v2, and which of its parameters decay."""
import math

import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope
from mmengine.structures import InstanceData
from torch.nn.modules.batchnorm import _BatchNorm

# Size: width of PP-LCNet, channels, blocks of a tower.
NETWORKS = dict(xs=(0.35, 96, 2), s=(0.75, 96, 2), m=(1.5, 128, 4), l=(2.0, 160, 4))
# Images a GPU, learning rate, epochs.
RECIPES = {
    ('xs', 320): (64, 0.32, 300), ('xs', 416): (56, 0.28, 300),
    ('s', 320): (64, 0.32, 300), ('s', 416): (48, 0.24, 300),
    ('m', 320): (48, 0.24, 300), ('m', 416): (48, 0.24, 250),
    ('l', 320): (24, 0.12, 250), ('l', 416): (24, 0.12, 250), ('l', 640): (12, 0.06, 200),
}


def load(name):
    init_default_scope('mmdet')
    return Config.fromfile(f'configs/detection/picodet_v2_{name}.py')


@pytest.mark.parametrize(('size', 'side'), RECIPES)
def test_recipe(size, side):
    config = load(f'{size}_{side}')
    batch, rate, epochs = RECIPES[size, side]
    assert config.train_dataloader.batch_size == batch and config.auto_scale_lr.base_batch_size == 4 * batch
    optimizer = config.optim_wrapper.optimizer
    assert (optimizer.lr, optimizer.momentum, optimizer.weight_decay) == (rate, 0.9, 4e-5)
    assert config.train_cfg.max_epochs == epochs and config.param_scheduler[1].T_max == 300
    assert config.model.train_cfg.initial_epoch == 100
    assert config.custom_hooks[0].get('cycle_epoch') is None
    middle = side // 32 * 32
    assert config.train_dataloader.collate_fn.sizes == [middle + step for step in (-64, -32, 0, 32, 64)]
    for loader in (config.val_dataloader, config.test_dataloader):
        resize, = (t for t in loader.dataset.pipeline if t.type == 'Resize')
        assert resize.scale == (side, side) and resize.interpolation == 'bicubic' and not resize.keep_ratio
    distort, = (t for t in config.train_dataloader.dataset.pipeline if t.type == 'lcvision.PicoDistort')
    assert distort.version == 'pil'
    width, channels, blocks = NETWORKS[size]
    model = config.model
    assert model.backbone.scale == width and model.bbox_head.stacked_convs == blocks
    assert model.neck.out_channels == model.bbox_head.in_channels == channels


@pytest.mark.parametrize('size', NETWORKS)
def test_one_step_of_training_and_a_prediction(size):
    model = MODELS.build(load(f'{size}_320').model)
    model.init_weights()
    sample = DetDataSample(metainfo=dict(img_shape=(128, 160), scale_factor=(1.0, 1.0)))
    sample.gt_instances = InstanceData(bboxes=torch.tensor([[10., 20., 90., 100.]]), labels=torch.tensor([3]))
    image = torch.randn(2, 3, 128, 160)
    before = [p.detach().clone() for p in model.parameters()]
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    sum(model.train().loss(image, [sample, sample]).values()).backward()
    optimizer.step()
    assert all(p.isfinite().all() for p in model.parameters())
    changed = [not torch.equal(old, new) for old, new in zip(before, model.parameters(), strict=True)]
    assert sum(changed) > 0.9 * len(changed)
    with torch.no_grad():
        results = model.eval().predict(image, [sample, sample])
    assert all(len(r.pred_instances) <= 100 and r.pred_instances.bboxes.isfinite().all() for r in results)


def test_norms_that_decay_are_those_of_the_necks_own_layers_and_the_alignment():
    config = load('s_320')
    model = MODELS.build(config.model)
    groups = build_optim_wrapper(model, config.optim_wrapper).optimizer.param_groups
    decay = {id(p): group['weight_decay'] for group in groups for p in group['params']}
    assert {group['lr'] for group in groups} == {0.32}
    norms = {name for name, module in model.named_modules() if isinstance(module, _BatchNorm)}
    own = tuple(f'neck.{part}.' for part in ('laterals', 'downsamples', 'first_top', 'second_top'))
    decaying = {name for name in norms if name.startswith((*own, 'bbox_head.cls_align.'))}
    assert len(decaying) == 3 + 2 * 2 + 2 + 2 + 4 * 2
    for name, parameter in model.named_parameters():
        module = name.rpartition('.')[0]
        assert decay[id(parameter)] == (0 if module in norms - decaying else 4e-5), name


def test_rate_of_the_reference_run():
    config = load('s_bccd_reference')
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=config.optim_wrapper.optimizer.lr)
    schedulers = []
    for cfg in config.param_scheduler:
        kind = PARAM_SCHEDULERS.get(cfg.pop('type'))
        assert cfg.pop('convert_to_iter_based')
        schedulers.append(kind.build_iter_from_epoch(optimizer, epoch_length=18, **cfg))
    rates = []
    for _ in range(27 * 18):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    assert rates[0] == pytest.approx(0.002)
    assert rates[50] == pytest.approx(0.011, rel=0.02)
    for step in (100, 250, 485):
        assert rates[step] == pytest.approx(0.01 * (1 + math.cos(math.pi * (step - 100) / 386)))


def test_reference_run_changes_phase_after_a_third():
    config = load('s_bccd_reference')
    assert config.model.train_cfg.initial_epoch == 9 and config.train_cfg.max_epochs == 27
    assert config.train_dataloader.batch_size == 16 and not config.auto_scale_lr.enable
