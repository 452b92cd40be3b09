"""Thinned labels: which pixels stay."""
import numpy as np
import pytest

from lcvision.datasets.transforms import ThinMask


def thinned(height, width, step):
    labels = np.arange(height * width, dtype=np.int32).reshape(height, width)
    return ThinMask(step).transform(dict(gt_seg_map=labels))['gt_seg_map']


def test_every_offset_comes_up():
    np.random.seed(0)
    assert {int(thinned(4, 6, 2)[0, 0]) for _ in range(60)} == {0, 1, 6, 7}


@pytest.mark.parametrize('step', [1, 2, 4])
def test_one_of_so_many_rows_and_columns_stays(step):
    found = thinned(8, 16, step)
    assert found.shape == (8 // step, 16 // step)
    assert (np.diff(found, axis=1) == step).all() and (np.diff(found, axis=0) == 16 * step).all()


def test_odd_sizes_give_one_shape():
    assert {thinned(7, 9, 2).shape for _ in range(20)} == {(3, 4)}


def test_wrong_step_is_explained():
    with pytest.raises(ValueError, match='ThinMask: step=0 must be 1 or more'):
        ThinMask(0)
