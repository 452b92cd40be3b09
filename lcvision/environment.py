"""Where a number was measured: CPU, limits and versions; hashes of what was measured."""
import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lcvision.allocator import allocator
from lcvision.errors import UserError
from lcvision.version import __version__

if TYPE_CHECKING:
    from torch import nn

_FLAGS = ('avx2', 'fma', 'avx512f', 'avx512_bf16', 'avx512_vnni', 'avx_vnni', 'amx_bf16', 'amx_int8', 'amx_tile',
          'asimd', 'bf16', 'i8mm', 'sve')
# Variables that forbid kernels the CPU could run.
_ISA_CAPS = ('ATEN_CPU_CAPABILITY', 'ONEDNN_MAX_CPU_ISA')
_PRODUCT = ('/sys/class/dmi/id/sys_vendor', '/sys/class/dmi/id/product_name')
PACKAGES = ['torch', 'mmengine', 'mmdet', 'mmsegmentation', 'mmpretrain', 'numpy']
"""Those whose versions are recorded; the runtime of an engine joins them when the engine is registered."""


def collect() -> dict:
    """What a reader needs to judge or repeat a number; every value is plain JSON."""
    return {
        **fingerprint(), 'usable_threads': usable_threads(), 'allocator': allocator(),
        'platform': platform.platform(), 'python': platform.python_version(), 'versions': versions(),
        'git_revision': git_revision(), 'load_average': load_average(),
    }


def fingerprint() -> dict:
    """What must be equal for the milliseconds of two runs to be comparable; a CPU's name is not enough."""
    import torch
    return {
        **cpu(), 'physical_cores': len(cores()), 'affinity': len(affinity()), 'cgroup_quota': cgroup_quota(),
        'governor': _read('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor'),
        'isa_cap': {name: os.environ[name] for name in _ISA_CAPS if name in os.environ},
        'torch_cpu_capability': torch.backends.cpu.get_cpu_capability(),
        'product': ' '.join(filter(None, map(_read, _PRODUCT))),
    }


def cpu(cpuinfo: str | None = None) -> dict:
    """Model, flags that decide a kernel's speed, and cores, from the text of ``/proc/cpuinfo`` (None reads it)."""
    text = (_read('/proc/cpuinfo') or '') if cpuinfo is None else cpuinfo

    def first(names: str) -> str:
        found = re.search(rf'^(?:{names})\s*:\s*(.+)$', text, re.MULTILINE)
        return found[1].strip() if found else ''

    have = set(first('flags|Features').split())
    parts = ('vendor_id', 'cpu family', 'model', 'stepping', 'CPU implementer', 'CPU variant', 'CPU part',
             'CPU revision')
    return {
        # The second is where macOS has the name.
        'cpu': (first('model name|Hardware|Model') or _output('sysctl', '-n', 'machdep.cpu.brand_string')
                or platform.processor() or platform.machine()),
        'cpu_id': ' '.join(filter(None, map(first, parts))),
        'flags': [flag for flag in _FLAGS if flag in have],
        'flags_hash': hashlib.sha256(' '.join(sorted(have)).encode()).hexdigest()[:16],
        'hypervisor': 'hypervisor' in have, 'cores': os.cpu_count(),
    }


def versions() -> dict[str, str | None]:
    """Versions of everything that computes, by name; None for what is absent."""
    return {**{package: version_of(package) for package in PACKAGES}, 'onednn': onednn_version(),
            'lcvision': __version__}


