import multiprocessing
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lcvision.errors import UserError
from lcvision.files import check_target, locked, write_atomically, writing

FORK = multiprocessing.get_context('fork')
WRITE = '''
import os, signal, sys
from lcvision.files import write_atomically
{before}
print("first")
write_atomically(sys.argv[1], b"new" * 1000)
print("last")
'''


def write_in_a_process(path, before='', **kwargs):
    return subprocess.run([sys.executable, '-c', WRITE.format(before=before), str(path)],
                          env={**os.environ, 'PYTHONPATH': str(Path(__file__).parents[1])}, **kwargs)


def run_processes(target, *, count):
    processes = [FORK.Process(target=target, args=(number,)) for number in range(count)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]


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


def test_a_kill_leaves_the_old_file_and_a_later_process_clears_up(tmp_path):
    path = tmp_path / 'x'
    path.write_bytes(b'old')
    killed = write_in_a_process(path, 'os.fsync = lambda handle: os.kill(os.getpid(), signal.SIGKILL)')
    assert killed.returncode == -9
    assert path.read_bytes() == b'old'
    left, = set(tmp_path.iterdir()) - {path}
    write_in_a_process(path, check=True)
    assert path.read_bytes() == b'new' * 1000 and left.exists()  # it may be another process's that still writes
    os.utime(left, (time.time() - 7200,) * 2)
    write_in_a_process(path, check=True)
    assert list(tmp_path.iterdir()) == [path]


def test_processes_that_write_one_file_do_not_disturb_each_other(tmp_path):
    path = tmp_path / 'x'

    def write(number):
        for _ in range(20):
            write_atomically(path, bytes([number]) * 100_000)
            assert len(set(path.read_bytes())) == 1

    assert run_processes(write, count=4) == [0] * 4
    assert list(tmp_path.iterdir()) == [path]


def test_a_lock_lets_one_process_after_the_other(tmp_path):
    path = tmp_path / 'folder' / 'count'

    def add(_):
        for _ in range(10):
            with locked(path):
                write_atomically(path, str(int(path.read_bytes() if path.exists() else 0) + 1).encode())

    assert run_processes(add, count=4) == [0] * 4
    assert path.read_bytes() == b'40'


@pytest.mark.parametrize('there', [True, False])
def test_a_symbolic_link_stays_one(tmp_path, there):
    (tmp_path / 'data').mkdir()
    target, link = tmp_path / 'data' / 'x', tmp_path / 'link'
    if there:
        target.write_bytes(b'old')
    link.symlink_to(Path('data', 'x'))
    write_atomically(link, b'new')
    assert link.is_symlink() and not target.is_symlink() and target.read_bytes() == b'new'
    assert {path.name for path in tmp_path.rglob('*')} == {'data', 'x', 'link'}


def test_a_pipe_is_written_to(tmp_path):
    os.mkfifo(tmp_path / 'pipe')
    reader = os.open(tmp_path / 'pipe', os.O_RDONLY | os.O_NONBLOCK)
    write_atomically(tmp_path / 'pipe', b'new')
    assert os.read(reader, 10) == b'new'
    assert stat.S_ISFIFO((tmp_path / 'pipe').stat().st_mode)
    os.close(reader)


def test_a_device_is_written_to(tmp_path):
    device = tmp_path / 'null'
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, Path('/dev/null').stat().st_rdev)
        device.open('wb').close()
    except OSError:
        pytest.skip('only root makes devices')
    write_atomically(device, b'new')
    assert stat.S_ISCHR(device.stat().st_mode)


@pytest.mark.parametrize('number, stream', [(1, 'stdout'), (2, 'stderr')])
def test_a_standard_stream_is_written_to_in_order(tmp_path, number, stream):
    link = tmp_path / stream  # a stand-in: writing to /dev/stdout itself could break the machine
    link.symlink_to(f'/dev/fd/{number}')
    assert b'new' in getattr(write_in_a_process(link, capture_output=True), stream)
    with (tmp_path / 'x').open('wb') as file:
        write_in_a_process(link, check=True, **{stream: file})
    expected = b'first\n' + b'new' * 1000 + b'last\n' if stream == 'stdout' else b'new' * 1000
    assert (tmp_path / 'x').read_bytes() == expected and link.is_symlink()


def test_a_file_keeps_its_permissions(tmp_path):
    path = tmp_path / 'x'
    write_atomically(path, b'old')
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask()
    path.chmod(0o640)
    write_atomically(path, b'new')
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_target_is_checked_without_being_touched(tmp_path):
    (tmp_path / 'old').write_text('old')
    for path in (None, tmp_path / 'new', tmp_path / 'old', os.devnull, '/dev/stdout'):
        check_target('--json', path)
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [('old', 'old')]
    for path, reason in ((tmp_path, 'is a folder'), (tmp_path / 'no' / 'file', 'no does not exist, create it first'),
                         (tmp_path / 'old' / 'file', 'old does not exist'), ('/proc/new', 'cannot be written')):
        with pytest.raises(UserError, match=f'--json {path} .*{reason}'):
            check_target('--json', path)


def test_what_cannot_be_written_is_named_with_the_reason():
    sentence = r'^--out x cannot be written \(No space left\): .* or give another$'
    with pytest.raises(UserError, match=sentence), writing('--out x'):
        raise OSError(28, 'No space left')
