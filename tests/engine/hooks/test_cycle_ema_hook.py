import numpy as np
import pytest
import torch
from mmengine.evaluator import BaseMetric
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.registry import HOOKS, DefaultScope
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from lcvision.engine.hooks.cycle_ema_hook import CycleEMA, CycleEMAHook


class Regression(BaseModel):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))

    def forward(self, inputs, target=None, mode='tensor'):
        out = self.layers(inputs)
        return {'loss': (out[:, 0] - target).square().mean()} if mode == 'loss' else [out]


class Nothing(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results.append(0)

    def compute_metrics(self, results):
        return {'score': 1.0}


class Recorder(Hook):
    """Notes the raw state after each iteration and the state that validation runs on."""
    priority = 'VERY_LOW'

    def __init__(self):
        self.raw, self.validated = [], []

    def after_train_iter(self, runner, *args, **kwargs):
        self.raw.append(snapshot(runner.model))

    def after_val_iter(self, runner, *args, **kwargs):
        self.validated.append(snapshot(runner.model))


def snapshot(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def applied(states, decay):
    """The reference's rule on a list of states."""
    sums = {name: torch.zeros_like(value, dtype=torch.float64) for name, value in states[0].items()}
    for count, state in enumerate(states):
        d = min(decay, (1 + count) / (10 + count))
        sums = {name: d * sums[name] + (1 - d) * state[name].double() for name in sums}
    return {name: value / (1 - d**len(states)) for name, value in sums.items()}


def close(state, expected):
    return all(torch.allclose(value.double(), expected[name], rtol=1e-5, atol=1e-6)
               for name, value in state.items() if value.is_floating_point())


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def run(tmp_path):
    """Trains 3 iterations an epoch on fixed data and returns the runner and what was recorded."""
    count = iter(range(100))

    def train(epochs, work_dir='a', resume=False, load_from=None, **hook):
        generator = torch.Generator().manual_seed(1)
        data = [{'inputs': torch.randn(3, generator=generator), 'target': torch.tensor(1.0)} for _ in range(12)]
        recorder = Recorder()
        torch.manual_seed(0)
        runner = Runner(
            model=Regression(), work_dir=str(tmp_path / work_dir), experiment_name=f'{tmp_path.name}-{next(count)}',
            train_dataloader=DataLoader(data, 4), val_dataloader=DataLoader(data, 4), val_evaluator=[Nothing()],
            optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.1, 'momentum': 0.9}},
            train_cfg={'by_epoch': True, 'max_epochs': epochs}, val_cfg={}, resume=resume, load_from=load_from,
            default_hooks={'checkpoint': {'type': 'CheckpointHook', 'interval': 1}},
            custom_hooks=[{'type': 'lcvision.CycleEMAHook', **hook}, recorder], log_level='ERROR')
        runner.train()
        return runner, recorder

    yield train
    DefaultScope._instance_dict.clear()


def checkpoint(runner, epoch):
    return torch.load(f'{runner.work_dir}/epoch_{epoch}.pth', weights_only=True)


def ema_hook(runner):
    return next(hook for hook in runner.hooks if isinstance(hook, CycleEMAHook))


def test_validation_uses_the_average_of_the_cycle_and_training_the_raw_weights(run):
    recorder = run(5, cycle_epoch=2)[1]
    raw, validated = recorder.raw, recorder.validated[::3]
    for epoch, first in enumerate([0, 0, 2, 2, 4]):
        assert close(validated[epoch], applied(raw[3 * first:3 * epoch + 3], 0.9998))
        assert not equal(validated[epoch], raw[3 * epoch + 2])
    plain = run(5, 'plain', decay=0.5)[1]
    assert all(equal(a, b) for a, b in zip(raw, plain.raw, strict=True))


def test_without_a_cycle_it_never_starts_anew(run):
    _, recorder = run(4, decay=0.3)
    assert close(recorder.validated[-1], applied(recorder.raw, 0.3))


def test_checkpoint_holds_the_average_first_and_the_raw_weights_beside_it(run):
    runner, recorder = run(2, cycle_epoch=3)
    saved = checkpoint(runner, 2)
    assert equal(saved['state_dict'], recorder.validated[-1])
    raw = {name.removeprefix('module.'): value for name, value in saved['ema_state_dict'].items()
           if name.startswith('module.')}
    assert equal(raw, recorder.raw[-1])
    assert saved['ema_state_dict']['steps'] == 6 and saved['ema_state_dict']['epochs'] == 2


@pytest.mark.parametrize('stop', [1, 2, 3])
def test_resume_is_exact(run, tmp_path, stop):
    whole, recorder = run(5, 'whole', cycle_epoch=2)
    resumed, rest = run(5, 'rest', resume=True, load_from=f'{whole.work_dir}/epoch_{stop}.pth', cycle_epoch=2)
    assert len(rest.raw) == 3 * (5 - stop)
    assert equal(rest.raw[-1], recorder.raw[-1])
    assert all(equal(a, b) for a, b in zip(rest.validated, recorder.validated[3 * stop:], strict=True))
    assert equal(ema_hook(resumed).ema_model.state_dict(), ema_hook(whole).ema_model.state_dict())