def version_of(package: str) -> str | None:
    """The installed version of a package, None where it is absent."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        return importlib.metadata.version(package)
    return None


def affinity() -> list[int]:
    """Numbers of the CPUs that this process may run on."""
    return sorted(os.sched_getaffinity(0) if hasattr(os, 'sched_getaffinity') else range(os.cpu_count() or 1))


def cores(root: str = '/sys/devices/system/cpu') -> list[set[int]]:
    """Cores this process may run on, as the numbers of all their CPUs; one unknown under ``root`` is its own core."""
    lists = {_read(f'{root}/cpu{cpu}/topology/thread_siblings_list') or str(cpu) for cpu in affinity()}
    # Such as '0-2,8'.
    found = ({number for first, last in re.findall(r'(\d+)(?:-(\d+))?', text)
              for number in range(int(first), int(last or first) + 1)} for text in lists)
    return sorted(found, key=min)


def largest_cache(root: str = '/sys/devices/system/cpu') -> int:
    """Bytes of the last-level cache; 0 where the system does not describe it under ``root``."""
    sizes = [_read(path) or '' for path in Path(root, 'cpu0/cache').glob('index*/size')]
    return max((int(size[:-1]) << {'K': 10, 'M': 20}[size[-1]] for size in sizes if re.fullmatch(r'\d+[KM]', size)),
               default=0)


def check_threads(threads: Sequence[int]) -> None:
    """Refuses numbers of threads that cannot run at once here, with a :class:`UserError` that names the limit."""
    usable, quota = usable_threads(), cgroup_quota()
    for count in threads:
        if count < 1:
            raise UserError(f'threads must be whole numbers of at least 1, got {count}')
        if count > usable:
            limit = f'{len(affinity())} CPUs' + ('' if quota is None else f' and a quota of {quota:g}')
            raise UserError(f'{count} threads cannot run at once: this process may use {limit}, '
                            f'ask for at most {usable}')


def cgroup_quota(cgroup: str | None = None, root: str = '/sys/fs/cgroup') -> float | None:
    """CPUs' worth of time that the container allows, the tightest limit on the way up; None without a limit.

    ``cgroup`` is the text of ``/proc/self/cgroup`` (None reads it), ``root`` where the cgroup file systems are mounted.
    """
    return min((limit for folder in _cgroup_folders(cgroup, root) if (limit := _folder_quota(folder)) is not None),
               default=None)


def throttled_seconds(cgroup: str | None = None, root: str = '/sys/fs/cgroup') -> float:
    """Seconds in which the container had used up its quota and had to wait; 0 without one."""
    texts = (_read(folder / 'cpu.stat') or '' for folder in _cgroup_folders(cgroup, root))
    return max((int(number) * {'usec': 1e-6, 'time': 1e-9}[unit] for text in texts
                for unit, number in re.findall(r'^throttled_(usec|time) (\d+)$', text, re.MULTILINE)), default=0.)


def usable_threads() -> int:
    """Threads that can run at once here: the smaller of affinity and quota, at least one."""
    cpus, quota = len(affinity()), cgroup_quota()
    return max(1, cpus if quota is None else min(cpus, int(quota)))


def load_average() -> list[float] | None:
    """Runnable processes over 1, 5 and 15 minutes; None where the system does not say."""
    try:
        return [round(load, 2) for load in os.getloadavg()]
    except OSError:
        return None


@functools.cache
def onednn_version() -> str | None:
    """Version of the oneDNN inside torch."""
    import torch
    found = re.search(r'(?:MKL-DNN|oneDNN) v([\d.]+)', torch.__config__.show())
    return found and found[1]


def git_revision() -> str | None:
    """Commit of the sources this package runs from, with '-dirty' when they were changed; None outside git."""
    folder = Path(__file__).resolve().parents[1]
    if not (folder / '.git').exists():
        return None
    return _output('git', '-C', str(folder), 'describe', '--always', '--dirty', '--abbrev=12', '--exclude=*')


def config_hash(config: object) -> str:
    """First 16 hex digits of the SHA-256 of a config's values, whatever file they came from."""
    text = json.dumps(config, sort_keys=True, default=lambda x: getattr(x, '__qualname__', type(x).__name__))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def weights_hash(network: 'nn.Module') -> str:
    """First 16 hex digits of the SHA-256 of all parameters and buffers with their names."""
    import torch
    digest = hashlib.sha256()
    for name, tensor in sorted(network.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[:16]


def count_subnormals(network: 'nn.Module') -> int:
    """Weights so small that a CPU computes with them up to a hundred times slower unless it flushes them to zero."""
    import torch
    total = 0
    for tensor in network.state_dict().values():
        if tensor.is_floating_point():
            # Compared as integers: where subnormal numbers are flushed, floats that hold them compare as zeros.
            integer = {2: torch.int16, 4: torch.int32, 8: torch.int64}[tensor.element_size()]
            size = tensor.contiguous().view(integer) & torch.iinfo(integer).max
            smallest_normal = torch.tensor(torch.finfo(tensor.dtype).tiny, dtype=tensor.dtype).view(integer)
            total += int(((size > 0) & (size < smallest_normal)).sum())
    return total


@functools.cache
def _output(*command: str) -> str | None:
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout.strip()
    return None


def _cgroup_folders(cgroup: str | None, root: str) -> Iterator[Path]:
    text = (_read('/proc/self/cgroup') or '') if cgroup is None else cgroup
    for line in text.splitlines():
        _, controllers, path = line.split(':', 2)
        if not controllers:
            bases = [Path(root), Path(root, 'unified')]
        elif 'cpu' in controllers.split(','):
            bases = [Path(root, controllers), Path(root, 'cpu')]
        else:
            continue
        parts = [part for part in path.split('/') if part not in ('', '..')]
        # Inside a container the path may be the host's: the top of the mount counts as well.
        yield from (base.joinpath(*parts[:depth]) for base in bases for depth in range(len(parts) + 1))


def _folder_quota(folder: Path) -> float | None:
    limit = _read(folder / 'cpu.max')
    quota, period = limit.split() if limit else (_read(folder / name) for name in
                                                 ('cpu.cfs_quota_us', 'cpu.cfs_period_us'))
    if quota in (None, 'max') or period is None or int(quota) <= 0:
        return None
    return int(quota) / int(period)


def _read(path: str | Path) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None
