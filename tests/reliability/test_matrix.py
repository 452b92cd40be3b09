"""What the matrix installs and notes, without installing it."""
import subprocess
from types import SimpleNamespace

import pytest

from tests.reliability import matrix


@pytest.mark.parametrize('name', matrix.ENVIRONMENTS)
def test_each_environment_has_every_package_once(name, tmp_path):
    _, extra, pins = matrix.ENVIRONMENTS[name]
    lines = matrix.constraints(tmp_path, pins).read_text().splitlines()
    assert all(f'{package}=={version}' in lines for package, version in pins.items())
    assert sum(line.startswith('torch==') for line in lines) == 1
    wanted = matrix._requirements(extra)
    assert any(line.startswith('mmcv-lite' if extra == 'all' else 'mmcv>') for line in wanted) and 'pytest' in wanted


@pytest.mark.parametrize(('code', 'output', 'wanted'), [
    (0, '...s.   [ 50%]\n..  [100%]\n', '7 tests passed'),
    (1, '.F   [100%]\nFAILED tests/a.py::test_b - no\n', '1 of 2 tests failed: tests/a.py::test_b')])
def test_a_row_says_what_came_of_it(code, output, wanted, tmp_path, monkeypatch):
    def answer(command, **_):
        tested = 'pytest' in command and 'install' not in command
        return SimpleNamespace(returncode=code if tested else 0, stderr='', stdout=output if tested else '3|2|2|lite')

    monkeypatch.setattr(matrix, 'find_python', lambda version: 'python')
    monkeypatch.setattr(subprocess, 'run', answer)
    row = matrix.try_one('torch 2.6', tmp_path)
    assert row[:5] == ['torch 2.6', '3', '2', '2', 'lite'] and row[5].startswith(wanted)


def test_what_cannot_be_installed_is_noted(tmp_path, monkeypatch):
    monkeypatch.setattr(matrix, 'find_python', lambda version: None)
    assert matrix.try_one('3.13', tmp_path)[-1] == 'not tried: there is no such Python here'
    monkeypatch.setattr(matrix, 'find_python', lambda version: 'python')
    monkeypatch.setattr(subprocess, 'run', lambda command, **_: SimpleNamespace(
        returncode='install' in command, stderr='a\nERROR: no wheel\nb'))
    assert matrix.try_one('3.13', tmp_path)[-1] == 'not installed: no wheel'
