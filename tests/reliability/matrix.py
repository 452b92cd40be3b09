"""Installs lcvision for several Pythons and versions and runs a few tests in each: python tests/reliability/matrix.py.

Names of environments limit it to those; --folder is where they are made, and kept for the next time. The results go to
docs/support.md, which keeps those of other environments.
"""
import argparse
import datetime
import os
import re
import shutil
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / 'docs/support.md'
TESTS = ('tests/compat', 'tests/evaluation', 'tests/datasets/test_coco_folder.py', 'tests/training/test_launch.py',
         'tests/models/backbones/test_pplcnet.py', 'tests/deploy/test_network.py', 'tests/inference/test_predictor.py',
         'tests/cli/test_get_flops.py')
# By name: the Python, the extras, and what takes the place of a line of constraints.txt.
_FLOOR = dict(torch='2.6.0', torchvision='0.21.0', numpy='1.26.4', safetensors='0.4.5', pillow='10.1.0',
              **{'opencv-python': '4.10.0.84', 'matplotlib': '3.9.4', 'scipy': '1.13.1', 'shapely': '2.0.7',
                 'rich': '13.9.4'})
ENVIRONMENTS = {
    **{python: (python, 'all', {}) for python in ('3.10', '3.11', '3.12', '3.13')},
    'torch 2.6': ('3.11', 'all', dict(torch='2.6.0', torchvision='0.21.0')),
    'floors': ('3.10', 'all', _FLOOR),
    'full mmcv': ('3.11', 'full', {}),
}
HEAD = """# What lcvision runs on
`make matrix` installs each environment, with the versions of constraints.txt but for what is named, and runs a short
set of tests in it (`tests/reliability/matrix.py`). All tests run on Python 3.11.

| environment | Python | torch | numpy | mmcv | result | date |
|---|---|---|---|---|---|---|
"""
_VERSIONS = """import sys, torch, numpy, mmcv
from importlib.metadata import version, packages_distributions
kind = packages_distributions()['mmcv'][0]
print('|'.join([sys.version.split()[0], torch.__version__, numpy.__version__, f'{kind} {version(kind)}']))"""


def constraints(folder: Path, pins: dict[str, str]) -> Path:
    """constraints.txt with some lines replaced."""
    lines = (ROOT / 'constraints.txt').read_text().splitlines()
    kept = [line for line in lines if re.split('[=<>]', line)[0] not in pins]
    path = folder / 'constraints.txt'
    path.write_text('\n'.join([*kept, *(f'{name}=={version}' for name, version in pins.items())]) + '\n')
    return path


def find_python(version: str) -> str | None:
    """An interpreter that runs: a name on the PATH may be one that only says how it would be installed."""
    for name in (f'python{version}', *sorted(map(str, Path.home().glob(f'.pyenv/versions/{version}.*/bin/python')))):
        if shutil.which(name) and not subprocess.run([name, '-c', ''], capture_output=True, check=False).returncode:
            return name
    return None


def try_one(name: str, folder: Path) -> list[str]:
    """A row of the table: what is installed, and what came of it."""
    version, extra, pins = ENVIRONMENTS[name]
    place, python = folder / name.replace(' ', '_'), find_python(version)
    if python is None:
        return [name, version, '', '', '', 'not tried: there is no such Python here']
    place.mkdir(parents=True, exist_ok=True)
    binary, quiet = str(place / 'bin/python'), dict(capture_output=True, text=True, cwd=ROOT)
    steps = [[python, '-m', 'venv', str(place)],
             [binary, '-m', 'pip', 'install', '-q', '--disable-pip-version-check', '--only-binary', ':all:', '-c',
              str(constraints(place, pins)), *_requirements(extra)]]
    start = time.monotonic()
    for step in steps:
        done = subprocess.run(step, **quiet)
        if done.returncode:
            reason = next((line for line in done.stderr.splitlines() if line.startswith('ERROR')), done.stderr[-200:])
            reason = reason.removeprefix('ERROR: ').replace('|', '/')[:200]
            return [name, version, '', '', '', f'not installed: {reason}']
    minutes = (time.monotonic() - start) / 60
    environment = {**os.environ, 'PYTHONPATH': str(ROOT), 'OMP_NUM_THREADS': '1'}
    versions = subprocess.run([binary, '-c', 'import lcvision\n' + _VERSIONS], env=environment, **quiet).stdout.strip()
    done = subprocess.run([binary, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', *TESTS], env=environment, **quiet)
    (place / 'tests.txt').write_text(done.stdout + done.stderr)
    failed = [line.split()[1] for line in done.stdout.splitlines() if line.startswith(('FAILED', 'ERROR'))]
    dots = sum(len(found) for found in re.findall(r'^([.sxFE]+) +\[', done.stdout, re.M))
    result = f'{dots} tests passed'
    if done.returncode:
        result = f'{len(failed)} of {dots} tests failed: {", ".join(failed)[:200]}'
    return [name, *(versions.split('|') if versions else [version, '', '', '']),
            f'{result} (installed in {minutes:.0f} minutes)']


def _requirements(extra: str) -> list[str]:
    """What the package, its extra and the tests need; the package itself is on the path."""
    import configparser
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    extras = setup['options.extras_require']
    names = dict(all=('det', 'seg', 'cls'), full=('full',))[extra]
    lines = [setup['options']['install_requires'], *(extras[name] for name in (*names, 'onnx'))]
    return [*sorted({one for text in lines for one in text.split('\n') if one.strip()}), 'pytest']


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names', nargs='*', metavar='NAME', help=f'of {", ".join(ENVIRONMENTS)} [all]')
    parser.add_argument('--folder', type=Path, default=ROOT / 'work_dirs/matrix')
    args = parser.parse_args()
    rows = {}
    if PAGE.is_file():
        rows = {line.split('|')[1].strip(): line for line in PAGE.read_text().splitlines() if line.startswith('| ')}
        rows.pop('environment')
    for name in args.names or ENVIRONMENTS:
        row = try_one(name, args.folder)
        rows[name] = '| ' + ' | '.join([*row, datetime.date.today().isoformat()]) + ' |'
        print(rows[name], flush=True)
        PAGE.write_text(HEAD + '\n'.join(rows[known] for known in ENVIRONMENTS if known in rows) + '\n')


if __name__ == '__main__':
    main()
