"""Checks this machine and this installation, and says what to do about what is not right."""
import dataclasses
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections import defaultdict
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from rich.console import Console

from lcvision import environment
from lcvision.allocator import allocator
from lcvision.environment import version_of
from lcvision.files import check_target, write_atomically

_COLOURS = {'ok': 'green', 'note': 'cyan', 'warning': 'yellow', 'error': 'red'}
_CONSTRAINTS = Path(__file__).parents[2] / 'constraints.txt'
# What the flags of a CPU mean: of each kind of numbers, the first that it has counts.
_MEANINGS = {
    'float32': {'avx512f': '16 at once', 'avx2': '8 at once', 'asimd': '4 at once', '': 'slow, this CPU lacks AVX2'},
    'bfloat16': {'amx_bf16': 'tiles (AMX), a multiple of the speed', 'avx512_bf16': 'up to twice the speed',
                 'bf16': 'up to twice the speed', '': 'not in this CPU, and refused'},
    'int8': {'amx_int8': 'tiles (AMX), a multiple of the speed', 'avx512_vnni': 'VNNI, up to four times the speed',
             'avx_vnni': 'VNNI, up to four times the speed', 'i8mm': 'up to four times the speed',
             '': 'no VNNI: smaller files, but hardly more speed'}}
_LEAST_SHM, _LEAST_DISK = 1, 5  # GiB


@dataclasses.dataclass(frozen=True)
class Check:
    """One line: whether it is 'ok', a 'note', a 'warning' or an 'error', what, what was found, and what to do."""

    level: str
    name: str
    text: str
    remedy: str = ''


def main(argv: list[str] | None = None) -> int:
    """Checks; returns 1 if something does not work."""
    parser = ArgumentParser(description='Checks this machine and this installation; every engine runs a small network.')
    parser.add_argument('--json', metavar='FILE', help='write everything found')
    args = parser.parse_args(argv)
    check_target('--json', args.json)
    groups = (_packages, _machine, _engines)[:3 if version_of('torch') else 1]
    console, checks = Console(highlight=False, soft_wrap=True), []
    for check in (one for group in groups for one in group()):
        checks.append(check)
        console.print(f'{check.level:8}', style=_COLOURS[check.level], end='')
        remedy = f'; {check.remedy}' if check.remedy and check.level != 'ok' else ''
        console.print(f'{check.name:22} {check.text}{remedy}', markup=False)
    errors = sum(check.level == 'error' for check in checks)
    console.print(f'{errors} errors' if errors else 'everything works', style='red' if errors else 'green')
    if args.json:
        content = {'schema': 1, 'environment': version_of('torch') and environment.collect(),
                   'checks': list(map(dataclasses.asdict, checks))}
        write_atomically(args.json, (json.dumps(content, indent=1) + '\n').encode())
    return int(bool(errors))


def _packages() -> Iterator[Check]:
    fits = (3, 10) <= sys.version_info[:2] <= (3, 13)
    yield Check('ok' if fits else 'error', 'Python', platform.python_version(), 'use one from 3.10 to 3.13')
    absent: dict[str, list[str]] = defaultdict(list)
    for text in (metadata.requires('lcvision') or ()) if version_of('lcvision') else ():
        requirement = Requirement(text)
        found = version_of(requirement.name)
        extra = str(requirement.marker).partition('extra == "')[2].rstrip('"') if requirement.marker else ''
        if found and not requirement.specifier.contains(found, prereleases=True):
            yield Check('error', requirement.name, f'{found}, but {requirement.specifier} is needed',
                        f"pip install '{requirement.name}{requirement.specifier}'")
        elif not found and requirement.name != 'lcvision':
            absent[extra].append(requirement.name)
    for extra, names in absent.items():
        if extra not in ('full', 'dev'):
            remedy = f"pip install 'lcvision[{extra}]' if you need it" if extra else f'pip install {" ".join(names)}'
            yield Check('note' if extra else 'error', extra or 'packages', f'not installed: {", ".join(names)}', remedy)
    lines = _CONSTRAINTS.read_text().splitlines() if _CONSTRAINTS.is_file() else ()
    tested = [Requirement(line) for line in lines if line and not line.startswith('#')]
    others = [f'{one.name} {found} ({one.specifier})' for one in tested if (found := version_of(one.name))
              and (not one.marker or one.marker.evaluate()) and found.partition('+')[0] not in one.specifier]
    yield Check('warning' if others else 'ok', 'versions', f'not those tested: {", ".join(others)}' if others else
                'those tested' if lines else 'in the range', 'pip install -c constraints.txt brings these')
    lite, full = version_of('mmcv-lite'), version_of('mmcv')
    both = 'both mmcv and mmcv-lite, which overwrite each other' if lite and full else ''
    yield Check('error' if both or not (lite or full) else 'ok', 'mmcv', both or (
        f'{lite}, mmcv-lite with our operators' if lite else f'{full}, compiled' if full else 'not installed'),
        "pip uninstall mmcv mmcv-lite, then pip install 'lcvision[all]'")


