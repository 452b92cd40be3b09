"""From raw maps to results: boxes in the original image, a label map, a class."""
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import nn

from lcvision.deploy.network import RawNetwork
from lcvision.errors import UserError
from lcvision.inference.results import Classification, Detections, LabelMap, Result
from lcvision.models.segmentors.upsampled_labels import axis_taps, upsampled_labels
from lcvision.tasks import DETECTION, SEGMENTATION, task_of

Outputs = Sequence[torch.Tensor]
Postprocess = Callable[[Outputs, dict], Result]


def postprocess_for(model: nn.Module, network: RawNetwork, classes: Sequence[str], top_k: int = 5) -> Postprocess:
    """Chooses what turns the raw maps of a model's network into results; the arguments are those of ``Pipeline``.

    It takes the flat outputs of one image, and ``ori_shape``, ``img_shape``, ``scale_factor`` and ``padded``, height
    and width of the network's input.

    Raises:
        UserError: The model makes its results in a way that is not known here: a segmentor slides a window, has one
            output channel or does not predict as mmseg's do, or a classifier's head scores in its own way.
    """
    task = task_of(model)
    if task is DETECTION:
        return _Boxes(model, network)
    return _Labels(model) if task is SEGMENTATION else _Classes(model, classes, top_k)


class _Boxes:
    """Decoding, threshold and suppression by the head of a single-stage detector."""

    def __init__(self, model: nn.Module, network: RawNetwork):
        from lcvision.models.dense_heads.pico_head import PicoHead
        self._head: Any = model.bbox_head
        self._own = isinstance(self._head, PicoHead)
        self._nest = network.nesting()

    def __call__(self, outputs: Outputs, meta: dict) -> Detections:
        if self._own:
            return Detections(*self._head.detect(*self._nest([output[0] for output in outputs]), meta=meta))
        found, = self._head.predict_by_feat(*self._nest(outputs), batch_img_metas=[meta], rescale=True)
        return Detections(*(value.numpy() for value in (found.bboxes, found.scores, found.labels)))


class _Labels:
    """The best class of the upsampled logits of an encoder-decoder, without upsampling where neighbours agree."""

    def __init__(self, model: nn.Module):
        from mmseg.models.decode_heads.decode_head import BaseDecodeHead
        head: Any = model.decode_head
        own = not isinstance(head, BaseDecodeHead) or any(
            getattr(type(head), name) is not getattr(BaseDecodeHead, name) for name in ('predict', 'predict_by_feat'))
        sliding = (getattr(model, 'test_cfg', None) or {}).get('mode', 'whole') != 'whole'
        if own or sliding or head.out_channels == 1:
            reason = ('it slides a window over the image' if sliding else 'it has one output channel' if not own
                      else f'{type(head).__name__} has a predict of its own')
            raise UserError(f'this segmentor cannot be run in one step ({reason}): take lcvision test, or a model with '
                            "test_cfg.mode='whole', two classes or more and a decode head of mmseg's kind")
        self._align_corners = bool(head.align_corners)
        self._coarse = getattr(model, 'argmax', 'exact') == 'coarse'

    def __call__(self, outputs: Outputs, meta: dict) -> LabelMap:
        logits = outputs[0][0]
        rows, columns = (
            axis_taps(logits.shape[axis + 1], padded, (0, padded - meta['img_shape'][axis]), meta['ori_shape'][axis],
                      self._align_corners) for axis, padded in enumerate(meta['padded']))
        return LabelMap(upsampled_labels(logits, rows, columns, coarse=self._coarse).numpy())


class _Classes:
    """Softmax and the best classes."""

    def __init__(self, model: nn.Module, classes: Sequence[str], top_k: int):
        from mmpretrain.models.heads import ClsHead
        head = model.head
        if not isinstance(head, ClsHead) or type(head)._get_predictions is not ClsHead._get_predictions:
            raise UserError(f'{type(head).__name__} does not give one class by a softmax: only lcvision test makes its '
                            'results')
        self._classes, self._top_k = classes, top_k

    def __call__(self, outputs: Outputs, meta: dict) -> Classification:
        scores = outputs[0][0].float().softmax(0)
        best = scores.topk(min(self._top_k, len(scores)))
        label = int(best.indices[0])
        return Classification(label, self._classes[label], best.indices.numpy(), best.values.numpy())
