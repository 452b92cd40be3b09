"""Ctrl-C, SIGTERM and a full disk, wherever a training is."""
import errno
import logging
import os
import shutil
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from mmengine.optim import OptimWrapper
from mmengine.runner import EpochBasedTrainLoop, Runner, ValLoop
from torch.utils.data import DataLoader

import lcvision
from lcvision.cli import run_tool
from lcvision.engine.hooks.atomic_checkpoint_hook import last_checkpoint
from lcvision.errors import DiskFull, Stopped
from lcvision.training.stop_hook import StopHook
from tests.reliability.runs import render, same, state, train


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return render(tmp_path_factory.mktemp('data'), ['classification'])


@pytest.fixture(scope='module')
def calm(data, tmp_path_factory):
    """A run that nothing disturbs, and its folder."""
    folder = tmp_path_factory.mktemp('calm')
    return train('classification', data, folder), folder


@pytest.fixture
def tool(data, tmp_path, capfd):
    """Trains as the tool does; returns exit code, result and what it says, errors last."""
    def run(**options):
        found = []
        code = run_tool(lambda: found.append(train('classification', data, tmp_path, **options)))
        return code, found, ''.join(capfd.readouterr())
    return run


def sends(number, owner, name, monkeypatch, at=1, times=1):
    """Lets a method send a signal to this process before its call number ``at``."""
    plain, calls = getattr(owner, name), []

    def method(*args, **kwargs):
        calls.append(0)
        if len(calls) == at:
            for _ in range(times):
                os.kill(os.getpid(), number)
        return plain(*args, **kwargs)
    monkeypatch.setattr(owner, name, method)


def test_ctrl_c_saves_after_the_step_and_says_how_to_go_on(tool, tmp_path, monkeypatch):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    sends(signal.SIGINT, OptimWrapper, 'update_params', monkeypatch, at=5)
    code, _, said = tool()
    saved = tmp_path / 'interrupted.pth'
    assert code == 130 and said.splitlines()[-1] == (
        f'stopped by Ctrl-C after step 2 of epoch 2: the same command with --resume goes on from {saved}')
    assert 'Ctrl-C again ends at once' in said and 'Traceback' not in said
    assert last_checkpoint(tmp_path) == saved and torch.load(saved, weights_only=False)['meta']['iter'] == 5
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
    monkeypatch.undo()
    code, (result,), _ = tool(resume=True)
    assert code == 0 and not saved.exists() and len(result.history) == 2


def test_a_validation_that_was_stopped_comes_first(tool, calm, tmp_path, monkeypatch):
    sends(signal.SIGTERM, ValLoop, 'run_iter', monkeypatch, at=3)
    code, _, said = tool()
    assert code == 143 and 'stopped by SIGTERM after epoch 3: the same command with --resume goes on from' in said
    monkeypatch.undo()
    code, (result,), said = tool(resume=True)
    assert code == 0 and result.history == calm[0].history[-1:] and same(state(tmp_path), state(calm[1]))
    assert 'nothing is trained, but it is validated, which it was not yet' in said
    code, (again,), said = tool(resume=True)
    assert code == 0 and again.history == [] and 'nothing is trained.' in said


@pytest.mark.parametrize(('owner', 'name', 'times', 'begun'), [
    (Runner, 'build_model', 1, False), (EpochBasedTrainLoop, '__init__', 1, False),
    (OptimWrapper, 'update_params', 2, True)])
def test_before_the_first_step_and_the_second_time_it_ends_at_once(tool, tmp_path, monkeypatch, owner, name, times,
                                                                   begun):
    monkeypatch.setattr('lcvision.training.stop_hook._SAME_S', 0)
    sends(signal.SIGINT, owner, name, monkeypatch, times=times)
    code, _, said = tool()
    assert code == 130 and not list(tmp_path.glob('*.pth'))
    assert said.splitlines()[-1].startswith('stopped by Ctrl-C at once: the same command with --resume goes on from')
    assert ('Ctrl-C again' in said) == begun


