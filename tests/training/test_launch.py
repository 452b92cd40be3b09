"""How several processes find each other."""
import os

import pytest
import torch
from mmengine.config import Config

from lcvision.errors import UserError
from lcvision.training.launch import use_launcher

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
