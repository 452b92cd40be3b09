"""A data set of a few rendered images, and a run over it."""
import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path

import pytest

import lcvision
from lcvision.cli import run_tool
from lcvision.datasets.sample.sets import render_detection_sample
from tests import tiny
from tests.datasets import coco_like

ROOT = Path(__file__).parents[2]
CONFIG = 'configs/detection/picodet_pplcnet_0_5x_sample.py'
TINY = tiny.arguments(tiny.DETECTOR)


def tool(name: str, *args: str, cwd: Path = ROOT, launcher: tuple[str, ...] = (), timeout: int = 240):
    """Runs a tool as a user does."""
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'OMP_WAIT_POLICY': 'PASSIVE'}
    return subprocess.run([sys.executable, *launcher, str(ROOT / 'tools' / f'{name}.py'), *args], cwd=cwd,
                          env=environment, capture_output=True, text=True, timeout=timeout)


def call(name: str, *args: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Runs a tool in this process, which has imported everything already; tools/*.py add no more than the door."""
    main, before = import_module(f'lcvision.cli.{name}').main, Path.cwd()
    out, err = io.StringIO(), io.StringIO()
    os.chdir(cwd)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            code = run_tool(lambda: main(list(args)))
    finally:
        os.chdir(before)
    return subprocess.CompletedProcess([name, *args], code, out.getvalue(), err.getvalue())


@pytest.fixture(scope='session')
def data(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('coco')
    render_detection_sample(root, train_images=18, val_images=4)
    return root


@pytest.fixture(scope='session')
def run(data, tmp_path_factory):
    """A finished run of two epochs: its folder and what the tool printed."""
    folder = tmp_path_factory.mktemp('work') / 'work_dirs' / 'tiny'
    done = call('train', CONFIG, '--data', str(data), '--work-dir', str(folder), '--epochs', '2', *TINY)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, done.stdout + done.stderr


@pytest.fixture(scope='session')
def learned(tmp_path_factory):
    """A detector that has learnt to find squares: their folder and what the training has left."""
    data = coco_like.squares(tmp_path_factory.mktemp('squares'))
    options = {**tiny.DETECTOR, 'train_cfg.val_interval': 14, 'default_hooks.logger.interval': 1,
               'log_processor.window_size': 5, 'optim_wrapper.optimizer.lr': 0.01, 'custom_hooks': [],
               'train_dataloader.dataset.pipeline.3.prob': 0., 'default_hooks.checkpoint.interval': 14}
    folder = tmp_path_factory.mktemp('work') / 'work_dirs' / 'learned'
    return data, lcvision.train(ROOT / CONFIG, data, epochs=28, work_dir=folder, memory_format='contiguous',
                                cfg_options=options)
