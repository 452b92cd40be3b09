"""The schedule of the later PicoDets: which parameters decay, and how the learning rate goes."""
import math

import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope
from torch.nn.modules.batchnorm import _BatchNorm


@pytest.mark.parametrize(('width', 'batch'), [('1x', 90), ('1_5x', 80), ('2_5x', 48)])
def test_recipe_of_legacy_configs(width, batch):
    config = Config.fromfile(f'configs/detection/picodet_legacy_pplcnet_{width}.py')
    optimizer = config.optim_wrapper.optimizer
    assert (optimizer.type, optimizer.lr, optimizer.momentum, optimizer.weight_decay) == ('SGD', 0.4, 0.9, 4e-5)
    assert config.train_dataloader.batch_size == batch and config.auto_scale_lr.base_batch_size == 4 * batch
    assert config.train_cfg.max_epochs == 300 and config.custom_hooks[0].cycle_epoch == 40
    distort, = (t for t in config.train_dataloader.dataset.pipeline if t.type == 'lcvision.PicoDistort')
    assert distort.version == '2021'


def test_norms_decay_in_the_neck_alone():
    init_default_scope('mmdet')
    config = Config.fromfile('configs/detection/picodet_legacy_pplcnet_1x.py')
    model = MODELS.build(config.model)
    groups = build_optim_wrapper(model, config.optim_wrapper).optimizer.param_groups
    decay = {id(p): group['weight_decay'] for group in groups for p in group['params']}
    assert {group['lr'] for group in groups} == {0.4}
    norms = {f'{name}.{kind}' for name, module in model.named_modules() if isinstance(module, _BatchNorm)
             for kind in ('weight', 'bias')}
    for name, parameter in model.named_parameters():
        exempt = name in norms and not name.startswith('neck.')
        assert decay[id(parameter)] == (0 if exempt else 4e-5), name
    assert sum(name.startswith('neck.') for name in norms) == 2 * (3 + 4 * (3 + 3) + 4 * 2)


def test_rate_warms_up_and_follows_the_cosine():
    config = Config.fromfile('configs/_base_/schedules/picodet_300e.py')
    steps_an_epoch, base = 10, 0.4
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=base)
    schedulers = []
    for cfg in config.param_scheduler:
        kind = PARAM_SCHEDULERS.get(cfg.pop('type'))
        if cfg.pop('convert_to_iter_based', False):
            schedulers.append(kind.build_iter_from_epoch(optimizer, epoch_length=steps_an_epoch, **cfg))
        else:
            schedulers.append(kind(optimizer, **cfg))
    rates = []
    for _ in range(300 * steps_an_epoch):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()
    assert rates[0] == pytest.approx(0.1 * base)
    for step in (300, 1500, 2999):
        assert rates[step] == pytest.approx(base * 0.5 * (1 + math.cos(math.pi * step / 3000)), rel=1e-3)
