"""PicoDet's decoding and selection as ONNX nodes."""
from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import TensorProto

from lcvision.deploy.export.nodes import Nodes
from lcvision.errors import UserError

_FLOAT = TensorProto.FLOAT


def thresholds(head: Any) -> dict[str, Any]:
    """What boxes are selected by, from a head's ``test_cfg``."""
    cfg = head.test_cfg
    return dict(score_thr=float(cfg['score_thr']), iou_threshold=float(cfg['nms']['iou_threshold']),
                nms_pre=int(cfg.get('nms_pre', -1)), nms_top_k=int(cfg.get('nms_top_k', 1000)),
                max_per_img=int(cfg['max_per_img']))


def check_head(head: Any, graph: str) -> None:
    """Refuses a head whose boxes are not made in a way that is written here.

    Raises:
        UserError: Names the graph that there is for it.
    """
    from lcvision.models.dense_heads.pico_head import PicoHead
    from lcvision.models.dense_heads.pico_head_v2 import PicoHeadV2
    if isinstance(head, PicoHead) and head.test_cfg and type(head).distances is PicoHead.distances and \
            type(head).cell_scores in (PicoHead.cell_scores, PicoHeadV2.cell_scores) and clips(head) is not None:
        return
    raise UserError(f"graph {graph!r} cannot be made for {type(head).__name__}: only PicoDet's decoding is known as a "
                    "graph; take --graph net")


def clips(head: Any) -> bool | None:
    """Whether a head clips boxes to the network's input; None where it does something else."""
    from lcvision.models.dense_heads.pico_head import PicoHead
    return head.clips if getattr(type(head), 'place', None) is PicoHead.place else None


