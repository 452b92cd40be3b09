"""A run that stops and goes on is the run that did not stop."""
import os

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner, find_latest_checkpoint
from torch import nn
from torch.utils.data import Dataset

from lcvision.errors import UserError

COSINE = dict(type='CosineAnnealingLR', T_max=4, by_epoch=True, convert_to_iter_based=True, eta_min=1e-3)
WARM = dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=3)


class Numbers(Dataset):
    """Counts which of its items were read."""

    def __init__(self, read, metainfo=None):
        self.read, self.metainfo = read, metainfo or {}

    def __len__(self):
        return 10

    def __getitem__(self, index):
        self.read.append(index)
        return dict(inputs=torch.full((1,), float(index)))


class Net(BaseModel):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(1, 1)
        self.rates, self.batches = [], []

    def forward(self, inputs, mode='tensor'):
        self.batches.append([int(value) for value in inputs])
        return dict(loss=self.linear(torch.stack(inputs)).mean() * 0)

    def train_step(self, data, optim_wrapper):
        self.rates.append([(group['lr'], group['momentum']) for group in optim_wrapper.optimizer.param_groups])
        return super().train_step(data, optim_wrapper)


def train(folder, length, schedule, by_epoch=True, resume=False, stop=None, shuffle=True, sampler=None, seed=7,
          workers=0):
    """Trains; returns the model and the items that were read."""
    read, model = [], Net()
    data = dict(batch_size=3, num_workers=workers, dataset=Numbers(read),
                sampler=dict(type=sampler or ('DefaultSampler' if by_epoch else 'InfiniteSampler'), shuffle=shuffle))
    cfg = dict(train_cfg=dict(by_epoch=by_epoch, **({'max_epochs' if by_epoch else 'max_iters': length})))
    if not by_epoch:
        cfg['train_cfg']['val_interval'] = 1000
    runner = Runner(
        model, str(folder), train_dataloader=data, param_scheduler=schedule, resume=resume,
        load_from=find_latest_checkpoint(str(folder)) if resume else None, randomness=dict(seed=seed),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=1., momentum=0.9), paramwise_cfg=dict(bias_lr_mult=0.5)),
        default_hooks=dict(checkpoint=dict(type='lcvision.AtomicCheckpointHook', interval=1, by_epoch=by_epoch),
                           resume=dict(type='lcvision.ResumeHook'), seed=dict(type='lcvision.SeedHook')),
        experiment_name=f'{folder}-{os.urandom(4).hex()}', log_level='INFO', **cfg)
    # mmengine takes the data loader's settings from the config; the data set stays the one that counts.
    runner.cfg.train_dataloader = {**data, 'dataset': dict(type='Unused')}
    if stop:
        steps = iter(range(stop))
        step = model.train_step

        def stops(*args, **kwargs):
            if next(steps, None) is None:
                raise KeyboardInterrupt
            return step(*args, **kwargs)
        model.train_step = stops
        with pytest.raises(KeyboardInterrupt):
            runner.train()
    else:
        runner.train()
    return model, read


SCHEDULES = [
    [WARM, COSINE], [dict(type='StepLR', step_size=1, gamma=0.5), WARM], [dict(type='ExponentialLR', gamma=0.7)],
    [dict(type='OneCycleLR', eta_max=2., convert_to_iter_based=True)], [dict(type='MultiStepLR', milestones=[1, 3])],
    [dict(type='PolyLR', power=0.9, eta_min=0.01), dict(type='ExponentialMomentum', gamma=0.9)],
    [dict(type='CosineRestartLR', periods=[2, 2], restart_weights=[1, 0.5], eta_min=0.1)],
]


@pytest.mark.parametrize('schedule', SCHEDULES, ids=lambda schedule: schedule[0]['type'])
@pytest.mark.parametrize('before', ['the same', 'shorter'])
def test_an_extended_run_has_the_rates_of_a_long_one(tmp_path, schedule, before, capfd):
    whole = train(tmp_path / 'whole', 4, schedule)[0].rates
    if before == 'shorter':  # ends at the rate of its last step
        short = [dict(type='LinearLR', start_factor=1., end_factor=1e-6, end=2, convert_to_iter_based=True)]
        train(tmp_path / 'part', 2, short)
    else:
        train(tmp_path / 'part', 4, schedule, stop=9)
    capfd.readouterr()
    rest = train(tmp_path / 'part', 4, schedule, resume=True)[0].rates
    flat = torch.tensor(whole[8:])
    assert len(rest) == 8 and torch.allclose(torch.tensor(rest), flat, rtol=1e-5), (rest, whole[8:])
    assert ('as if it had been so from the start' in capfd.readouterr().out) == (before == 'shorter')


def test_an_extended_run_that_counts_iterations(tmp_path):
    def schedule(length):
        return [dict(type='PolyLR', power=0.9, by_epoch=False, begin=0, end=length + 1)]
    whole = train(tmp_path / 'whole', 12, schedule(12), by_epoch=False)[0].rates
    train(tmp_path / 'part', 5, schedule(5), by_epoch=False)
    rest = train(tmp_path / 'part', 12, schedule(12), by_epoch=False, resume=True)[0].rates
    assert torch.allclose(torch.tensor(rest), torch.tensor(whole[5:]), rtol=1e-5)


def test_a_plateau_cannot_be_replayed(tmp_path):
    plateau = dict(type='ReduceOnPlateauLR', monitor='loss')
    train(tmp_path, 2, [plateau])
    train(tmp_path, 2, [plateau], resume=True)
    with pytest.raises(UserError, match='ReduceOnPlateau follows a metric'):
        train(tmp_path, 4, [plateau], resume=True)


@pytest.mark.parametrize(('sampler', 'shuffle', 'seen', 'workers'), [
    ('InfiniteSampler', True, 6, 0), ('InfiniteSampler', False, 6, 0), ('DefaultSampler', True, 6, 0),
    ('DefaultSampler', True, 8, 0), ('InfiniteSampler', True, 6, 1), ('DefaultSampler', True, 8, 1)])
def test_seen_batches_are_not_read_again(tmp_path, monkeypatch, sampler, shuffle, seen, workers):
    monkeypatch.setattr('time.sleep', lambda _: None)
    settings = dict(schedule=[], by_epoch=False, sampler=sampler, shuffle=shuffle, workers=workers)
    whole = train(tmp_path / 'whole', 11, **settings)[0].batches
    train(tmp_path / 'part', 11, **settings, stop=seen)
    # mmengine draws another seed at the start of a process that is given none.
    model, read = train(tmp_path / 'part', 11, **settings, resume=True, seed=3)
    assert model.batches == whole[seen:]
    assert workers or len(read) <= 3 * (11 - seen)


def test_a_run_that_is_done_says_so(tmp_path, capfd):
    train(tmp_path, 2, [COSINE])
    capfd.readouterr()
    assert train(tmp_path, 2, [COSINE], resume=True)[0].rates == []
    assert 'nothing is trained' in capfd.readouterr().out
