"""How several processes find each other, lose each other, and together do what one does."""
import os
import signal

import pytest
import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from lcvision.engine.hooks.cycle_ema_hook import CycleEMAHook
from lcvision.errors import RunFailed, UserError, plain_errors
from lcvision.training.launch import goes_on, use_launcher

SLURM = ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID')
MPI = ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK')


def _process(rank, launcher, names, port, folder):
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'MASTER_ADDR'):
        os.environ.pop(name, None)
    os.environ.update(dict(zip(names, (str(rank), '2', str(rank)))), MASTER_PORT=str(port), SLURM_NNODES='1',
                      OMPI_COMM_WORLD_LOCAL_SIZE='2')
    cfg = Config(dict(model=dict()))
    use_launcher(cfg, launcher, 0)
    total = torch.tensor([rank + 1])
    torch.distributed.all_reduce(total)
    wrapper = cfg.model_wrapper_cfg.type
    (folder / str(rank)).write_text(f'{int(total)} {os.environ["LOCAL_RANK"]} {cfg.launcher} {wrapper}')


@pytest.mark.parametrize(('launcher', 'names', 'port'), [('slurm', SLURM, 29641), ('mpi', MPI, 29642)])
def test_two_processes_meet_on_cpus(launcher, names, port, tmp_path):
    if torch.cuda.is_available():
        pytest.skip('on GPUs mmengine starts the processes')
    torch.multiprocessing.start_processes(_process, (launcher, names, port, tmp_path), nprocs=2, start_method='fork')
    assert [(tmp_path / str(rank)).read_text() for rank in (0, 1)] == [
        f'3 {rank} {launcher} MMDistributedDataParallel' for rank in (0, 1)]


@pytest.mark.parametrize(('launcher', 'names'), [('slurm', SLURM), ('mpi', MPI)])
def test_several_machines_need_a_meeting_place(launcher, names, monkeypatch):
    monkeypatch.delenv('MASTER_ADDR', raising=False)
    for name, value in zip(names, ('0', '2', '0')):
        monkeypatch.setenv(name, value)
    for name in ('RANK', 'WORLD_SIZE', 'LOCAL_RANK'):
        monkeypatch.setenv(name, '0')
    monkeypatch.setenv('SLURM_NNODES', '2')
    monkeypatch.setattr('shutil.which', lambda _: None)
    with pytest.raises(UserError, match='set MASTER_ADDR'):
        use_launcher(Config(dict(model=dict())), launcher, 0)


def test_gpus_talk_over_nccl(monkeypatch):
    monkeypatch.setenv('RANK', '0')
    monkeypatch.setenv('WORLD_SIZE', '1')
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    monkeypatch.setattr('torch.distributed.is_nccl_available', lambda: True)
    cfg = Config(dict(model=dict(), env_cfg=dict(dist_cfg=dict(backend='gloo'))))
    use_launcher(cfg, 'pytorch', 0)
    assert cfg.env_cfg.dist_cfg.backend == 'nccl'


def _meet(rank, port, **environment):
    os.environ.update(RANK=str(rank), WORLD_SIZE='2', LOCAL_RANK=str(rank), MASTER_ADDR='127.0.0.1',
                      MASTER_PORT=str(port), **environment)
    cfg = Config(dict(model=dict()))
    use_launcher(cfg, 'pytorch', rank)
    return cfg


def _start(function, *arguments):
    if torch.cuda.is_available():
        pytest.skip('on GPUs mmengine starts the processes')
    return torch.multiprocessing.start_processes(function, arguments, nprocs=2, start_method='fork', join=False)


def _lose(rank, port, folder):
    _meet(rank, port)
    if rank:
        os.kill(os.getpid(), signal.SIGKILL)
    try:
        with plain_errors():
            torch.distributed.all_reduce(torch.zeros(1))
    except RunFailed as error:
        (folder / 'sentence').write_text(str(error))


def test_the_end_of_one_process_ends_the_other_with_a_sentence(tmp_path):
    for process in _start(_lose, 29643, tmp_path).processes:
        process.join(30)
    assert (tmp_path / 'sentence').read_text().startswith('another process of this run has ended')


def test_a_killed_process_that_loads_images_is_named():
    with pytest.raises(RunFailed, match=r'^process \d+, which loaded images, was killed: '), plain_errors():
        list(DataLoader([0], num_workers=1, collate_fn=lambda _: os.kill(os.getpid(), signal.SIGKILL)))


