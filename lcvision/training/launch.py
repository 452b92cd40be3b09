"""What train and test share: flags, launchers, quiet warnings."""
import os
import shutil
import subprocess
import warnings
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.logging import print_log

from lcvision.config import ConfigOptions
from lcvision.engine.hooks.memory_format_hook import FORMATS
from lcvision.errors import UserError

# Where each launcher says which of how many processes this one is, and how it is started.
_LAUNCHERS = {
    'pytorch': ('RANK', 'WORLD_SIZE', 'LOCAL_RANK', 'torchrun --nproc-per-node N'),
    'slurm': ('SLURM_PROCID', 'SLURM_NTASKS', 'SLURM_LOCALID', 'srun --ntasks N python'),
    'mpi': ('OMPI_COMM_WORLD_RANK', 'OMPI_COMM_WORLD_SIZE', 'OMPI_COMM_WORLD_LOCAL_RANK', 'mpirun -n N python'),
}
_UNHELPFUL = ('.*pkg_resources.*', '.*find_loader.*', '.*Failed to search registry.*', '.*torch.meshgrid.*',
              '.*save_param_scheduler.*', '.*The model and loaded state dict.*', '.*lr_scheduler.step.*',
              '.*Please import .* from .*', '.*pin_memory.*', 'The draw is False.*')


def add_run_arguments(parser: ArgumentParser) -> None:
    """Adds the flags that train and test share."""
    parser.add_argument('--work-dir', metavar='DIR', help='folder of logs and checkpoints [work_dirs/CONFIG]')
    parser.add_argument('--data', metavar='SOURCE', help="'sample' (rendered on first use, no download) or a folder: "
                        'in COCO layout, in Cityscapes layout or with images/ and masks/, or a tree of images; classes '
                        "come from the data [the config's own data set]")
    parser.add_argument('--memory-format', choices=('auto', *FORMATS),
                        help='layout of activations on a CPU, and with _split gradients of depthwise convolutions in '
                        "parts; auto measures and takes the fastest [the config's, auto]")
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOptions, metavar='K=V',
                        help='entries of the config to override, e.g. train_dataloader.batch_size=8')
    parser.add_argument('--launcher', choices=('none', *_LAUNCHERS), default='none',
                        help='how processes were started [none]')
    parser.add_argument('--verbose', action='store_true', help="show mmengine's whole log, as in the log file")
    parser.add_argument('--local_rank', '--local-rank', type=int, default=0, help='set by the launcher')


def use_launcher(cfg: Config, launcher: str, local_rank: int, verb: str = 'train') -> None:
    """Sets the launcher and checks that it has started this process, which runs ``lcvision VERB``."""
    cfg.launcher = launcher
    if launcher != 'none':
        *names, command = _LAUNCHERS[launcher]
        absent = [name for name in names[:2] if name not in os.environ]
        if absent:
            raise UserError(f'--launcher {launcher}: {" and ".join(absent)} is not set, so nothing has started several '
                            f'processes: start with `{command} -m lcvision.cli {verb} CONFIG --launcher {launcher}`')
        if torch.cuda.is_available():
            if torch.distributed.is_nccl_available():
                cfg.merge_from_dict({'env_cfg.dist_cfg.backend': 'nccl'})
        else:
            _distribute_over_cpus(cfg, launcher, names)
    os.environ.setdefault('LOCAL_RANK', str(local_rank))


def goes_on(launcher: str, work_dir: str | Path, resume: object) -> bool:
    """Whether ``torchrun --max-restarts`` has started this process again, and there is a checkpoint to go on from.

    When such a run starts for the first time, without ``resume``, the note of an older run's last checkpoint gets
    another name, so that a restart does not go on from it.
    """
    note = Path(work_dir, 'last_checkpoint')
    if launcher != 'pytorch' or os.environ.get('TORCHELASTIC_MAX_RESTARTS', '0') == '0' or not note.is_file():
        return False
    if os.environ['TORCHELASTIC_RESTART_COUNT'] != '0':
        print_log('torchrun has started this run again: it goes on from the last checkpoint', logger='current')
        return True
    if not resume and is_main_process():
        note.replace(note.with_suffix('.older_run'))
    return False


def _distribute_over_cpus(cfg: Config, launcher: str, names: list[str]) -> None:
    # mmengine's own start calls torch.cuda and gives the wrapper a GPU's index.
    for name, given in zip(_LAUNCHERS['pytorch'], names):
        if given in os.environ:
            os.environ[name] = os.environ[given]
    if 'MASTER_ADDR' not in os.environ:
        os.environ['MASTER_ADDR'] = _meeting_place(launcher)
    os.environ.setdefault('MASTER_PORT', '29500')
    store, rank, size = next(torch.distributed.rendezvous('env://'))
    # torchrun keeps its store when it starts a run again, with the addresses of the processes before.
    store = torch.distributed.PrefixStore(os.environ.get('TORCHELASTIC_RESTART_COUNT', '0'), store)
    torch.distributed.init_process_group('gloo', store=store, rank=rank, world_size=size)
    cfg.model_wrapper_cfg = dict(
        type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False,
        find_unused_parameters=cfg.get('find_unused_parameters', False))


def _meeting_place(launcher: str) -> str:
    here = os.environ.get('OMPI_COMM_WORLD_LOCAL_SIZE') == os.environ['WORLD_SIZE']
    if launcher == 'slurm':
        here = os.environ.get('SLURM_NNODES') == '1'
        if not here and shutil.which('scontrol'):
            hosts = ['scontrol', 'show', 'hostnames', os.environ.get('SLURM_NODELIST', '')]
            found = subprocess.run(hosts, capture_output=True, text=True, check=False).stdout.split()
            if found:
                return found[0]
    if not here:
        raise UserError(f'--launcher {launcher} over several machines: set MASTER_ADDR to the name of the one with '
                        'process 0')
    return '127.0.0.1'


@contextmanager
def quiet_warnings() -> Iterator[None]:
    """Hides warnings of libraries that a reader can do nothing about."""
    # Workers of a data loader may be new processes, which read this.
    os.environ.setdefault('PYTHONWARNINGS', 'ignore::DeprecationWarning,ignore::FutureWarning')
    with warnings.catch_warnings():
        for message in _UNHELPFUL:
            warnings.filterwarnings('ignore', message=message)
        for category in (DeprecationWarning, FutureWarning):
            warnings.filterwarnings('ignore', category=category)
        yield