def test_a_loader_whose_workers_the_same_signal_has_ended_is_no_loss(tool, tmp_path, monkeypatch):
    def broken(self):
        for number, batch in enumerate(plain(self)):
            if number == 2:
                os.kill(os.getpid(), signal.SIGTERM)
                raise RuntimeError('DataLoader worker (pid 1) exited unexpectedly')
            yield batch
    plain = DataLoader.__iter__
    monkeypatch.setattr(DataLoader, '__iter__', broken)
    code, _, said = tool()
    assert code == 143 and 'stopped by SIGTERM after step 2 of epoch 1' in said and 'Traceback' not in said
    assert torch.load(tmp_path / 'interrupted.pth', weights_only=False)['meta']['iter'] == 2


def test_gradients_that_are_being_summed_up_are_waited_for():
    hook, complete = StopHook(), []
    hook._number = signal.SIGTERM
    runner = SimpleNamespace(optim_wrapper=SimpleNamespace(should_update=lambda: bool(complete)), iter=0, hooks=[],
                             train_loop=None)
    hook.after_train_iter(runner, 0)
    complete.append(True)
    with pytest.raises(Stopped, match=r'after iteration 1: .* from the last checkpoint, if there is one'):
        hook.after_train_iter(runner, 0)


def test_ctrl_c_in_the_printer_of_the_config_is_no_syntax_error(tool, monkeypatch, tmp_path):
    def interrupted(text, **_):
        os.kill(os.getpid(), signal.SIGINT)
        return text, True
    monkeypatch.setattr('mmengine.config.config.FormatCode', interrupted)
    code, _, said = tool()
    assert code == 130 and 'SyntaxError' not in said and 'stopped by Ctrl-C at once' in said


@pytest.mark.parametrize('where', ['checkpoint', 'log'])
def test_a_full_disk_leaves_the_last_checkpoint_and_a_sentence(tool, tmp_path, monkeypatch, where):
    owner, name = (os, 'fsync') if where == 'checkpoint' else (logging.StreamHandler, 'flush')
    plain = getattr(owner, name)

    def full(target):
        if (tmp_path / 'epoch_1.pth').exists() and last_checkpoint(tmp_path) and (
                where == 'checkpoint' or isinstance(target, logging.FileHandler)):
            raise OSError(errno.ENOSPC, 'No space left on device')
        plain(target)
    monkeypatch.setattr(owner, name, full)
    code, _, said = tool()
    assert code == 1 and 'Traceback' not in said and said.splitlines()[-1].startswith('error: ')
    newest = last_checkpoint(tmp_path)
    assert f'(No space left on device): make room and continue with --resume from {newest}, which is whole' in said
    assert torch.load(newest, weights_only=False)['meta']['epoch'] >= 1 and not list(tmp_path.glob('.*.tmp'))


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 16 MiB."""
    folder = tmp_path / 'disk'
    folder.mkdir()
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', folder], capture_output=True).returncode:
        pytest.skip('mount is not allowed here')
    yield folder
    subprocess.run(['umount', '-l', folder], check=True)


def fill(folder: Path) -> None:
    with pytest.raises(OSError, match='No space left'), (folder / 'filler').open('wb', 0) as file:
        while True:
            file.write(bytes(1 << 12))


def test_a_disk_that_is_really_full(data, calm, small_disk):
    run = small_disk / 'run'
    shutil.copytree(calm[1], run)
    before = {path: path.read_bytes() for path in run.glob('*.pth')}
    fill(small_disk)
    with pytest.raises(DiskFull, match=r'No space left on device.*make room'):
        train('classification', data, run, resume=True)
    with pytest.raises(lcvision.UserError, match='No space left on device'):
        lcvision.export(calm[0].config, calm[0].checkpoint, out=small_disk, to='onnx', measure=False)
    assert {path: path.read_bytes() for path in run.glob('*.pth')} == before
    assert sorted(path.name for path in small_disk.iterdir()) == ['filler', 'run']
