"""The mIoU of positions alone, against numbers worked out by hand, and the hook in a runner's clothes."""
import logging
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from mmengine.config import ConfigDict

from lcvision.datasets.mask_coding import read_mask
from lcvision.engine.hooks.position_baseline_hook import PositionBaselineHook, position_miou
from lcvision.errors import UserError
from lcvision.registry import DATASETS


def mask(*rows):
    return np.array(rows, np.uint8)


def test_the_most_frequent_class_of_each_position_is_predicted():
    train = [mask([0, 1], [2, 2]), mask([0, 1], [2, 0]), mask([1, 1], [255, 0])]
    # Predicted: 0 1 / 2 0. Class 0: 1 of 2 pixels hit and none wrong; 1: hit, one wrong; 2: missed.
    assert position_miou(train, [mask([0, 1], [0, 0])], 3) == pytest.approx((2 / 3 + 1) / 2)
    assert position_miou(train, [mask([0, 1], [2, 0])], 3) == 1
    assert position_miou(train, [mask([1, 255], [255, 2])], 3) == 0


def test_maps_of_another_size_are_stretched():
    train = [np.repeat(np.repeat(mask([0, 1], [2, 3]), 2, 0), 2, 1), mask([0, 1], [2, 3])]
    large = np.kron(mask([0, 1], [2, 3]), np.ones((3, 5), np.uint8))
    assert position_miou(train, [mask([0, 1], [2, 3]), large], 4) == 1


def test_of_large_masks_every_so_many_th_row_and_column_counts():
    # Only these are right.
    thin = np.full((600, 1200), 1, np.uint8)
    thin[::2, ::2] = 0
    assert position_miou([thin], [np.zeros_like(thin)], 2) == 1
    assert position_miou([thin], [np.zeros((600, 1200), np.uint8)] * 2 + [mask([0])], 2) == 1


def test_of_many_training_masks_an_even_sample_is_read(runner, monkeypatch):
    monkeypatch.setattr('lcvision.engine.hooks.position_baseline_hook._MASKS', 1)
    read = []
    monkeypatch.setattr('lcvision.datasets.mask_coding.read_mask',
                        lambda path, **kwargs: read.append(path) or read_mask(path, **kwargs))
    PositionBaselineHook().after_val_epoch(runner, metrics={})
    assert [path.split('/')[-3] for path in read] == ['train', 'val', 'val']


def test_without_training_masks_there_is_no_answer():
    with pytest.raises(UserError, match='no training mask'):
        position_miou([], [mask([0])], 2)
    assert position_miou([mask([0])], [mask([255])], 2) == 0


@pytest.fixture
def runner(tmp_path):
    halves = np.arange(16, dtype=np.uint8).reshape(4, 4) // 8
    for split in ('train', 'val'):
        for folder in ('img', 'ann'):
            (tmp_path / split / folder).mkdir(parents=True)
        for index in range(2):
            cv2.imwrite(str(tmp_path / split / 'img' / f'{index}.jpg'), np.zeros((4, 4, 3), np.uint8))
            cv2.imwrite(str(tmp_path / split / 'ann' / f'{index}.png'), halves)
    settings = {split: ConfigDict(
        type='mmseg.BaseSegDataset', data_root=str(tmp_path / split), metainfo=dict(classes=('up', 'down')),
        data_prefix=dict(img_path='img', seg_map_path='ann'), pipeline=[dict(type='lcvision.LoadMask', num_classes=2)])
        for split in ('train', 'val')}
    loader = SimpleNamespace(dataset=DATASETS.build(settings['val']))
    return SimpleNamespace(val_dataloader=loader, test_dataloader=loader, logger=logging.getLogger('test'),
                           cfg=ConfigDict(train_dataloader=dict(dataset=settings['train'])))


@pytest.mark.parametrize('call', ['after_val_epoch', 'after_test_epoch'])
def test_the_number_stands_beside_the_others(runner, call):
    metrics = {'mIoU': 50.}
    getattr(PositionBaselineHook(), call)(runner, metrics=metrics)
    assert metrics == {'mIoU': 50., 'mIoU_position': 100.}


def test_missing_training_masks_are_told_and_left_out(runner, caplog):
    runner.cfg.train_dataloader.dataset.data_root = 'nowhere'
    metrics = {}
    with caplog.at_level(logging.WARNING):
        PositionBaselineHook().after_test_epoch(runner, metrics)
    assert metrics == {} and 'mIoU_position is left out' in caplog.text
