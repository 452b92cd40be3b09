import pickle
import subprocess

import numpy as np
import pytest
import torch
from mmengine.logging.history_buffer import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.optim.scheduler.param_scheduler import OneCycleParamScheduler
from mmengine.runner import Runner
from torch import nn

from lcvision.compat import safe_globals


class Toy(BaseModel):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, inputs, data_samples=None, mode='loss'):
        outputs = self.fc(torch.stack(inputs))
        return {'loss_square': outputs.square().mean(), 'loss_sum': outputs.abs().sum()}


def toy_runner(work_dir, epochs: int, optimizer: str, resume: bool = False) -> Runner:
    return Runner(
        model=Toy(), work_dir=str(work_dir), resume=resume, experiment_name=f'{optimizer}_{epochs}_{work_dir.name}',
        train_dataloader={'dataset': [{'inputs': torch.randn(4)} for _ in range(4)], 'batch_size': 2,
                          'num_workers': 0, 'sampler': {'type': 'DefaultSampler', 'shuffle': True}},
        train_cfg={'by_epoch': True, 'max_epochs': epochs},
        optim_wrapper={'optimizer': {'type': optimizer, 'lr': 0.1}},
        param_scheduler=[{'type': 'LinearLR', 'start_factor': 0.1, 'by_epoch': False, 'end': 2},
                         {'type': 'MultiStepLR', 'milestones': [1, 2]},
                         {'type': 'OneCycleLR', 'eta_max': 0.1, 'total_steps': 50, 'by_epoch': False}],
        default_hooks={'logger': {'type': 'LoggerHook', 'interval': 1}},
        custom_hooks=[{'type': 'EMAHook'}], default_scope='mmengine', log_level='ERROR')


@pytest.mark.parametrize('optimizer', ['SGD', 'AdamW'])
def test_training_is_resumed(tmp_path, optimizer):
    first = toy_runner(tmp_path, 1, optimizer)
    first.train()
    assert torch.serialization.get_unsafe_globals_in_checkpoint(tmp_path / 'epoch_1.pth') == []
    second = toy_runner(tmp_path, 2, optimizer, resume=True)
    second.train()
    assert (second.epoch, second.iter) == (2, 4)
    history = second.message_hub.log_scalars['train/loss'].data[0]
    assert len(history) == 4
    np.testing.assert_array_equal(history[:2], first.message_hub.log_scalars['train/loss'].data[0])


def test_reads_what_it_saved_equal(tmp_path):
    buffer = HistoryBuffer([1., 2.5], [1, 2])
    numbers = {code: np.arange(3).astype(code) for code in ('?', 'u1', 'i4', 'i8', 'f2', 'f4', 'f8')}
    torch.save({'buffer': buffer, 'arrays': numbers, 'scalar': np.float32(0.5)}, tmp_path / 'saved.pth')
    safe_globals.allow()
    loaded = torch.load(tmp_path / 'saved.pth', weights_only=True)
    np.testing.assert_array_equal(loaded['buffer'].data, buffer.data)
    assert loaded['buffer'].statistics('mean') == buffer.statistics('mean')
    assert loaded['scalar'] == np.float32(0.5)
    for code, array in numbers.items():
        assert loaded['arrays'][code].dtype == array.dtype
        np.testing.assert_array_equal(loaded['arrays'][code], array)


class Reach:
    """Pickles as a call of getattr."""

    def __init__(self, owner, name):
        self.owner, self.name = owner, name

    def __reduce__(self):
        return getattr, (self.owner, self.name)


class Run:
    def __reduce__(self):
        return subprocess.getoutput, ('true',)


@pytest.mark.parametrize('content', [
    Reach(HistoryBuffer, '__init__'),
    Reach(HistoryBuffer, '_statistics_methods'),
    Reach(OneCycleParamScheduler, 'min'),
    Reach(np.ndarray, 'tofile'),
    Reach(np.ndarray((1,)), 'tofile'),
    Run(),
    np.array([{}], dtype=object),
    np.zeros(1, dtype=[('a', 'f4')]),
    np.array(['text']),
], ids=lambda content: f'{type(content).__name__}_{getattr(content, "name", "")}')
def test_refuses_everything_else(tmp_path, content):
    safe_globals.allow()
    torch.save({'content': content}, tmp_path / 'hostile.pth')
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / 'hostile.pth', weights_only=True)


def test_gives_the_functions_that_mmengine_refers_to(tmp_path):
    safe_globals.allow()
    torch.save([Reach(HistoryBuffer, 'mean'), Reach(OneCycleParamScheduler, '_annealing_cos')], tmp_path / 'saved.pth')
    loaded = torch.load(tmp_path / 'saved.pth', weights_only=True)
    assert loaded == [HistoryBuffer.mean, OneCycleParamScheduler._annealing_cos]


def test_adds_nothing_twice_and_nothing_over_somebody_else(fresh):
    out = fresh('import lcvision, numpy, torch\nfrom lcvision.compat.safe_globals import allow\n'
                'torch.serialization.add_safe_globals([numpy.ndarray, (numpy.dtype, "numpy.dtype")])\n'
                'names = allow()\n'
                'print([name in names for name in ("numpy.ndarray", "numpy.dtype", "builtins.getattr")], allow())')
    assert out == '[False, False, True] []'


def test_waits_for_the_runner(fresh):
    out = fresh(
        'import lcvision, torch\n'
        'def names(): return [entry[1] for entry in torch.serialization.get_safe_globals() if isinstance(entry, tuple)]'
        '\nprint("numpy.dtype" in names())\nimport mmengine.runner\nprint("numpy.dtype" in names())')
    assert out.split() == ['False', 'True']