def test_loading_weights_starts_a_new_average(run):
    first = run(2, 'first')[0]
    runner, other = run(1, 'second', load_from=f'{first.work_dir}/epoch_2.pth')
    assert ema_hook(runner).ema_model.steps == 3
    assert close(other.validated[-1], applied(other.raw, 0.9998))


def test_validation_before_the_first_iteration_uses_the_weights_of_the_model(run, monkeypatch):
    monkeypatch.setattr(CycleEMAHook, 'after_train_iter', lambda *args, **kwargs: None)
    _, recorder = run(1)
    assert not equal(recorder.validated[0], recorder.raw[-1])
    # Nothing was averaged: validation saw what the training started from, initialised after the hook copied the model.
    monkeypatch.undo()
    torch.manual_seed(0)
    assert equal(recorder.validated[0], Regression().state_dict())


@pytest.mark.parametrize('wrong, words', [({'decay': 1.0}, 'between 0 and 1'), ({'decay': 0}, 'between 0 and 1'),
                                          ({'cycle_epoch': 0}, '1 or more')])
def test_wrong_arguments(wrong, words):
    with pytest.raises(ValueError, match=words):
        CycleEMAHook(**wrong)


def test_a_cycle_needs_a_training_in_epochs(tmp_path):
    runner = Runner(model=Regression(), work_dir=str(tmp_path), experiment_name=tmp_path.name,
                    train_dataloader=DataLoader([{'inputs': torch.ones(3), 'target': torch.ones(())}] * 4, 2),
                    optim_wrapper={'optimizer': {'type': 'SGD', 'lr': 0.1}},
                    train_cfg={'by_epoch': False, 'max_iters': 2}, log_level='ERROR',
                    custom_hooks=[{'type': 'lcvision.CycleEMAHook', 'cycle_epoch': 2}])
    with pytest.raises(ValueError, match='counted in iterations'):
        runner.train()


def test_is_registered():
    assert HOOKS.build({'type': 'lcvision.CycleEMAHook', 'cycle_epoch': 40}).cycle_epoch == 40


def network():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 2, 1))


def step(model):
    """A change of every parameter, and one BatchNorm update."""
    model.train()(torch.randn(4, 3, 6, 6) * 3 + 1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter))


class Reference:
    """The reference's rule in double precision: sums from zero, divided by 1 - d^t when applied."""

    def __init__(self, decay):
        self.decay, self.step, self.sums = decay, 0, {}

    def update(self, state):
        self.d = min(self.decay, (1 + self.step) / (10 + self.step))
        for name, value in state.items():
            self.sums[name] = self.d * self.sums.get(name, 0.0) + (1 - self.d) * value.numpy().astype(np.float64)
        self.step += 1

    def applied(self):
        return {name: value / (1 - self.d**self.step) for name, value in self.sums.items()}


def assert_equals(average, reference, model):
    for name, value in average.module.state_dict().items():
        if value.is_floating_point():
            np.testing.assert_allclose(value.numpy(), reference.applied()[name], rtol=2e-6, atol=2e-6, err_msg=name)
        else:
            assert torch.equal(value, model.state_dict()[name])


@pytest.mark.parametrize('decay', [0.9998, 0.5])
def test_equals_the_reference_over_a_reset(decay):
    model = network()
    average = CycleEMA(model, decay)
    for _ in range(2):
        reference = Reference(decay)
        for _ in range(25):
            step(model)
            average.update_parameters(model)
            reference.update(model.state_dict())
            assert_equals(average, reference, model)
        average.reset(model)
    assert average.module[1].num_batches_tracked == 50


def test_batchnorm_statistics_are_averaged_and_counters_copied():
    model = network()
    average = CycleEMA(model)
    for _ in range(5):
        step(model)
        average.update_parameters(model)
    assert not torch.equal(average.module[1].running_mean, model[1].running_mean)
    assert average.module[1].num_batches_tracked == model[1].num_batches_tracked == 5


def test_the_weights_reach_the_limit_of_a_constant_decay():
    keep, take = CycleEMA(nn.Linear(1, 1), 0.9998).mixing_weights(200_000)
    assert keep == pytest.approx(0.9998) and take == pytest.approx(0.0002)
    assert CycleEMA(nn.Linear(1, 1), 0.9998).mixing_weights(0) == (0.0, 1.0)


def test_a_fresh_average_and_a_reset_one_forget_even_nan():
    model = network()
    average = CycleEMA(model)
    with torch.no_grad():
        average.module[0].weight.fill_(float('nan'))
    average.update_parameters(model)
    assert torch.equal(average.module[0].weight, model[0].weight)


def test_the_model_is_left_alone():
    model = network()
    average = CycleEMA(model)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for _ in range(3):
        average.update_parameters(model)
    average.reset(model)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert not any(parameter.requires_grad for parameter in average.module.parameters())


@pytest.mark.parametrize('decay', [0, 1, -0.1, 2])
def test_wrong_decay(decay):
    with pytest.raises(ValueError, match='between 0 and 1'):
        CycleEMA(nn.Linear(1, 1), decay)
