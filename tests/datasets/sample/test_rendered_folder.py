"""Rendered folders are complete or absent, whatever happens in between."""
import pytest

from lcvision.datasets.sample import rendered_folder
from lcvision.datasets.sample.rendered_folder import STAMP, ensure_rendered_folder, generator_version
from lcvision.errors import UserError


def write(text, calls=None):
    def render(folder):
        (folder / 'half').write_text(text)
        if calls is not None:
            calls.append(folder)
        (folder / 'rest').write_text(text)
    return render


def content(root):
    return {path.name: path.read_text() for path in root.iterdir() if path.name != STAMP}


def test_renders_once(tmp_path):
    calls = []
    for _ in range(3):
        assert ensure_rendered_folder(tmp_path / 'deep' / 'set', write('a', calls)) == tmp_path / 'deep' / 'set'
    assert len(calls) == 1
    assert content(tmp_path / 'deep' / 'set') == {'half': 'a', 'rest': 'a'}
    assert [path.name for path in (tmp_path / 'deep').iterdir()] == ['set']


def interrupted(folder):
    (folder / 'half').write_text('torn')
    raise KeyboardInterrupt


def test_interruption_leaves_nothing(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        ensure_rendered_folder(tmp_path / 'set', interrupted)
    assert list(tmp_path.iterdir()) == []
    ensure_rendered_folder(tmp_path / 'set', write('a'))
    assert content(tmp_path / 'set') == {'half': 'a', 'rest': 'a'}


def test_changed_generator_renders_again(tmp_path, monkeypatch):
    root = ensure_rendered_folder(tmp_path / 'set', write('old'))
    monkeypatch.setattr(rendered_folder, 'generator_version', lambda: 'changed')
    with pytest.raises(KeyboardInterrupt):
        ensure_rendered_folder(root, interrupted)
    assert content(root) == {'half': 'old', 'rest': 'old'}
    ensure_rendered_folder(root, write('new'))
    assert content(root) == {'half': 'new', 'rest': 'new'}
    assert list(tmp_path.iterdir()) == [root]


@pytest.mark.parametrize('stale', [False, True])
def test_of_two_at_once_the_first_wins(tmp_path, monkeypatch, stale):
    root = tmp_path / 'set'
    if stale:
        ensure_rendered_folder(root, write('old'))
        monkeypatch.setattr(rendered_folder, 'generator_version', lambda: 'changed')

    def overtaken(folder):
        write('slow')(folder)
        ensure_rendered_folder(root, write('fast'))

    assert ensure_rendered_folder(root, overtaken) == root
    assert content(root) == {'half': 'fast', 'rest': 'fast'}
    assert list(tmp_path.iterdir()) == [root]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / 'set').mkdir()
    ensure_rendered_folder(tmp_path / 'set', write('a'))
    assert content(tmp_path / 'set') == {'half': 'a', 'rest': 'a'}


@pytest.mark.parametrize('kind', ['folder', 'file'])
def test_what_is_not_ours_stays(tmp_path, kind):
    mine = tmp_path / 'set' / 'photo.jpg' if kind == 'folder' else tmp_path / 'set'
    mine.parent.mkdir(exist_ok=True)
    mine.write_text('mine')
    with pytest.raises(UserError, match='has other content'):
        ensure_rendered_folder(tmp_path / 'set', write('a'))
    assert mine.read_text() == 'mine'


def test_version_follows_the_sources(tmp_path, monkeypatch):
    monkeypatch.setattr(rendered_folder, '__file__', str(tmp_path / 'rendered_folder.py'))
    (tmp_path / 'a.py').write_text('x = 1\n')
    before = generator_version()
    assert generator_version() == before
    (tmp_path / 'a.py').write_text('x = 2\n')
    assert generator_version() != before