def _meet_again(rank, port, attempt, folder):
    _meet(rank, port, TORCHELASTIC_USE_AGENT_STORE='True', TORCHELASTIC_RESTART_COUNT=str(attempt))
    total = torch.ones(1)
    torch.distributed.all_reduce(total)
    (folder / f'{attempt}{rank}').write_text(str(int(total)))


def test_a_run_started_again_by_torchrun_forgets_the_processes_before(tmp_path):
    store = torch.distributed.TCPStore('127.0.0.1', 29644, is_master=True, wait_for_workers=False)
    for attempt in (0, 1):
        _start(_meet_again, 29644, attempt, tmp_path).join()
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(('00', '01', '10', '11'), '2')
    del store


@pytest.mark.parametrize(('count', 'resume', 'wanted', 'kept'), [
    ('0', False, False, False), ('0', True, False, True), ('1', False, True, True), ('1', True, True, True)])
def test_only_a_restart_goes_on_by_itself(tmp_path, monkeypatch, count, resume, wanted, kept):
    monkeypatch.setenv('TORCHELASTIC_RESTART_COUNT', count)
    note = tmp_path / 'last_checkpoint'
    for restarts, launcher in (('0', 'pytorch'), ('2', 'none')):
        monkeypatch.setenv('TORCHELASTIC_MAX_RESTARTS', restarts)
        note.write_text('epoch_1.pth')
        assert not goes_on(launcher, tmp_path, resume) and note.is_file()
    monkeypatch.setenv('TORCHELASTIC_MAX_RESTARTS', '2')
    assert goes_on('pytorch', tmp_path, resume) is wanted and note.is_file() is kept
    note.unlink(missing_ok=True)
    assert not goes_on('pytorch', tmp_path, resume)


class Line(BaseModel):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 1)

    def forward(self, inputs, mode='tensor'):
        return {'loss': self.layer(inputs).square().mean()} if mode == 'loss' else [*self.layer(inputs)]


class Sum(BaseMetric):
    def process(self, data_batch, data_samples):
        self.results += data_samples

    def compute_metrics(self, results):
        return {'number': len(results), 'sum': float(sum(results))}


def _train(folder, batch, cfg=None):
    torch.manual_seed(0)
    data, found = [dict(inputs=row) for row in torch.rand(24, 3)], {}
    loader = dict(num_workers=0, collate_fn=dict(type='default_collate'))
    name = f'line_{os.getpid()}'
    runner = Runner(
        Line(), str(folder / name),
        dict(batch_size=batch, sampler=dict(type='DefaultSampler', shuffle=True), dataset=data, **loader),
        dict(batch_size=batch, sampler=dict(type='DefaultSampler', shuffle=False), dataset=data[:21], **loader),
        train_cfg=dict(by_epoch=True, max_epochs=3, val_interval=1), val_cfg=dict(), val_evaluator=[Sum()],
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.3, momentum=0.9)), launcher='pytorch' if cfg else 'none',
        custom_hooks=[CycleEMAHook(decay=0.9)], experiment_name=name, randomness=dict(seed=5), log_level='WARNING',
        cfg=cfg or {}, default_hooks=dict(checkpoint=None))
    runner.train()
    ema = next(hook.ema_model for hook in runner.hooks if isinstance(hook, CycleEMAHook))
    found.update({f'model.{key.removeprefix("module.")}': value for key, value in runner.model.state_dict().items()})
    found.update({f'ema.{key}': value for key, value in ema.state_dict().items()})
    found.update({key: runner.message_hub.get_scalar(f'val/{key}').current() for key in ('number', 'sum')})
    return found


def _train_in_two(rank, port, folder):
    torch.save(_train(folder, 4, _meet(rank, port)), folder / f'{rank}.pth')


def test_two_processes_train_and_validate_as_one_does(tmp_path):
    """The batches of both together are those of one: of its weights, their average, and the metrics nothing differs."""
    _start(_train_in_two, 29645, tmp_path).join()
    with DefaultScope.overwrite_default_scope('mmengine'):
        one = _train(tmp_path, 8)
    assert one['number'] == 21 and {key.partition('.')[0] for key in one} == {'model', 'ema', 'number', 'sum'}
    for rank in (0, 1):
        both = torch.load(tmp_path / f'{rank}.pth')
        assert both.keys() == one.keys()
        for key, value in one.items():
            torch.testing.assert_close(both[key], value, rtol=1e-5, atol=1e-6, msg=key)
