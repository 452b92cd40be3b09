import json
from pathlib import Path

import numpy as np
import pytest
import torch
from mmcv.ops import batched_nms, nms

from lcvision.compat import nms_kernels

FILE = np.load(Path(__file__).parents[1] / 'fixtures' / 'nms_mmcv.npz')
# The file has cases of soft NMS as well, which no model here uses.
CASES = sorted(case for case in {key.partition('/')[0] for key in FILE.files} - {'meta'}
               if json.loads(str(FILE[f'{case}/args']))['op'] != 'soft_nms')


def load(case: str) -> tuple[dict, torch.Tensor, torch.Tensor]:
    args = json.loads(str(FILE[f'{case}/args']))
    boxes, scores = (torch.from_numpy(FILE[f'{case}/{key}']).float() for key in ('boxes', 'scores'))
    return args, boxes, scores


def call(case: str, args: dict, boxes: torch.Tensor, scores: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    if args['op'] == 'batched':
        return batched_nms(boxes, scores, torch.from_numpy(FILE[f'{case}/idxs']).long(), **args['args'])
    return nms(boxes, scores, **args['args'])


def has_ties(case: str) -> bool:
    return f'{case}/torch_order' in FILE.files


@pytest.mark.parametrize('case', [case for case in CASES if not has_ties(case)])
def test_equals_compiled_mmcv(case):
    args, boxes, scores = load(case)
    dets, inds = call(case, args, boxes, scores)
    np.testing.assert_array_equal(inds.numpy(), FILE[f'{case}/inds'])
    np.testing.assert_allclose(dets.numpy(), FILE[f'{case}/dets'], rtol=0, atol=0)


@pytest.mark.parametrize('case', [case for case in CASES if has_ties(case)])
def test_equals_compiled_mmcv_among_equal_scores(case):
    args, boxes, scores = load(case)
    recorded = torch.from_numpy(FILE[f'{case}/torch_order']).long()
    if not torch.equal(scores.sort(0, descending=True)[1], recorded):
        pytest.skip('torch orders equal scores differently here than where the fixture was made')
    dets, inds = call(case, args, boxes, scores)
    np.testing.assert_array_equal(inds.numpy(), FILE[f'{case}/inds'])
    np.testing.assert_array_equal(dets.numpy(), FILE[f'{case}/dets'])


# With a score threshold mmcv sorts what is left, an order that the fixture does not hold.
@pytest.mark.parametrize('case', [
    case for case in CASES if has_ties(case) and 'score_threshold' not in load(case)[0]['args']])
def test_equals_compiled_mmcv_whatever_the_order_of_equal_scores(case):
    """The recorded order is put into distinct scores."""
    args, boxes, scores = load(case)
    distinct = torch.zeros_like(scores)
    distinct[torch.from_numpy(FILE[f'{case}/torch_order']).long()] = torch.linspace(1, 0.5, len(scores))
    dets, inds = call(case, args, boxes, distinct)
    np.testing.assert_array_equal(inds.numpy(), FILE[f'{case}/inds'])
    np.testing.assert_array_equal(dets[:, :4].numpy(), FILE[f'{case}/dets'][:, :4])
    np.testing.assert_array_equal(scores[inds].numpy(), FILE[f'{case}/dets'][:, 4])


def test_equal_scores_follow_torch_sort():
    boxes = torch.arange(200.)[:, None] * 10 + torch.tensor([0., 0, 5, 5])
    scores = torch.ones(200)
    assert torch.equal(nms(boxes, scores, 0.5)[1], scores.sort(0, descending=True)[1])


def one_by_one(boxes: np.ndarray, scores: np.ndarray, threshold: float, offset: int) -> list[int]:
    """The definition, a pair at a time."""
    kept = []
    with np.errstate(all='ignore'):
        area = (boxes[:, 2] - boxes[:, 0] + offset) * (boxes[:, 3] - boxes[:, 1] + offset)
        for i in np.argsort(-scores):
            other = boxes[kept]
            width = np.minimum(boxes[i, 2], other[:, 2]) - np.maximum(boxes[i, 0], other[:, 0]) + offset
            height = np.minimum(boxes[i, 3], other[:, 3]) - np.maximum(boxes[i, 1], other[:, 1]) + offset
            inter = np.maximum(width, 0) * np.maximum(height, 0)
            if not (inter / (area[kept] + area[i] - inter) > np.float32(threshold)).any():
                kept.append(int(i))
    return kept


def random_boxes(count: int, spread: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    corner = rng.uniform(-spread / 2, spread / 2, (count, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(-2, 40, (count, 2))], axis=1).astype(np.float32)
    boxes[::97] = np.round(boxes[::97])
    boxes[5::331, 2] = np.nan
    return boxes, rng.permutation(count).astype(np.float32)


@pytest.mark.parametrize('threshold', [-0.1, 0., 0.3, 0.7])
@pytest.mark.parametrize('offset', [0, 1])
@pytest.mark.parametrize(('count', 'spread'), [(300, 60), (1500, 300), (1500, 20000)])
def test_blocks_and_groups_do_not_change_the_result(count, spread, threshold, offset):
    """Sizes beyond a block, crowded and scattered, with inverted, negative and not-a-number boxes among them."""
    boxes, scores = random_boxes(count, spread, seed=count + offset)
    inds = nms(boxes, scores, threshold, offset=offset)[1]
    assert inds.tolist() == one_by_one(boxes, scores, threshold, offset)


def test_scattered_boxes_are_split_and_none_is_lost():
    boxes, _ = random_boxes(1500, 20000, seed=0)
    groups = nms_kernels._separate(np.ascontiguousarray(np.nan_to_num(boxes).T), 0)
    assert len(groups) > 5
    np.testing.assert_array_equal(np.sort(np.concatenate(groups)), np.arange(1500))


def test_suppression_is_strict():
    boxes = torch.tensor([[0., 0, 10, 10], [0, 0, 10, 5]])
    scores = torch.tensor([0.9, 0.8])
    assert nms(boxes, scores, 0.5)[1].tolist() == [0, 1]
    assert nms(boxes, scores, 0.499)[1].tolist() == [0]


def test_boxes_without_area_stay_and_warn_of_nothing():
    boxes = torch.zeros(3, 4)
    with np.errstate(all='raise'):
        assert len(nms(boxes, torch.tensor([0.3, 0.2, 0.1]), 0.5)[1]) == 3


@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(dtype):
    boxes = torch.tensor([[0., 0, 10, 10], [1, 0, 10, 10], [50, 50, 60, 60]], dtype=dtype, requires_grad=True)
    scores = torch.tensor([0.5, 0.75, 0.25], dtype=dtype)
    dets, inds = nms(boxes, scores, 0.5)
    assert inds.tolist() == [1, 2] and dets.dtype == dtype


def test_inputs_are_left_alone():
    boxes, scores = (torch.from_numpy(array) for array in random_boxes(50, 20, seed=1))
    before = boxes.clone(), scores.clone()
    nms(boxes, scores, 0.3)
    torch.testing.assert_close((boxes, scores), before, rtol=0, atol=0, equal_nan=True)
