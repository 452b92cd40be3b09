import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.config import Config, config
from yapf.yapflib.yapf_api import FormatCode
from yapf_third_party._ylib2to3.pgen2.grammar import Grammar

import lcvision  # noqa: F401  (its bridges)
from lcvision.compat import yapf_cache


@pytest.mark.parametrize('rename', ['rename', 'replace'])
def test_a_grammar_is_whole_when_it_gets_its_name(rename, tmp_path, monkeypatch):
    grammar, found, move = Grammar(), [], getattr(os, rename)

    def look(source, target, **kwargs):
        found.append(pickle.loads(Path(source).read_bytes()))
        move(source, target, **kwargs)
    monkeypatch.setattr(os, rename, look)
    path = tmp_path / 'Grammar.pickle'
    grammar.dump(str(path))
    assert found in ([], [vars(grammar)]), 'another process would have found half a file'
    copy = Grammar()
    copy.load(str(path))
    assert vars(copy) == vars(grammar) and FormatCode('a=1')[0] == 'a = 1\n'


def test_a_config_is_formatted_once(monkeypatch):
    asked = []

    def format_code(text, style_config):
        asked.append(style_config['based_on_style'])
        return f'{text}  # formatted', True
    monkeypatch.setattr(config, 'FormatCode', format_code)
    yapf_cache.format_once()
    for value in (1, 1, 2):
        assert Config(dict(a=value)).pretty_text == f'a={value}  # formatted'
    assert asked == ['pep8'] * 2


def test_it_waits_for_yapf():
    code = ('import sys, lcvision; assert "yapf" not in sys.modules; import mmengine.runner; '
            'from yapf_third_party._ylib2to3.pgen2.grammar import Grammar; '
            'print(Grammar.dump.__module__, mmengine.config.config.FormatCode.__module__)')
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, timeout=100)
    assert done.stdout.split() == ['lcvision.compat.yapf_cache'] * 2, done.stderr
