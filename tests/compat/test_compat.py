import sys
from importlib import import_module

import pytest

import lcvision.compat
from lcvision.compat import ImportWatch, before_import


def test_frameworks_import_in_one_interpreter():
    for name in ('mmdet.models', 'mmseg.models', 'mmpretrain.models', 'mmdet.datasets', 'mmseg.datasets',
                 'mmpretrain.datasets', 'mmpretrain.evaluation'):
        assert import_module(name).__file__


def test_installing_twice_changes_nothing():
    before = list(sys.meta_path)
    lcvision.compat.install()
    assert sys.meta_path == before


@pytest.fixture
def meta_path(monkeypatch):
    monkeypatch.setattr(sys, 'meta_path', list(sys.meta_path))
    return sys.meta_path


def test_acts_once_and_before_the_module_is_there(tmp_path, monkeypatch, meta_path):
    for name in ('watched_one', 'watched_two', 'unwatched'):
        (tmp_path / f'{name}.py').write_text('')
    monkeypatch.syspath_prepend(tmp_path)
    seen = []
    before_import(['watched_one', 'watched_two'], lambda: seen.append('watched_one' in sys.modules))
    import_module('unwatched')
    assert seen == []
    import_module('watched_one')
    import_module('watched_two')
    assert seen == [False]


def test_acts_at_once_if_the_module_is_there_already(meta_path):
    before, seen = list(meta_path), []
    before_import(['sys', 'no_such_module'], lambda: seen.append(1))
    assert seen == [1] and meta_path == before


def test_action_may_import_a_watched_module(tmp_path, monkeypatch, meta_path):
    (tmp_path / 'watched_again.py').write_text('value = 3')
    monkeypatch.syspath_prepend(tmp_path)
    seen = []
    before_import(['watched_again'], lambda: seen.append(import_module('watched_again').value))
    assert import_module('watched_again').value == 3
    assert seen == [3]


def test_finds_nothing_itself(meta_path):
    before_import(['no_such_module'], lambda: None)
    assert isinstance(meta_path[0], ImportWatch)
    with pytest.raises(ModuleNotFoundError):
        import_module('no_such_module')


def test_waits_for_an_action_once(meta_path):
    def action() -> None:
        raise AssertionError

    before_import(['no_such_module'], action)
    before = list(meta_path)
    before_import(['no_such_module'], action)
    assert meta_path == before
