"""EfficientNet-eLite's configs: the size of the images, the schedule of the authors' code, the head's start."""
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from lcvision.deploy.input_size import find_input_size
from lcvision.papers import ELITE
from lcvision.registry import MODELS


def read(member):
    return Config.fromfile(f'configs/classification/{member}.py')


@pytest.mark.parametrize('row', ELITE.rows, ids=lambda row: row.config)
def test_images_are_cropped_to_the_size_that_they_are_tested_at(row):
    config = read(row.config)
    assert config.train_dataloader.dataset.pipeline[2].scale == find_input_size(config)[0]


def test_rate_is_the_authors_at_every_epoch():
    config, steps_an_epoch, base = read('elite9'), 10, 0.00625
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=config.optim_wrapper.optimizer.lr)
    schedulers = []
    for cfg in config.param_scheduler:
        kind = PARAM_SCHEDULERS.get(cfg.pop('type'))
        by_iteration = cfg.pop('convert_to_iter_based', False)
        scheduler = (kind.build_iter_from_epoch(optimizer, epoch_length=steps_an_epoch, **cfg) if by_iteration
                     else kind(optimizer, **cfg))
        schedulers.append((1 if by_iteration else steps_an_epoch, scheduler))
    rates = []
    for step in range(1, config.max_epochs * steps_an_epoch + 1):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        for interval, scheduler in schedulers:
            if step % interval == 0:
                scheduler.step()
    assert rates[0] < 1e-3 * base and rates[25] == pytest.approx(base / 2, rel=0.03)
    assert rates[49] == pytest.approx(base, rel=0.03)
    for epoch in range(5, 350):
        # The reference: 0.97 to the power of the whole number of 2.4 epochs that have passed.
        assert rates[epoch * steps_an_epoch] == pytest.approx(base * 0.97 ** (epoch * 10 // 24)), epoch


def test_norms_alone_do_not_decay():
    config = read('elite9')
    init_default_scope('mmpretrain')
    model = MODELS.build(config.model)
    optimizer = build_optim_wrapper(model, config.optim_wrapper).optimizer
    assert type(optimizer).__name__ == 'RMSpropTF'
    decay = {id(p): group['weight_decay'] for group in optimizer.param_groups for p in group['params']}
    for module in model.modules():
        for parameter in module.parameters(recurse=False):
            assert decay[id(parameter)] == (0 if isinstance(module, _BatchNorm) else 1e-5)


def test_classifier_starts_as_the_authors():
    init_default_scope('mmpretrain')
    model = MODELS.build(read('elite9').model)
    model.init_weights()
    weight = model.head.fc.weight
    assert 0.99 * 1000 ** -0.5 < weight.abs().max() <= 1000 ** -0.5
    assert weight.std().item() == pytest.approx((3 * 1000) ** -0.5, rel=0.01)
    assert model.head.conv.conv.weight.std().item() == pytest.approx((2 / 656) ** 0.5, rel=0.02)
