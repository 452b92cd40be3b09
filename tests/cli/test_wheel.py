"""The package as pip installs it, used from an empty folder."""
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, TINY

NAME = 'picodet_pplcnet_0_5x_sample'
# What the console script does, one call after the other in one process.
PROGRAM = """
import sys
import lcvision
from lcvision.cli.__main__ import main
print(lcvision.__file__)
for sys.argv[1:] in {calls}:
    assert main() == 0
"""


def run(*command, cwd):
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'OMP_WAIT_POLICY': 'PASSIVE'}
    environment.pop('PYTHONPATH', None)
    done = subprocess.run([str(part) for part in command], cwd=cwd, env=environment, capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stdout[-1000:] + done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope='module')
def sources(tmp_path_factory):
    """A copy, for a build leaves its traces."""
    folder = tmp_path_factory.mktemp('sources')
    for name in ('lcvision', 'configs', 'docs', 'tools', 'tests'):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns('__pycache__', 'fixtures', '*.png'))
    for name in ('setup.py', 'setup.cfg', 'pyproject.toml', 'README.md', 'LICENSE'):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture(scope='module')
def wheel(sources, tmp_path_factory):
    folder = tmp_path_factory.mktemp('wheel')
    run(sys.executable, '-m', 'pip', 'wheel', '--no-deps', '--no-build-isolation', '--no-index', '-w', folder, sources,
        cwd=folder)
    return next(folder.iterdir())


def install(wheel, folder):
    """Makes an environment that has the other packages of this one, though not its lcvision; returns its programs."""
    venv.create(folder, symlinks=True, with_pip=False)
    python = folder / 'bin' / 'python'
    run(sys.executable, '-m', 'pip', '--python', python, 'install', '--no-deps', '--no-index', wheel, cwd=folder)
    # What a .pth file names is searched last, and its own .pth files, such as an editable lcvision's, do not count.
    site = Path(run(python, '-c', 'import sysconfig; print(sysconfig.get_path("purelib"))', cwd=folder).strip())
    (site / 'outer.pth').write_text('\n'.join({sysconfig.get_path(kind) for kind in ('purelib', 'platlib')}))
    return folder / 'bin'


def test_the_wheel_has_the_configs_and_no_documentation(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f'lcvision/{path.relative_to(ROOT).as_posix()}' for path in (ROOT / 'configs').rglob('*.py')} <= names
    assert {f'lcvision/{name}' for name in ('py.typed', 'latency/photo.jpg', 'report/page.html')} <= names
    assert {name.split('/')[0] for name in names} == {'lcvision', f'{"-".join(wheel.name.split("-")[:2])}.dist-info'}


def test_a_detector_from_an_empty_folder(wheel, data, tmp_path):
    programs, empty = install(wheel, tmp_path / 'env'), tmp_path / 'empty'
    empty.mkdir()
    assert run(programs / 'lcvision', '--version', cwd=empty).startswith('lcvision ')
    train = ['train', NAME, '--data', str(data), '--epochs', '1', *TINY]
    test = ['test', NAME, '--data', str(data), '--json', 'test.json', *TINY]
    benchmark = ['benchmark', NAME, '--scope', 'net,e2e', '--engine', 'eager', '--threads', '1', '--samples', '8',
                 '--max-seconds', '1', '--json', 'latency.json']
    said = run(programs / 'python', '-c', PROGRAM.format(calls=[train, test, benchmark]), cwd=empty)
    assert said.startswith(str(tmp_path / 'env'))
    assert 'coco/bbox_mAP' in json.loads((empty / 'test.json').read_text())['metrics']
    records = json.loads((empty / 'latency.json').read_text())['results']
    assert [(Path(record['config']).stem, record['scope']) for record in records] == [(NAME, 'net'), (NAME, 'e2e')]
    assert sorted(path.name for path in empty.iterdir()) == ['latency.json', 'test.json', 'work_dirs']


def test_an_editable_install_reads_the_configs_of_its_sources(sources, tmp_path):
    build = f'from setuptools.build_meta import build_editable; build_editable({str(tmp_path)!r})'
    run(sys.executable, '-c', build, cwd=sources)
    programs = install(next(tmp_path.glob('*.whl')), tmp_path / 'env')
    printed = run(programs / 'lcvision', 'flops', 'pplcnet_0_25x', cwd=tmp_path)
    assert printed.startswith(f'{sources}/configs/classification/pplcnet_0_25x.py, ')
