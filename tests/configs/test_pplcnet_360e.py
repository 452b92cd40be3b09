"""PP-LCNet's recipe: the same for all widths but for weight decay and AutoAugment, and how the learning rate goes."""
import math

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope
from mmpretrain.registry import MODELS, TRANSFORMS
from torch.nn.modules.batchnorm import _BatchNorm

WIDTHS = {'0_25x': 0.25, '0_35x': 0.35, '0_5x': 0.5, '0_75x': 0.75, '1x': 1.0, '1_5x': 1.5, '2x': 2.0, '2_5x': 2.5}


def config(width):
    return Config.fromfile(f'configs/classification/pplcnet_{width}.py')


@pytest.mark.parametrize('width', WIDTHS)
def test_recipe(width):
    cfg = config(width)
    optimizer = cfg.optim_wrapper.optimizer
    assert cfg.model.backbone.scale == WIDTHS[width]
    assert (optimizer.type, optimizer.lr, optimizer.momentum) == ('SGD', 0.8, 0.9)
    assert optimizer.weight_decay == (4e-5 if WIDTHS[width] > 1 else 3e-5)
    assert 4 * cfg.train_dataloader.batch_size == cfg.auto_scale_lr.base_batch_size == 2048
    assert cfg.train_cfg.max_epochs == 360 and cfg.model.head.loss.label_smooth_val == 0.1
    steps = [step.type for step in cfg.train_dataloader.dataset.pipeline]
    assert ('AutoAugment' in steps) == (width == '2_5x')
    assert [step for step in steps if step != 'AutoAugment'] == ['lcvision.LoadAnyImage', 'RandomResizedCrop',
                                                                 'RandomFlip', 'PackInputs']
    init_default_scope('mmpretrain')
    model = MODELS.build(cfg.model)
    assert model(torch.zeros(1, 3, 64, 64), mode='tensor').shape == (1, 1000)


def test_norms_alone_do_not_decay():
    init_default_scope('mmpretrain')
    cfg = config('0_25x')
    model = MODELS.build(cfg.model)
    groups = build_optim_wrapper(model, cfg.optim_wrapper).optimizer.param_groups
    decay = {id(p): group['weight_decay'] for group in groups for p in group['params']}
    norms = {id(p) for m in model.modules() if isinstance(m, _BatchNorm) for p in m.parameters()}
    assert len(norms) == 2 * 27
    assert all(decay[id(p)] == (0 if id(p) in norms else 3e-5) for p in model.parameters())
    assert {group['lr'] for group in groups} == {0.8}


def test_rate_warms_up_and_follows_the_cosine():
    per_epoch, base, rates = 4, 0.8, []
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
    schedulers = []
    for scheduler in config('0_25x').param_scheduler:
        assert scheduler.pop('convert_to_iter_based')
        kind = PARAM_SCHEDULERS.get(scheduler.pop('type'))
        schedulers.append(kind.build_iter_from_epoch(optimizer, epoch_length=per_epoch, **scheduler))
    for _ in range(360 * per_epoch):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    assert rates[0] < 1e-5 and rates[:20] == sorted(rates[:20])
    for step in (20, 700, 1439):
        assert rates[step] == pytest.approx(base * 0.5 * (1 + math.cos(math.pi * step / 1440)), rel=1e-3)
    # The reference's straight line, of which mmengine makes its last step one early.
    assert rates[10] == pytest.approx(base * 10 / 19, rel=1e-3)


def test_evaluation_takes_the_middle_of_256():
    init_default_scope('mmpretrain')
    steps = config('1x').val_dataloader.dataset.pipeline[1:]
    results = dict(img=torch.arange(512 * 640 * 3).reshape(512, 640, 3).numpy().astype('uint8'))
    for step in steps[:-1]:
        results = TRANSFORMS.build(step)(results)
    assert results['img'].shape == (224, 224, 3)
    assert steps[0].scale == 256 and steps[0].edge == 'short'
