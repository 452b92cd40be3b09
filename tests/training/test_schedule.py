"""Schedules that count iterations follow the length of a run."""
import pytest
import torch
from mmengine.config import Config
from mmengine.optim import LinearLR
from mmengine.registry import PARAM_SCHEDULERS

from lcvision.training.schedule import fit_schedule, set_epochs, set_iterations

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


@pytest.mark.parametrize('hooks', [{}, dict(default_hooks=None),
                                   dict(default_hooks=dict(logger=None, checkpoint=None))], ids=str)
def test_a_config_without_hooks_of_its_own_is_fitted_as_well(hooks):
    cfg = config(POLY).to_dict()
    del cfg['default_hooks']
    cfg = Config({**cfg, **hooks})
    set_iterations(cfg, 400, 80000)
    assert fit_schedule(cfg, 1000) == [] and cfg.param_scheduler[0].end == 401


# Kind and settings for a run of 100.
SCHEDULERS = [
    ('ConstantLR', dict(factor=0.5, begin=10, end=50)), ('CosineAnnealingLR', dict(T_max=100, eta_min=0.01)),
    ('CosineAnnealingLR', dict(begin=20, T_max=80, end=100, eta_min=0.01)),
    ('CosineRestartLR', dict(periods=[30, 30, 41], restart_weights=[1, 0.5, 0.25], eta_min=0.01)),
    ('ExponentialLR', dict(gamma=0.98)), ('LinearLR', dict(start_factor=1, end_factor=0.2, end=80)),
    ('MultiStepLR', dict(milestones=[50, 75], gamma=0.1)), ('OneCycleLR', dict(eta_max=1., total_steps=101)),
    ('PolyLR', dict(power=0.9, eta_min=0.01)), ('StepLR', dict(step_size=30, gamma=0.5)),
    ('StepLR', dict(step_size=2, gamma=0.97)), ('ExponentialMomentum', dict(gamma=0.98)),
    ('StepMomentum', dict(step_size=30, gamma=0.5)), ('CosineAnnealingMomentum', dict(T_max=100, eta_min=0.01)),
    ('LinearMomentum', dict(start_factor=1, end_factor=0.2, end=80)), ('PolyMomentum', dict(power=0.9, eta_min=0.01)),
    ('MultiStepMomentum', dict(milestones=[50, 75], gamma=0.1)), ('ConstantMomentum', dict(factor=0.5, begin=9)),
    ('CosineRestartMomentum', dict(periods=[30, 30, 41], restart_weights=[1, 0.5, 0.25], eta_min=0.01)),
]


def course(cfg, steps, epoch_length=1):
    """The scheduled value after every step of a run."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1., momentum=1.)
    settings = dict(cfg.param_scheduler[0])
    scheduler = PARAM_SCHEDULERS.build(settings, default_args=dict(optimizer=optimizer, epoch_length=epoch_length,
                                                                   end=steps if settings['by_epoch'] else steps + 1))
    values = []
    for _ in range(steps * (1 if scheduler.by_epoch else epoch_length)):
        values.append(optimizer.param_groups[0][scheduler.param_name])
        optimizer.step()
        scheduler.step()
    return values


@pytest.mark.parametrize(('kind', 'settings'), SCHEDULERS)
@pytest.mark.parametrize('length', [10, 400])
@pytest.mark.parametrize('unit', ['epochs', 'iterations', 'epochs as iterations'])
def test_every_scheduler_follows_the_length(kind, settings, length, unit):
    by_epoch, converted = unit != 'iterations', 'as' in unit
    if converted and kind.startswith('Exponential'):
        settings = dict(gamma=0.98**(1 / 4))
    cfg = config(dict(type=kind, by_epoch=by_epoch, **settings), max_iters=100)
    if converted:
        cfg.param_scheduler[0].convert_to_iter_based = True
    if by_epoch:
        cfg.train_cfg = dict(max_epochs=100)
    before = course(cfg, 100, 4 if converted else 1)
    note = set_epochs(cfg, length) if by_epoch else set_iterations(cfg, length, 100)
    assert note == f'schedule scaled from 100 to {length} {unit.split()[0]}'
    after = course(cfg, length, 4 if converted else 1)
    # At the same share of the run stands the same value, up to the rounding of a step.
    for share in (0, 0.2, 0.4, 0.6, 0.9):
        at = int(share * len(before))
        near = before[max(0, at - len(before) // 8):at + len(before) // 8 + 1]
        value = after[int(share * len(after))]
        assert min(near) - 1e-6 <= value <= max(near) + 1e-6, (share, value, near)
    assert after[0] == pytest.approx(before[0], rel=0.1)


def test_what_cannot_be_scaled_is_said():
    cfg = config(dict(type='ReduceOnPlateauLR', monitor='loss', patience=3), dict(type='my.OwnLR', end=100))
    cfg.train_cfg = dict(max_epochs=100)
    note = set_epochs(cfg, 10)
    assert 'ReduceOnPlateauLR counts validations' in note and 'my.OwnLR, which is not known' in note
    assert cfg.param_scheduler[0].patience == 3 and cfg.param_scheduler[1].end == 10


@pytest.mark.parametrize('given', [
    dict(type='StepLR', step_size=30), dict(a=[dict(type='StepLR', step_size=30)], b=dict(type='StepLR', step_size=30)),
    None])
def test_one_scheduler_or_one_an_optimiser(given):
    cfg = config(max_iters=100)
    cfg.train_cfg, cfg.param_scheduler = dict(max_epochs=100), given
    assert '100 to 10' in set_epochs(cfg, 10)
    assert 'step_size=30' not in str(cfg.param_scheduler).replace(': ', '=').replace("'", '')