class Decoder:
    """Adds the decoding of raw maps.

    Args:
        nodes: Behind the network.
        head: PicoDet's.
        maps: Names of the raw maps: class logits of all levels, then distance logits, then alignments if there are.
        size: Height and width of the input.
        shape: Name of the input's height and width as int64, where they are dynamic.
    """

    def __init__(self, nodes: Nodes, head: Any, maps: Sequence[str], size: tuple[int, int], shape: str | None):
        self.nodes, self.head, self.size, self.shape = nodes, head, size, shape
        levels = len(head.strides)
        self.classes, self.distances, *self.others = (maps[start:start + levels]
                                                      for start in range(0, len(maps), levels))

    @property
    def cells(self) -> list[int] | None:
        """Cells of each level; None where the size is dynamic."""
        return None if self.shape else [-(-self.size[0] // s) * -(-self.size[1] // s) for s in self.head.strides]

    def level_scores(self) -> list[str]:
        """Class scores of each level, (N, C, cells)."""
        found, nodes = [], self.nodes
        for level, classes in enumerate(self.classes):
            name = f'cell_scores_{self.head.strides[level]}'
            logits = nodes('Reshape', classes, [0, self.head.num_classes, -1])
            if self.others:
                gate = nodes('Sigmoid', nodes('Reshape', self.others[0][level], [0, 1, -1]))
                scores = nodes('Add', nodes('Mul', nodes('Sigmoid', logits), gate), 1e-9)
            found.append(nodes('Sqrt', scores, name=name) if self.others else nodes('Sigmoid', logits, name=name))
        return found

    def boxes(self) -> str:
        """Boxes (N, cells, 4) in pixels of the input."""
        nodes, bins = self.nodes, self.head.num_bins
        flat = [nodes('Reshape', level, [0, 4, bins, -1]) for level in self.distances]
        shares = nodes('Softmax', nodes('Concat', *flat, axis=3), axis=2)
        places = np.arange(bins, dtype=np.float32).reshape(1, 1, bins, 1)
        sides = nodes('ReduceSum', nodes('Mul', shares, places), [2], keepdims=0)
        centres, reach = self._grid()
        boxes = nodes('Add', centres, nodes('Mul', sides, reach))
        if clips(self.head):
            height, width = self.size
            edge: Any = np.array([width, height, width, height], np.float32).reshape(1, 4, 1)
            if self.shape:
                edge = nodes('Cast', nodes('Reshape', nodes('Gather', self.shape, [1, 0, 1, 0]), [1, 4, 1]), to=_FLOAT)
            boxes = nodes('Min', nodes('Max', boxes, 0.), edge)
        return nodes('Transpose', boxes, perm=[0, 2, 1], name='cell_boxes')

    def _grid(self) -> tuple[Any, Any]:
        """Centres as x, y, x, y and the reach of one stride to either side, both (1, 4, cells)."""
        signs = np.array([-1, -1, 1, 1], np.float32).reshape(1, 4, 1)
        if not self.shape:
            sizes = [(-(-self.size[0] // s), -(-self.size[1] // s)) for s in self.head.strides]
            levels = self.head.prior_generator.grid_priors(sizes, device='cpu', with_stride=True)
            x, y, stride = np.concatenate([level[:, :3].numpy() for level in levels]).T
            return np.stack((x, y, x, y))[None], stride * signs
        nodes, centres, reach = self.nodes, [], []
        for stride, classes in zip(self.head.strides, self.classes):
            shape = nodes('Shape', classes, start=2)
            rows, columns = (self._axis(nodes('Gather', shape, axis), stride) for axis in (0, 1))
            y = nodes('Reshape', nodes('Expand', nodes('Reshape', rows, [-1, 1]), shape), [1, 1, -1])
            x = nodes('Reshape', nodes('Expand', nodes('Reshape', columns, [1, -1]), shape), [1, 1, -1])
            centres.append(nodes('Concat', x, y, x, y, axis=1))
            reach.append(nodes('Expand', stride * signs, nodes('Shape', centres[-1])))
        return nodes('Concat', *centres, axis=2), nodes('Concat', *reach, axis=2)

    def _axis(self, length: str, stride: int) -> str:
        places = self.nodes('Cast', self.nodes('Range', 0, length, 1), to=_FLOAT)
        return self.nodes('Mul', self.nodes('Add', places, 0.5), float(stride))


def select(nodes: Nodes, boxes: str, levels: Sequence[str], rules: dict[str, Any], cells: Sequence[int] | None,
           images: Any) -> None:
    """Adds threshold and suppression: exactly ``class_nms`` behind the choice of ``PicoHead.detect``.

    The operator limits the boxes that a class keeps, not those that take part, and knows no limit of a level: both are
    masks, computed only where more pass the threshold.

    Args:
        nodes: Behind the decoding.
        boxes: (N, P, 4).
        levels: Scores (N, C, cells) of each level.
        rules: From :func:`thresholds`.
        cells: Of each level; None where dynamic.
        images: Number of images, or its name where it is dynamic.
    """
    keep, threshold = rules['max_per_img'], rules['score_thr']
    if rules['nms_pre'] >= 0:
        levels = [_best(nodes, level, nodes('ReduceMax', level, [1], keepdims=1), rules['nms_pre'], threshold, cells is
                        None) if cells is None or cells[index] > rules['nms_pre'] else level
                  for index, level in enumerate(levels)]
    scores = nodes('Concat', *levels, axis=2)
    if cells is None or sum(cells) > rules['nms_top_k']:
        scores = _best(nodes, scores, scores, rules['nms_top_k'], threshold, cells is None)
    found = nodes('NonMaxSuppression', boxes, scores, np.array([keep]), np.array([rules['iou_threshold']], np.float32),
                  np.array([threshold], np.float32))
    image, label = (nodes('Gather', found, column, axis=1) for column in (0, 1))
    best = nodes('GatherND', scores, found)
    places = nodes('GatherND', boxes, nodes('Gather', found, [0, 2], axis=1))
    # One row an image: the scores of its own boxes, zeros for those of others, and zeros to fill up.
    rows = nodes('Reshape', best, [1, -1])
    fill: Any = np.zeros((1, keep), np.float32)
    if images != 1:
        dynamic = isinstance(images, str)
        numbers: Any = nodes('Range', 0, images, 1) if dynamic else np.arange(images)
        own = nodes('Equal', nodes('Reshape', numbers, [-1, 1]), nodes('Reshape', image, [1, -1]))
        rows = nodes('Where', own, rows, 0.)
        shape = nodes('Concat', nodes('Reshape', images, [1]), [keep], axis=0) if dynamic else [images, keep]
        fill = nodes('Expand', fill, shape)
    top, order = nodes.several('TopK', 2, nodes('Concat', rows, fill, axis=1), [keep], axis=1)
    nodes('Identity', top, name='scores')
    there = nodes('Greater', top, 0.)
    labels = nodes('Gather', nodes('Concat', label, np.zeros(keep, np.int64), axis=0), order)
    nodes('Mul', labels, nodes('Cast', there, to=TensorProto.INT64), name='labels')
    chosen = nodes('Gather', nodes('Concat', places, np.zeros((keep, 4), np.float32), axis=0), order)
    nodes('Mul', chosen, nodes('Unsqueeze', nodes('Cast', there, to=_FLOAT), [2]), name='boxes')
    nodes('ReduceSum', nodes('Cast', there, to=TensorProto.INT32), [1], keepdims=0, name='count')


def _best(nodes: Nodes, scores: str, ranked: str, limit: int, threshold: float, dynamic: bool) -> str:
    """Scores, set to zero outside the best ``limit`` along the last axis of ``ranked`` where more pass."""
    passing = nodes('Cast', nodes('Greater', ranked, threshold), to=_FLOAT)
    most = nodes('ReduceMax', nodes('ReduceSum', passing, [2], keepdims=0), keepdims=0)

    def masked(branch: Nodes) -> str:
        count: Any = [limit]
        if dynamic:
            count = branch('Min', [limit], branch('Shape', ranked, start=2))
        values, order = branch.several('TopK', 2, ranked, count, axis=2)
        mask = branch('ScatterElements', branch('Mul', ranked, 0.), order, branch('Add', branch('Mul', values, 0.), 1.),
                      axis=2)
        return branch('Mul', scores, mask)
    return nodes.choice(nodes('Greater', most, float(limit)), masked, scores, _FLOAT)
