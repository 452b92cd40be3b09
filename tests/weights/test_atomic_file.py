import os
import subprocess
import sys
from pathlib import Path

import pytest

from lcvision.weights.atomic_file import write_atomically

KILLED_WHILE_WRITING = '''
import os, signal, sys
import lcvision.weights.atomic_file as atomic_file
os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)
atomic_file.write_atomically(sys.argv[1], b"new" * 1000)
'''


def test_writes_into_a_folder_that_is_not_there_yet(tmp_path):
    write_atomically(tmp_path / 'a' / 'b', b'content')
    assert (tmp_path / 'a' / 'b').read_bytes() == b'content'
    assert list((tmp_path / 'a').iterdir()) == [tmp_path / 'a' / 'b']


@pytest.mark.parametrize('failing', ['fsync', 'replace'])
def test_an_error_leaves_the_old_file(tmp_path, monkeypatch, failing):
    path = tmp_path / 'x'
    path.write_bytes(b'old')

    def fail(*_):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(*{'fsync': (os, 'fsync'), 'replace': (Path, 'replace')}[failing], fail)
    with pytest.raises(OSError, match='No space left'):
        write_atomically(path, b'new')
    assert path.read_bytes() == b'old'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == 'nt', reason='SIGKILL is POSIX')
def test_a_kill_leaves_the_old_file_and_the_next_write_clears_up(tmp_path):
    path = tmp_path / 'x'
    path.write_bytes(b'old')
    killed = subprocess.run([sys.executable, '-c', KILLED_WHILE_WRITING, str(path)],
                            env={**os.environ, 'PYTHONPATH': str(Path(__file__).parents[2])})
    assert killed.returncode == -9
    assert path.read_bytes() == b'old'
    assert len(list(tmp_path.iterdir())) == 2
    write_atomically(path, b'new')
    assert path.read_bytes() == b'new'
    assert list(tmp_path.iterdir()) == [path]
