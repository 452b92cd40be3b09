"""What the heads of all PicoDet generations share."""
import math
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
import torch
from mmdet.models.dense_heads.base_dense_head import BaseDenseHead
from mmdet.models.task_modules import MlvlPointGenerator
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS as MMDET_MODELS
from mmdet.registry import TASK_UTILS
from mmdet.structures import SampleList
from mmdet.structures.bbox import bbox2distance, bbox_overlaps, distance2bbox
from mmengine.model import PretrainedInit
from mmengine.structures import InstanceData
from torch import nn

from lcvision.class_nms import class_nms
from lcvision.models.layers.blocks import DepthwiseSeparable

# Side of the square anchors that ATSS compares with, in strides.
_ANCHOR_SIZE = 5


class PicoHead(BaseDenseHead):
    """Depthwise towers for each level, distance distributions, decoding and selection.

    Args:
        num_classes: Object classes; there is no background class.
        in_channels, stacked_convs: Channels of every input map, and of the towers, and blocks a tower.
        strides: Stride of each level in pixels.
        act_cfg, norm_cfg: Activation and norm (BN by default) of the towers, and of gates and alignment branches.
        loss_cls, loss_dfl: Losses of the scores and of the distance distributions.
        loss_bbox: Loss of the decoded boxes, in strides.
        reg_max: Largest distance in strides; a side has ``reg_max`` + 1 bins.
        train_cfg: ``assigner``: how targets are assigned.
        test_cfg: ``score_thr``, ``nms`` (``iou_threshold``), ``nms_top_k`` (boxes a class), ``max_per_img``, and
            ``nms_pre`` (priors a level that go into the selection, by their best class; -1 for all).

    Source: PaddleDetection ``PicoFeat`` and ``PicoHead``; the towers serve classes and boxes together.
    """

    clips = False

    def __init__(self, num_classes: int, in_channels: int, stacked_convs: int, strides: Sequence[int], act_cfg: dict,
                 loss_cls: dict, loss_dfl: dict, loss_bbox: dict, *, reg_max: int = 7, norm_cfg: dict | None = None,
                 train_cfg: dict | None = None, test_cfg: dict | None = None, init_cfg: dict | list | None = None):
        super().__init__(init_cfg=init_cfg or dict(type='Normal', layer='Conv2d', std=0.01))
        self.num_classes, self.strides = num_classes, tuple(strides)
        self.reg_max, self.num_bins = reg_max, reg_max + 1
        self.train_cfg, self.test_cfg = train_cfg, test_cfg
        _check_nms(test_cfg)
        self.assigner: Any = TASK_UTILS.build(train_cfg['assigner']) if train_cfg else None
        self.prior_generator = MlvlPointGenerator(self.strides, offset=0.5)
        self._known_priors: tuple[list | None, list[np.ndarray]] = (None, [])
        self.layer_cfg: dict[str, Any] = dict(norm_cfg=norm_cfg or dict(type='BN'), act_cfg=act_cfg)
        self.towers = nn.ModuleList(
            nn.Sequential(*(DepthwiseSeparable(in_channels, in_channels, 5, **self.layer_cfg)
                            for _ in range(stacked_convs))) for _ in self.strides)
        self.loss_cls, self.loss_dfl, self.loss_bbox = map(MMDET_MODELS.build, (loss_cls, loss_dfl, loss_bbox))
        self.register_buffer('bins', torch.arange(reg_max + 1, dtype=torch.float32), persistent=False)

    def init_weights(self) -> None:
        """Initialises as the reference does, once, and leaves weights that ``init_cfg`` reads from a file."""
        configs = self.init_cfg if isinstance(self.init_cfg, list) else [self.init_cfg]
        first = not self.is_init and all(config['type'] not in ('Pretrained', PretrainedInit) for config in configs)
        super().init_weights()
        if first:
            self.reset_predictors()

    def reset_predictors(self) -> None:
        """Sets what ``init_cfg`` cannot say: all biases of the class predictors start at -log(99)."""
        for predictor in cast(Iterable[nn.Conv2d], self.predictors):
            nn.init.constant_(cast(torch.Tensor, predictor.bias), -math.log(99))

    @abstractmethod
    def forward(self, feats: Sequence[torch.Tensor]) -> tuple[list[torch.Tensor], ...]:
        """Returns the raw maps, one list a kind of map and one tensor a level; the first two are class logits
        (N, num_classes, H, W) and distance logits (N, 4 * bins, H, W), side-major."""

    def loss(self, x: Sequence[torch.Tensor], batch_data_samples: SampleList) -> dict[str, torch.Tensor]:
        """Losses of a batch, of the neck's maps and the ground truths of each image.

        Differs: targets and losses are computed in float32 even where the network runs in mixed precision; in bfloat16
            a coordinate above 256 would be rounded to 2 pixels.
        """
        maps = self(x)
        ground_truths, ignored, metas = unpack_gt_instances(batch_data_samples)
        with torch.autocast(x[0].device.type, enabled=False):
            return self.loss_by_feat(*([m.float() for m in kind] for kind in maps), ground_truths, metas, ignored)

    def priors(self, maps: Sequence[torch.Tensor]) -> torch.Tensor:
        """Every cell of all levels, (L, 3): x and y of its centre and its stride, in pixels."""
        sizes = [m.shape[-2:] for m in maps]
        levels = self.prior_generator.grid_priors(sizes, maps[0].dtype, maps[0].device, with_stride=True)
        return torch.cat(levels)[:, :3]

    def anchors(self, priors: torch.Tensor) -> torch.Tensor:
        """Square boxes (L, 4) around the centres of priors (L, 3)."""
        half = priors[:, 2:] * _ANCHOR_SIZE / 2
        return torch.cat((priors[:, :2] - half, priors[:, :2] + half), 1)

    def scores(self, *maps: Sequence[torch.Tensor]) -> torch.Tensor:
        """Class scores (N, L, num_classes) in 0..1 of the raw maps."""
        classes, _, *others = (flatten_levels(kind) for kind in maps)
        return self.cell_scores(classes, *others)

    def cell_scores(self, logits: torch.Tensor, *others: torch.Tensor) -> torch.Tensor:
        """Class scores (..., C) in 0..1, rising with the logits (..., C); ``others`` (..., 1) follow the distances."""
        return logits.sigmoid()

    def distances(self, logits: torch.Tensor) -> torch.Tensor:
        """Expected distances to the sides, (..., 4 * bins) -> (..., 4) in strides, as left, top, right, bottom."""
        # Bins first: torch's softmax over a last axis of 8 takes five times as long.
        shares = logits.reshape(-1, self.num_bins).T.softmax(0)
        # Predictions are decoded on the CPU wherever the model is.
        return (self.bins.to(shares) @ shares).view(*logits.shape[:-1], 4)

    def decode(self, logits: torch.Tensor, priors: torch.Tensor) -> torch.Tensor:
        """Boxes of distance logits (..., L, 4 * bins) at priors (L, 3): (..., L, 4) as x1, y1, x2, y2 in pixels."""
        distances = self.distances(logits) * priors[:, 2:]
        return torch.cat((priors[:, :2] - distances[..., :2], priors[:, :2] + distances[..., 2:]), -1)

    def gather_targets(self, gt_inds: Sequence[torch.Tensor],
                       batch_gt_instances: Sequence[InstanceData]) -> tuple[torch.Tensor, torch.Tensor, int]:
        """Turns assignments, (L,) of 0 for background or 1 plus the ground truth's index for each image, into targets.

        Returns:
            Labels (N * L,) with ``num_classes`` for background, boxes (N * L, 4) in pixels, and the sum over images
            of positives, at least one each.
        """
        labels, boxes, num_pos = [], [], 0
        for inds, gts in zip(gt_inds, batch_gt_instances, strict=True):
            labels.append(torch.cat((gts.labels.new_full((1,), self.num_classes), gts.labels))[inds])
            boxes.append(torch.cat((self.bins.new_zeros(1, 4), gts.bboxes.to(self.bins.dtype)))[inds])
            num_pos += max(int((inds > 0).sum()), 1)
        return torch.cat(labels), torch.cat(boxes), num_pos

    def box_losses(self, logits: torch.Tensor, priors: torch.Tensor, boxes: torch.Tensor, weight: torch.Tensor,
                   avg_factor: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """``loss_bbox`` and ``loss_dfl`` of positive cells, both computed in strides.

        Args:
            logits, priors: (p, 4 * bins) distance logits, and (p, 3) centres and strides.
            boxes: (p, 4) targets in pixels.
            weight, avg_factor: (p,) of each cell, and what the weighted sums are divided by.

        Returns:
            Both losses, and the IoU (p,) of prediction and target, detached. Without positives the losses are zeros
            that keep the graph.
        """
        centre, wanted = priors[:, :2] / priors[:, 2:], boxes / priors[:, 2:]
        predicted = distance2bbox(centre, self.distances(logits))
        sides = bbox2distance(centre, wanted, self.reg_max)
        loss_bbox = self.loss_bbox(predicted, wanted, weight=weight, avg_factor=1.0) / avg_factor
        loss_dfl = self.loss_dfl(logits.reshape(-1, self.num_bins), sides.flatten(),
                                 weight=weight.repeat_interleave(4), avg_factor=4.0) / avg_factor
        return loss_bbox, loss_dfl, bbox_overlaps(predicted.detach(), wanted, is_aligned=True)

    def predict_by_feat(self, *maps: list[torch.Tensor], batch_img_metas: list[dict], cfg: dict | None = None,
                        rescale: bool = False, with_nms: bool = True) -> list[InstanceData]:
        """Boxes of every image of a batch: ``bboxes`` (n, 4), ``scores`` and ``labels``, best first.

        The arguments are mmdet's: ``maps`` are what :meth:`forward` returned, and an image's meta has ``img_shape``
        and, with ``rescale``, ``scale_factor``.
        """
        results = []
        for index, meta in enumerate(batch_img_metas):
            found = self.detect(*([level[index] for level in kind] for kind in maps), meta=meta, cfg=cfg,
                                rescale=rescale, with_nms=with_nms)
            tensors = (torch.from_numpy(values).to(maps[0][0].device) for values in found)
            results.append(InstanceData(**dict(zip(('bboxes', 'scores', 'labels'), tensors, strict=True))))
        return results

    @torch.no_grad()
    def detect(self, *maps: Sequence[torch.Tensor], meta: dict, cfg: dict | None = None, rescale: bool = True,
               with_nms: bool = True) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes (n, 4) of one image, scores (n,) and labels (n,), best first with ``with_nms``.

        They are decoded only where a class passes the threshold. On so little data torch's calls cost more than their
        work: the search and what follows is numpy's.

        Args:
            maps: Of every kind that :meth:`forward` returns one tensor (C, H, W) a level, in any memory layout.
            meta, cfg, rescale, with_nms: As in :meth:`predict_by_feat`, of this image.
        """
        _check_nms(cfg)
        cfg = cfg or self.test_cfg or {}
        arrays = [[_as_array(level) for level in kind] for kind in maps]
        scores, logits, priors = self._candidates(arrays, cfg['score_thr'], cfg.get('nms_pre', -1))
        distances = self.distances(torch.from_numpy(logits)).numpy() * priors[:, 2:]
        corners = np.concatenate((priors[:, :2] - distances[:, :2], priors[:, :2] + distances[:, 2:]), 1)
        boxes = self.place(corners, meta, rescale)
        cell, label = (scores > cfg['score_thr']).nonzero()
        boxes, score = boxes[cell], scores[cell, label]
        if not with_nms:
            return boxes, score, label
        kept = class_nms(boxes, score, label, cfg['nms']['iou_threshold'], cfg.get('nms_top_k', 1000),
                         cfg['max_per_img'])
        return boxes[kept], score[kept], label[kept]

    def _candidates(self, maps: list[list[np.ndarray]], score_thr: float,
                    nms_pre: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scores (k, num_classes), distance logits and priors of the cells whose best class passes the threshold.

        Each level passes on its ``nms_pre`` best, the same as if the cells below the threshold competed, too.
        """
        priors = self._priors_of([level.shape[1:] for level in maps[0]])
        # Cells as rows, a view in either memory layout: (C, H, W) -> (H * W, C).
        cells = [[level.transpose(1, 2, 0).reshape(-1, len(level)) for level in kind] for kind in maps]
        classes, _, *others = cells
        top = (np.concatenate([level.max(1, keepdims=True) for level in classes]), *map(np.concatenate, others))
        best = self.cell_scores(*map(torch.from_numpy, top))[:, 0].numpy()
        passing = np.flatnonzero(best > score_thr)
        found: list[list[np.ndarray]] = [[] for _ in (*cells, priors)]
        start = first = 0
        for level, end in enumerate(np.cumsum([len(level) for level in classes]).tolist()):
            last = int(passing.searchsorted(end))
            own = passing[first:last] - start
            if 0 <= nms_pre < len(own):
                own = torch.from_numpy(best[start:end]).topk(nms_pre).indices.sort().values.numpy()
            for place, kind in zip(found, (*cells, priors), strict=True):
                place.append(kind[level][own])
            start, first = end, last
        logits, distances, *further, centres = map(np.concatenate, found)
        return self.cell_scores(*map(torch.from_numpy, (logits, *further))).numpy(), distances, centres

    def _priors_of(self, sizes: list[tuple[int, ...]]) -> list[np.ndarray]:
        # They cost as much as the rest of the search, and images of one size follow each other.
        if self._known_priors[0] != sizes:
            levels = self.prior_generator.grid_priors(sizes, torch.float32, 'cpu', with_stride=True)
            self._known_priors = sizes, [level[:, :3].numpy() for level in levels]
        return self._known_priors[1]

    def place(self, boxes: np.ndarray, meta: dict, rescale: bool) -> np.ndarray:
        """Moves boxes (L, 4) from the network's input, clipped to it with ``clips``, to the image they belong to."""
        if self.clips:
            height, width = meta['img_shape'][:2]
            boxes = boxes.clip(0, np.array((width, height, width, height), np.float32))
        return boxes / np.array(meta['scale_factor'] * 2, np.float32) if rescale else boxes


def _check_nms(cfg: dict | None) -> None:
    nms = (cfg or {}).get('nms')
    if nms is not None and (set(nms) - {'type'} != {'iou_threshold'} or nms.get('type', 'nms') != 'nms'):
        raise ValueError(f'test_cfg.nms={dict(nms)}: boxes are suppressed within their class, by IoU alone; give '
                         "dict(type='nms', iou_threshold=NUMBER) and nothing else")


def flatten_levels(maps: Sequence[torch.Tensor]) -> torch.Tensor:
    """Joins levels into one axis of cells, row by row: (N, C, H, W) maps -> (N, L, C)."""
    return torch.cat([m.permute(0, 2, 3, 1).flatten(1, 2) for m in maps], 1)


def _as_array(tensor: torch.Tensor) -> np.ndarray:
    """A tensor as float32 for numpy, its own memory where possible."""
    if tensor.dtype == torch.float32 and not tensor.requires_grad and tensor.device.type == 'cpu':
        return tensor.numpy()
    return tensor.detach().float().cpu().numpy()
