"""A data set of a few rendered images, and a run over it."""
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lcvision.datasets.sample import render_detection_sample

ROOT = Path(__file__).parents[2]
CONFIG = 'configs/detection/picodet_pplcnet_0_5x_sample.py'
# Small enough for seconds: 2 steps an epoch of 8 images at 64 pixels, measured briefly.
TINY = ['--memory-format', 'contiguous', '--cfg-options', 'train_dataloader.batch_size=8',
        'train_dataloader.num_workers=0', 'train_dataloader.persistent_workers=False', 'val_dataloader.num_workers=0',
        'val_dataloader.persistent_workers=False', 'test_dataloader.num_workers=0',
        'test_dataloader.persistent_workers=False', 'train_dataloader.collate_fn.sizes=[64]', 'image_size=(64,64)',
        'model.backbone.scale=0.25', 'model.neck.in_channels=[32,64,128]', 'model.test_cfg.score_thr=0.001',
        'default_hooks.latency.samples=8', 'default_hooks.latency.max_seconds=1', 'default_hooks.latency.input_size=64',
        'default_hooks.latency.threads=1']


def tool(name: str, *args: str, cwd: Path = ROOT, launcher: tuple[str, ...] = (), timeout: int = 240):
    """Runs a tool as a user does."""
    environment = {**os.environ, 'OMP_NUM_THREADS': '1', 'OMP_WAIT_POLICY': 'PASSIVE'}
    return subprocess.run([sys.executable, *launcher, str(ROOT / 'tools' / f'{name}.py'), *args], cwd=cwd,
                          env=environment, capture_output=True, text=True, timeout=timeout)


@pytest.fixture(scope='session')
def data(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('coco')
    render_detection_sample(root, train_images=18, val_images=4)
    return root


@pytest.fixture(scope='session')
def run(data, tmp_path_factory):
    """A finished run of two epochs: its folder and what the tool printed."""
    folder = tmp_path_factory.mktemp('work') / 'work_dirs' / 'tiny'
    done = tool('train', CONFIG, '--data', str(data), '--work-dir', str(folder), '--epochs', '2', *TINY)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder, done.stdout + done.stderr
