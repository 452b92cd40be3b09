"""The scope 'e2e' of a config's model: what surrounds its network, and the image it is measured on."""
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from torch import nn

from lcvision.deploy.engines.engine import Prepared
from lcvision.deploy.network import RawNetwork, raw_network
from lcvision.errors import UserError
from lcvision.inference.pipeline import Pipeline, predicting
from lcvision.inference.trained_model import config_meta
from lcvision.models.segmentors.upsampled_labels import agreement
from lcvision.tasks import DETECTION, SEGMENTATION, task_of

# 640 x 480 with the detail of a photograph; a file, so that no drawing code can change a measurement.
_PHOTO = Path(__file__).parent / 'photo.jpg'
_QUALITY = 95
# Boxes of an untrained detector that pass its threshold: its suppression then has the work of a trained one's.
_CANDIDATES = 300
# Share of an untrained segmentor's windows of 2 x 2 logits whose labels differ: as in the masks of CamVid at stride 4.
_BOUNDARIES = 0.1
_STAGE_RUNS = 21


class JpegToResult:
    """An encoded image in memory to a result, through a pipeline; the image (H, W, 3) is encoded once, as JPEG."""

    def __init__(self, pipeline: Any, image: np.ndarray):
        self.image = list(image.shape[:2])
        self._pipeline = pipeline
        self._content = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()

    @property
    def decoded(self) -> np.ndarray:
        """The image as it comes out of the file."""
        return self._pipeline.steps.decode(self._content)

    def bind(self, prepared: Prepared, threads: int) -> Callable[[], object]:
        """What is timed: exactly what a predictor does with bytes."""
        def run() -> object:
            with predicting(threads):
                return self._pipeline.predict(self.decoded, lambda size: prepared)
        return run

    def stages_ms(self, prepared: Prepared, threads: int) -> dict[str, float]:
        """Median milliseconds of decoding, preparation, network and finish."""
        times = np.empty((_STAGE_RUNS, 5), np.int64)
        with predicting(threads):
            for row in times:
                row[0] = time.perf_counter_ns()
                image = self.decoded
                row[1] = time.perf_counter_ns()
                sample = self._pipeline.sample(image)
                x = self._pipeline.tensor(sample, prepared.example)
                row[2] = time.perf_counter_ns()
                outputs = prepared.run(x)
                row[3] = time.perf_counter_ns()
                self._pipeline.postprocess(outputs, sample)
                row[4] = time.perf_counter_ns()
        medians = np.median(np.diff(times), axis=0) / 1e6
        return {name: round(float(ms), 5)
                for name, ms in zip(('decode', 'prepare', 'network', 'finish'), medians, strict=True)}


def end_to_end(config: Config, model: nn.Module, size: tuple[int, int],
               untrained: bool = True) -> tuple[RawNetwork, JpegToResult]:
    """The network of a model, and what surrounds it, for a measurement.

    Where the test pipeline resizes, the image is a photograph of 640 x 480, else one of the network's size. The class
    biases of an untrained model are shifted so that what follows has the work of a trained one's: 300 boxes of a
    detector pass the threshold, and a tenth of a segmentor's map is boundaries. They do not change the network's time.
    A pipeline that makes inputs of another ``size``, height and width, is a UserError.
    """
    network = raw_network(model, size)
    pipeline = Pipeline(config, model, network, config_meta(config)['classes'])
    surroundings = JpegToResult(pipeline, photograph(None if pipeline.steps.fixed_shape() else size))
    sample = pipeline.sample(surroundings.decoded)
    if sample.meta['padded'] != size:
        made = 'x'.join(map(str, sample.meta['padded']))
        raise UserError(f'{config.filename}: its test pipeline makes an input of {made} of an image of '
                        f"{'x'.join(map(str, surroundings.image))}, so that scope e2e cannot be measured at "
                        f'{size[0]}x{size[1]}: leave out --input-size, or change the size in the config')
    if untrained:
        x, task = pipeline.tensor(sample, torch.empty(1, 3, *size)), task_of(model)
        with torch.inference_mode():
            if task is DETECTION:
                _raise_candidates(model.bbox_head, network, x)
            elif task is SEGMENTATION:
                _calm_labels(network, x)
    return network, surroundings


def photograph(size: tuple[int, int] | None) -> np.ndarray:
    """A photograph (H, W, 3), BGR, of 640 x 480, or resized to a height and width."""
    image: Any = cv2.imdecode(np.fromfile(_PHOTO, np.uint8), cv2.IMREAD_COLOR)
    return image if size is None else cv2.resize(image, size[::-1], interpolation=cv2.INTER_CUBIC)


def _raise_candidates(head: Any, network: RawNetwork, x: torch.Tensor) -> None:
    """Shifts the class biases of a PicoDet, or of a detector of mmdet that has a sigmoid for each class."""
    from lcvision.models.dense_heads.pico_head import PicoHead, flatten_levels
    if not head.test_cfg or not getattr(head, 'use_sigmoid_cls', isinstance(head, PicoHead)):
        return
    levels, _, *others = network.head(network.neck(network.backbone(x)))
    classes, *others = map(flatten_levels, (levels, *others))
    threshold = head.test_cfg['score_thr']

    def scores(logits: torch.Tensor) -> torch.Tensor:
        if isinstance(head, PicoHead):
            return head.cell_scores(logits, *others)
        return logits.sigmoid() * (others[0].sigmoid() if others else 1)

    # Random weights may give logits of any size.
    shift = _turning_point(lambda shift: int((scores(classes + shift) > threshold).sum()) > _CANDIDATES, 1e4, -1e4)
    copied: Any = network.head
    last: list[Any] = list(copied.predictors) if isinstance(head, PicoHead) else [
        module for module in copied.modules() if isinstance(module, nn.Conv2d) and module.bias is not None
        and module.out_channels == levels[0].shape[1]]
    for predictor in last:
        predictor.bias[:levels[0].shape[1]] += shift


def _calm_labels(network: RawNetwork, x: torch.Tensor) -> None:
    """Shifts the class biases of a segmentor: all classes alike at first, then one of them above the others."""
    last = getattr(network.head, 'conv_seg', None)
    logits = network(x)[0][0]
    if not isinstance(last, nn.Conv2d) or last.bias is None or len(last.bias) != len(logits) or len(logits) < 2:
        return
    biases = -logits.mean((1, 2))
    first = torch.zeros_like(biases)
    first[0] = 1.

    def ragged(shift: float) -> bool:
        best = (logits + (biases + shift * first)[:, None, None]).argmax(0)
        return float(agreement(best, 2, 2)[1].float().mean()) < 1 - _BOUNDARIES

    last.bias += biases + _turning_point(ragged, 0., float(logits.max() - logits.min())) * first


def _turning_point(holds: Callable[[float], bool], there: float, not_there: float) -> float:
    """Where something that holds at one number and not at another stops holding, by bisection."""
    for _ in range(40):
        middle = (there + not_there) / 2
        there, not_there = (middle, not_there) if holds(middle) else (there, middle)
    return not_there
