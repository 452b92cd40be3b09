"""``lcvision VERB`` and ``tools/*.py``."""
import subprocess
import sys

import pytest

from lcvision.cli import __main__ as command
from tests.cli.conftest import ROOT


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, 'argv', ['lcvision', *arguments])
    return command.main()


def test_help_has_a_line_for_every_tool_and_loads_nothing(tmp_path):
    script = ('import sys; sys.argv = ["lcvision", "--help"]; from lcvision.cli.__main__ import main, _VERBS; main(); '
              'print({"torch", "mmengine"} & sys.modules.keys(), *sorted(name for name, _ in _VERBS.values()))')
    done = subprocess.run([sys.executable, '-c', script], cwd=ROOT, capture_output=True, text=True)
    *lines, last = done.stdout.splitlines()
    assert last == ' '.join(['set()', *sorted(path.stem for path in (ROOT / 'tools').glob('*.py'))])
    assert '  benchmark  measure networks on this CPU' in lines


def test_every_tool_is_the_same_door():
    tools = sorted((ROOT / 'tools').glob('*.py'))
    doors = {path.read_text().partition('\n')[2].replace(f"'{path.stem}'", 'NAME') for path in tools}
    assert len(tools) > 6 and len(doors) == 1


def test_a_verb_takes_the_options_of_its_tool(monkeypatch, capsys):
    with pytest.raises(SystemExit, match='0'):
        call(monkeypatch, 'convert', '--help')
    assert capsys.readouterr().out.startswith('usage: lcvision convert [-h]')
    assert call(monkeypatch, 'flops', 'pplcnet_025x') == 2
    assert 'similar names are ' in capsys.readouterr().err
    assert call(monkeypatch, 'flops', 'pplcnet_0_25x', '--input-size', '64x64') == 0
    assert 'total' in capsys.readouterr().out


@pytest.mark.parametrize('arguments, given', [(['frain'], "unknown verb 'frain'"), ([], 'no verb')])
def test_an_unknown_verb(arguments, given, monkeypatch, capsys):
    assert call(monkeypatch, *arguments) == 2
    assert capsys.readouterr().err.startswith(f'error: {given}: give one of train, test, predict, benchmark, ')


def test_the_version(monkeypatch, capsys):
    assert call(monkeypatch, '--version') == 0
    assert capsys.readouterr().out == 'lcvision 0.1.0\n'
