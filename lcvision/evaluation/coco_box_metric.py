"""mAP as COCO defines it, also of a detector that does not find anything yet."""
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmdet.evaluation import CocoMetric
from mmengine.fileio import get_local_path
from mmengine.logging import print_log

from lcvision.datasets.coco_folder import CocoIndex
from lcvision.errors import UserError
from lcvision.evaluation.box_comparison import compare
from lcvision.registry import METRICS
from lcvision.text import table

# By name: whether a recall, which IoU or None for the mean of all, which sizes, at most how many boxes an image or
# which of ``proposal_nums``.
_ITEMS = {'mAP': (False, None, 0, 100), 'mAP_50': (False, .5, 0, -1), 'mAP_75': (False, .75, 0, -1),
          'mAP_s': (False, None, 1, -1), 'mAP_m': (False, None, 2, -1), 'mAP_l': (False, None, 3, -1),
          'AR@100': (True, None, 0, 0), 'AR@300': (True, None, 0, 1), 'AR@1000': (True, None, 0, 2),
          'AR_s@1000': (True, None, 1, 2), 'AR_m@1000': (True, None, 2, 2), 'AR_l@1000': (True, None, 3, 2)}
_KEYS = tuple(name for name in _ITEMS if name.startswith('mAP'))


@METRICS.register_module()
class CocoBoxMetric(CocoMetric):
    """COCO's metrics of boxes, with all digits; 0 where no box passes the score threshold.

    Args:
        ann_file: Path of the json; None for the boxes of the data set.
        part: Whether the data set has only a part of the json's images; the others then count for nothing.
        sort_categories: Whether labels follow the categories' ids, not their order in the json.
        kwargs: What mmdet's ``CocoMetric`` takes; ``metric`` is always 'bbox'.

    Differs: hotcoco, which gives the same values in a hundredth of the time, takes the place of pycocotools, and mmdet
        rounds them to three digits. mmdet returns nothing where no box is found, so that the first validations of a
        training from scratch have no mAP to log, to plot or to choose a checkpoint by. Ids may be texts or 0.
    """

    def __init__(self, ann_file: str | None = None, part: bool = False, sort_categories: bool = False, **kwargs):
        super().__init__(**{**kwargs, 'metric': 'bbox'})
        self.part = part
        self.proposal_nums: list[int] = sorted(self.proposal_nums)
        if ann_file is not None:
            with get_local_path(ann_file, backend_args=self.backend_args) as path:
                self._coco_api = CocoIndex(path)
            if sort_categories:
                self._coco_api.categories.sort(key=lambda category: category['id'])

    def compute_metrics(self, results: Sequence) -> dict[str, float]:
        """The metrics of all images from what ``process`` collected."""
        truths, predictions = zip(*results, strict=True)
        with tempfile.TemporaryDirectory() as folder:
            if self._coco_api is None:
                self._coco_api = CocoIndex(self.gt_to_coco_json(truths, str(Path(folder, 'truth'))))
        self.cat_ids = self._coco_api.get_cat_ids(cat_names=self.dataset_meta['classes'])
        if self.outfile_prefix:
            self.results2json(predictions, self.outfile_prefix)
        if self.format_only:
            return {}
        names = self.metric_items or _KEYS
        if wrong := [name for name in names if name not in _ITEMS]:
            raise UserError(f'metric_items: there is no {wrong[0]!r}; give some of {", ".join(_ITEMS)}')
        if not any(len(prediction['scores']) for prediction in predictions):
            print_log(f'no box of the {len(results)} images passes the score threshold: mAP is 0', logger='current')
            return {f'bbox_{name}': 0. for name in names}
        found = self._compare(predictions)
        metrics = self._of_classes(found['precision']) if self.classwise else {}
        return metrics | {f'bbox_{name}': self._value(found, *_ITEMS[name]) for name in names}

    def _compare(self, predictions: Sequence[dict]) -> dict[str, np.ndarray]:
        """Precision, of IoU, recall, class, size and number of boxes, and recall, likewise without the second."""
        index = self._coco_api
        ids = {prediction['img_id'] for prediction in predictions} if self.part else index.get_img_ids()
        images = {name: number for number, name in enumerate(sorted(ids))}
        if unknown := [one['img_id'] for one in predictions if one['img_id'] not in images]:
            raise UserError(f'the data set has an image {unknown[0]!r} that the json of the metric lacks: give both '
                            'the same ann_file')
        labels = {name: number for number, name in enumerate(self.cat_ids)}
        truth = [(images[box['image_id']], labels[box['category_id']], box['area'], box.get('iscrowd', 0), *box['bbox'])
                 for box in index.annotations if box['image_id'] in images and box['category_id'] in labels]
        found = np.concatenate([
            np.column_stack([np.full(len(one['labels']), images[one['img_id']]), one['bboxes'].astype(float),
                             one['scores'].astype(float), one['labels']]) for one in predictions])
        found[:, 3:5] -= found[:, 1:3]
        return compare(dict(
            images=np.array(len(images)), classes=np.array(len(labels)), truth=np.array(truth, float).reshape(-1, 8),
            found=found, max_dets=np.array(self.proposal_nums), iou_thrs=np.atleast_1d(self.iou_thrs)))

    def _value(self, found: dict[str, np.ndarray], is_recall: bool, iou: float | None, size: int, boxes: int) -> float:
        """A mean over what is defined; -1 where nothing is."""
        if boxes > 2:
            boxes = self.proposal_nums.index(boxes) if boxes in self.proposal_nums else len(self.proposal_nums)
        values = found['recall' if is_recall else 'precision'][..., size, boxes:boxes + 1 or None]
        if iou is not None:
            values = values[np.atleast_1d(self.iou_thrs) == iou]
        return float(values[values > -1].mean()) if (values > -1).any() else -1.

    def _of_classes(self, precision: np.ndarray) -> dict[str, float]:
        """The mAP of each class, which the log shows with all others."""
        names = [category['name'] for category in self._coco_api.categories if category['id'] in set(self.cat_ids)]
        one = [{'precision': precision[:, :, number:number + 1]} for number in range(len(names))]
        values = [[self._value(found, *_ITEMS[key]) for key in _KEYS] for found in one]
        rows = [[name, *(f'{value:.3f}' for value in row)] for name, row in zip(names, values, strict=True)]
        print_log('\n' + '\n'.join(table([['category', *_KEYS], *rows])), logger='current')
        return {f'{name}_precision': row[0] for name, row in zip(names, values, strict=True)}