def _machine() -> Iterator[Check]:
    here = environment.collect()
    yield Check('ok', 'CPU', f"{here['cpu']}, {here['physical_cores']} cores")
    for numbers, meanings in _MEANINGS.items():
        flag = next(flag for flag in meanings if flag in here['flags'] or not flag)
        slow = not flag and numbers == 'float32'
        yield Check('warning' if slow else 'ok', numbers, f'{flag}: {meanings[flag]}'.removeprefix(': '))
    for name, cap in here['isa_cap'].items():
        yield Check('warning', name, f'{cap} forbids instructions that the CPU may have', f'unset {name}')
    threads, load = here['usable_threads'], (here['load_average'] or [0])[0]
    quota = f", quota {here['cgroup_quota']:g} CPUs" if here['cgroup_quota'] else ''
    yield Check('ok', 'threads', f"{threads} at once of {here['affinity']} CPUs{quota}")
    if load > threads / 2:
        yield Check('warning', 'load', f'{load:g}: other programs are running', 'milliseconds measured now are noisy')
    omp = os.environ.get('OMP_NUM_THREADS', '')
    if omp.isdecimal() and int(omp) > threads:
        yield Check('warning', 'OMP_NUM_THREADS', f'{omp}, but {threads} can run at once', 'unset it')
    for name, folder, least, remedy in (
            ('/dev/shm', '/dev/shm', _LEAST_SHM, 'start the container with --shm-size=2g, or train with --cfg-options '
             'train_dataloader.num_workers=0 train_dataloader.persistent_workers=False'),
            ('disk', '.', _LEAST_DISK, 'checkpoints need room: free some, or save elsewhere with --work-dir'),
            ('temporary files', tempfile.gettempdir(), _LEAST_DISK, 'free some, or set TMPDIR')):
        free = shutil.disk_usage(folder).free / 2**30 if Path(folder).is_dir() else least
        yield Check('warning' if free < least else 'ok', name, f'{free:.1f} GiB free', remedy)
    memory = allocator()
    kept = memory['keeps_freed_memory']
    yield Check('ok' if kept else 'note', 'allocator', f"{memory['preload'] or 'the C library'}"
                f"{', keeps freed memory' if kept else ', returns freed memory: activations may be slower'}")


def _engines() -> Iterator[Check]:
    """Runs a small network on every engine in the precisions of this CPU; what compiles takes its time in float32."""
    import torch
    from torch import nn

    from lcvision.deploy.engines import ENGINES
    from lcvision.deploy.engines.best import prepare_checked
    from lcvision.deploy.engines.engine import first_line
    from lcvision.deploy.network import RawNetwork, example_input
    from lcvision.deploy.precision import lacking
    from lcvision.training.launch import quiet_warnings
    torch.set_flush_denormal(True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = RawNetwork(nn.Sequential(
            nn.Conv2d(3, 16, 3, 2, 1, bias=False), nn.BatchNorm2d(16), nn.Hardswish(),
            nn.Conv2d(16, 16, 3, 1, 1, groups=16), nn.Hardswish(), nn.Conv2d(16, 8, 1)), None, None).eval()
    missing = {name: engine.missing() for name, engine in ENGINES.items()}
    yield from (Check('note', name, reason) for name, reason in missing.items() if reason)
    runs = [(engine, precision) for name, engine in ENGINES.items() if not missing[name]
            for precision in engine.precisions[:1 if engine.compiles else None] if not lacking(precision)]
    for engine, precision in runs:
        name, start = f'{engine.name} {precision}', time.perf_counter()
        try:
            with quiet_warnings(), torch.inference_mode():
                prepare_checked(engine, network, example_input((64, 64)), precision, torch.get_num_threads())
            yield Check('ok', name, f'right; ready in {time.perf_counter() - start:.1f} s')
        except Exception as error:  # whatever a runtime throws
            remedy = f"pip install --force-reinstall {' '.join(engine.packages)}" if engine.packages else ''
            if engine.compiles and not shutil.which('g++'):
                remedy = 'install a C++ compiler (on Debian: apt install g++)'
            yield Check('error', name, first_line(error)[:200], remedy)
