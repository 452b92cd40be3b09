"""Schedules that count iterations follow the length of a run."""
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import LinearLR

from lcvision.cli.schedule import fit_schedule, set_epochs, set_iterations

POLY = dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=80001)


def config(*schedulers, batch=32, max_iters=80000):
    return Config(dict(
        model=dict(), train_cfg=dict(type='IterBasedTrainLoop', max_iters=max_iters, val_interval=2000),
        train_dataloader=dict(batch_size=batch, drop_last=True, sampler=dict(type='InfiniteSampler')),
        default_hooks=dict(logger=dict(interval=50), checkpoint=dict(by_epoch=False, interval=4000)),
        param_scheduler=list(schedulers)))


def test_iterations_scale_what_ends_with_the_run():
    cfg = config(POLY, dict(type='CosineAnnealingLR', T_max=80000, begin=40000, end=80000, by_epoch=False),
                 dict(type='MultiStepLR', milestones=[40000, 60000], by_epoch=False))
    assert '80000 to 400' in set_iterations(cfg, 400, 80000)
    poly, cosine, steps = cfg.param_scheduler
    assert (poly.begin, poly.end) == (0, 401)
    assert (cosine.begin, cosine.end, cosine.T_max) == (200, 400, 400) and steps.milestones == [200, 300]
    assert cfg.train_cfg == dict(type='IterBasedTrainLoop', max_iters=400, val_interval=200)
    assert cfg.default_hooks.checkpoint.interval == 200


def test_a_longer_run_keeps_its_intervals():
    cfg = config(POLY)
    set_iterations(cfg, 160000, 80000)
    assert cfg.param_scheduler[0].end == 160001 and cfg.train_cfg.val_interval == 2000
    assert cfg.default_hooks.checkpoint.interval == 4000


def test_a_warm_up_is_shortened_not_scaled():
    warm = dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=1500)
    cfg = config(warm, {**POLY, 'begin': 1500})
    set_iterations(cfg, 40000, 80000)
    assert (cfg.param_scheduler[0].end, cfg.param_scheduler[1].begin) == (1500, 1500)
    assert fit_schedule(cfg, 1000) == []
    set_iterations(cfg, 900, 40000)
    assert fit_schedule(cfg, 1000) == ['warm-up shortened from 1500 to 100 iterations, a ninth of the run']
    assert [(s.begin, s.end) for s in cfg.param_scheduler] == [(0, 100), (100, 901)]


@pytest.mark.parametrize('iterations', [4, 10, 30])
def test_a_shortened_warm_up_reaches_the_full_rate(iterations):
    cfg = config(dict(type='LinearLR', start_factor=0.02, by_epoch=False, begin=0, end=1500), max_iters=iterations)
    fit_schedule(cfg, 100)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.)
    settings = {key: value for key, value in cfg.param_scheduler[0].items() if key not in ('type', 'by_epoch')}
    scheduler, rates = LinearLR(optimizer, by_epoch=False, **settings), []
    for _ in range(iterations):
        rates.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        scheduler.step()
    assert rates[0] == pytest.approx(0.02) and rates[-1] == pytest.approx(1)


def test_epochs_become_iterations():
    cfg = config(POLY, batch=20)
    assert '5 epochs of 18 steps' in set_epochs(cfg, 5, 367)
    assert cfg.train_cfg.max_iters == 90 and cfg.param_scheduler[0].end == 91
    set_epochs(cfg, 3, 7)
    assert cfg.train_cfg.max_iters == 3


@pytest.mark.parametrize('max_iters, interval', [(80000, 50), (300, 30), (4, 1)])
def test_a_run_has_ten_lines_at_least(max_iters, interval):
    cfg = config(POLY, max_iters=max_iters)
    # Fewer images than a batch are no obstacle: the sampler goes round.
    assert fit_schedule(cfg, 7) == [] and cfg.default_hooks.logger.interval == interval
