import configparser
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Stands for an interpreter: "-m venv" makes a virtual environment of itself, and "-m pip" works where PIP is set.
PYTHON = '''#!/bin/sh
case "$*" in
    *"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python && test -n "$PIP";;
    *) echo "$@" >> calls; test -n "$PIP";;
esac
'''


@pytest.fixture
def clone(tmp_path):
    for name in ('Makefile', 'setup.cfg', 'setup.py', 'pyproject.toml', 'constraints.txt'):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / 'python3.11').write_text(PYTHON)
    (tmp_path / 'python3.11').chmod(0o755)
    return tmp_path


def make(clone, *arguments, **environment):
    # MAKEFLAGS: of the make that runs these tests.
    environment = {**os.environ, 'MAKEFLAGS': '', 'PIP': '', 'PATH': f'{clone}:{os.environ["PATH"]}', **environment}
    return subprocess.run(['make', *arguments], cwd=clone, env=environment, capture_output=True, text=True)


def test_clean_keeps_what_was_trained(clone):
    for name in ('work_dirs/run/epoch_1.pth', '.venv/installed', 'build/x', 'lcvision.egg-info/x'):
        (clone / name).parent.mkdir(parents=True)
        (clone / name).write_text('')
    assert make(clone, 'clean').returncode == 0
    assert (clone / 'work_dirs/run/epoch_1.pth').exists()
    assert not any((clone / name).exists() for name in ('.venv', 'build', 'lcvision.egg-info'))


def test_an_interpreter_without_venv_is_named_and_leaves_nothing(clone):
    done = make(clone, '.venv/installed')
    assert done.returncode == 2
    assert 'apt install python3.11-venv' in done.stdout
    assert not (clone / '.venv').exists()


def test_a_half_made_environment_is_made_anew(clone):
    (clone / '.venv/bin').mkdir(parents=True)
    (clone / '.venv/bin/python').write_text('#!/bin/sh\necho No module named pip >&2; exit 1\n')
    (clone / '.venv/bin/python').chmod(0o755)
    done = make(clone, '.venv/installed', PIP='works')
    assert done.returncode == 0, done.stderr
    assert '-e .[all,onnx,openvino,report,dev]' in (clone / 'calls').read_text()


def test_windows_gets_one_sentence():
    script = 'import runpy, sys; sys.platform = "win32"; runpy.run_path("tools/report.py", run_name="__main__")'
    done = subprocess.run([sys.executable, '-c', script], cwd=ROOT, capture_output=True, text=True,
                          env={**os.environ, 'PYTHONPATH': str(ROOT)})
    assert done.returncode
    assert done.stderr == 'error: lcvision runs on Linux and macOS only; on Windows, run it inside WSL.\n'


@pytest.mark.parametrize('extra', ['det', 'seg', 'cls', 'full'])
def test_every_framework_brings_an_mmcv_that_mmdet_does_not_refuse(extra):
    setup = configparser.ConfigParser()
    setup.read(ROOT / 'setup.cfg')
    from packaging.requirements import Requirement
    requirements = [Requirement(line) for line in setup['options.extras_require'][extra].split()]
    mmcv, = (one for one in requirements if one.name.startswith('mmcv'))
    assert mmcv.specifier.contains('2.1.0') and not mmcv.specifier.contains('2.2.0')


@pytest.mark.parametrize('python', ['3.10', '3.11', '3.12', '3.13'])
def test_each_python_has_one_version_of_every_package(python):
    from packaging.requirements import Requirement
    lines = [line for line in (ROOT / 'constraints.txt').read_text().splitlines() if not line.startswith('#')]
    requirements = [Requirement(line) for line in lines]
    valid = [one.name for one in requirements if not one.marker or one.marker.evaluate({'python_version': python})]
    assert sorted(valid) == sorted({one.name for one in requirements})
    assert f'Python :: {python}\n' in (ROOT / 'setup.cfg').read_text()
