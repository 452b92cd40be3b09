"""mmseg's encoder-decoder with label maps that take little memory and time on a CPU."""
from typing import Any

import torch
from mmengine.structures import PixelData
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from mmseg.models.segmentors import EncoderDecoder
from mmseg.structures import SegDataSample

from lcvision.models.segmentors.upsampled_labels import axis_taps, upsampled_labels
from lcvision.registry import MODELS


@MODELS.register_module()
class LeanEncoderDecoder(EncoderDecoder):
    """Backbone and decode head whose predictions are label maps only.

    ``test_cfg`` has one key more than mmseg's: ``argmax`` says how logits become labels.

    - 'exact', if it is not given: the labels of mmseg. Only where two classes tie within a rounding error may either
      win, as they may in torch itself, which rounds differently in its two memory formats.
    - 'coarse': every pixel takes the label of the nearest logits.
    - 'dense': mmseg's own way, with its ``seg_logits``; it is also taken for ``mode='slide'`` and for a single output
      channel, which need the whole map. A decode head that resizes its logits in a way of its own needs it, too.

    Shapes: (N, 3, H, W) -> with ``mode='tensor'`` the raw logits of the head, with ``mode='predict'`` one data sample
        an image with ``pred_sem_seg`` of shape (1, original height, original width).

    Differs: ``EncoderDecoder`` upsamples all classes to the input and again to the original image and keeps them in the
        data sample: at 2048x1024 with 19 classes twice 160 MB and most of the time of a light network. Here
        ``seg_logits`` is left out and labels are uint8 (int16 above 255 classes) instead of int64. Test-time
        augmentation adds up ``seg_logits`` and needs 'dense'.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        settings = self.test_cfg or {}
        self.argmax = settings.get('argmax', 'exact')
        if self.argmax not in ('exact', 'coarse', 'dense'):
            raise ValueError("LeanEncoderDecoder: test_cfg.argmax must be one of 'exact', 'coarse', 'dense', got "
                             f'{self.argmax!r}')
        if settings.get('mode') == 'slide' or self.out_channels == 1:
            self.argmax = 'dense'
        head = type(self.decode_head)
        if self.argmax != 'dense' and (head.predict is not BaseDecodeHead.predict
                                       or head.predict_by_feat is not BaseDecodeHead.predict_by_feat):
            raise ValueError(f'LeanEncoderDecoder: {head.__name__} has a predict of its own; set test_cfg.argmax to '
                             "'dense'")

    def predict(self, inputs: torch.Tensor, data_samples: list[SegDataSample] | None = None) -> list[SegDataSample]:
        """Labels preprocessed images in their data samples, or in new ones of the size of ``inputs``."""
        if self.argmax == 'dense':
            return super().predict(inputs, data_samples)
        samples = data_samples or [SegDataSample() for _ in inputs]
        for sample, logits in zip(samples, self._forward(inputs), strict=True):
            labels = self._label(logits, tuple(inputs.shape[2:]), sample.metainfo)
            sample.set_data(dict(pred_sem_seg=PixelData(data=labels[None])))
        return samples

    def _label(self, logits: torch.Tensor, padded: tuple[int, ...], meta: dict) -> torch.Tensor:
        left, right, top, bottom = meta.get('img_padding_size', meta.get('padding_size', (0, 0, 0, 0)))
        height, width = meta.get('ori_shape', padded)[:2]
        rows = axis_taps(logits.shape[1], padded[0], (top, bottom), height, self.align_corners)
        columns = axis_taps(logits.shape[2], padded[1], (left, right), width, self.align_corners)
        labels = upsampled_labels(logits, rows, columns, coarse=self.argmax == 'coarse')
        if meta.get('flip'):
            # mmseg flips before it resizes, which comes to the same.
            return labels.flip({'vertical': 0, 'horizontal': 1}[meta['flip_direction']])
        return labels
