"""A training that is interrupted and goes on is the training that was not interrupted, bit for bit."""
import pytest
import torch

from tests.reliability.bit_equal import differences
from tests.reliability.runs import render


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    return render(tmp_path_factory.mktemp('data'))


@pytest.mark.parametrize(('task', 'end', 'step', 'workers', 'bf16', 'threads'), [
    ('detection', 'sigterm', 6, (0, 2), False, 1), ('segmentation', 'sigterm', 7, (2, 0), True, 1),
    ('classification', 'crash', 5, (0, 0), False, 2)])
def test_nothing_differs(task, end, step, workers, bf16, threads, data, tmp_path):
    torch.set_num_threads(threads)
    try:
        assert differences(task, data, tmp_path, end, step, workers, bf16) == []
    finally:
        torch.set_num_threads(1)
