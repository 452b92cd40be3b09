"""Knowledge distillation without labels."""
import copy
from typing import Any

import torch
from mmengine.registry import MODELS as ROOT_MODELS
from mmpretrain.models.classifiers import ImageClassifier
from torch import nn

from lcvision.errors import UserError
from lcvision.registry import MODELS
from lcvision.weights import check_compatible, load_state_dict_file


@MODELS.register_module()
class SSLD(ImageClassifier):
    """An image classifier that learns to answer as a frozen teacher does, without any label.

    It is the student: its parameters, checkpoints, predictions and latency are those of the plain
    ``ImageClassifier`` with the same backbone, neck and head, whose config reads what this one trained. The teacher
    stays outside it: it is built when training begins, is in no checkpoint and no copy, and no evaluation needs it.

    Args:
        teacher: Config of a classifier with the student's classes, whose ``forward`` gives logits. Its ``init_cfg``,
            ``dict(type='Pretrained', checkpoint=FILE)``, names its weights, .pth or .safetensors, which are read as
            data alone and never downloaded. Without ``init_cfg`` it keeps its random weights, for trials.
        kwargs: The student, as mmpretrain's ``ImageClassifier`` takes it: backbone, neck, head, data_preprocessor, ...

    Source: PaddleClas' SSLD and its ``DistillationDMLLoss``, :func:`dml_loss`. The PP-LCNet paper gives no more than
    the name. SSLD first learns from millions of unlabelled images, see :class:`lcvision.datasets.WithoutLabels`.

    Differs: the teacher sees the images as the student's ``data_preprocessor`` leaves them; one trained with another
    normalisation is not the same network here.
    """

    def __init__(self, teacher: dict, **kwargs: Any):
        if not isinstance(teacher, dict) or 'type' not in teacher:
            raise ValueError(f'SSLD: teacher={teacher!r} must be the config of a classifier, with a type')
        init_cfg = teacher.get('init_cfg')
        if init_cfg is not None and (not isinstance(init_cfg, dict) or init_cfg.get('type') != 'Pretrained'
                                     or set(init_cfg) - {'type', 'checkpoint'}):
            raise ValueError(f'SSLD: init_cfg={init_cfg!r} of the teacher must be None or '
                             "dict(type='Pretrained', checkpoint=FILE)")
        super().__init__(**kwargs)
        self.teacher_cfg = copy.deepcopy(teacher)
        self._teacher = _Beside()

    @property
    def teacher(self) -> nn.Module:
        """The teacher in eval mode, built and loaded when first asked for; a UserError if that cannot be."""
        if self._teacher.module is None:
            self._teacher.module = _build(self.teacher_cfg)
        return self._teacher.module

    def init_weights(self) -> None:
        """Initialises the student and gets the teacher ready, so that a mistake shows before the first image."""
        _ = self.teacher
        super().init_weights()

    def loss(self, inputs: torch.Tensor, data_samples: list | None = None) -> dict[str, torch.Tensor]:
        """:func:`dml_loss` of images (N, 3, H, W) without labels, and the percentage that both give the same class."""
        with torch.no_grad():
            target = self.teacher.to(inputs.device)(inputs, mode='tensor')
        logits = self(inputs, mode='tensor')
        if logits.shape != target.shape:
            raise UserError(f'the teacher answers with a tensor of shape {tuple(target.shape)} and the student with '
                            f'{tuple(logits.shape)}: both must give one logit for each of the same classes')
        agreement = (logits.argmax(1) == target.argmax(1)).float().mean() * 100
        return dict(loss=dml_loss(logits, target), agreement=agreement)


class _Beside:
    """Holds a module that does not belong to its owner: it is not moved, saved or copied with it."""

    def __init__(self) -> None:
        self.module: nn.Module | None = None

    def __deepcopy__(self, memo: dict) -> '_Beside':
        return self


def dml_loss(logits: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean of the two Kullback-Leibler divergences between softmax outputs (N, classes), averaged over the batch.

    Source: PaddleClas ``DMLLoss``, where the mean over classes is multiplied by their number.
    """
    student, teacher = logits.float().softmax(1), target.float().softmax(1)
    # KL(s|t) + KL(t|s) in one sum.
    difference = (teacher - student) * ((teacher + 1e-12).log() - (student + 1e-12).log())
    return difference.sum(1).mean() / 2


def _build(settings: dict) -> nn.Module:
    settings = copy.deepcopy(settings)
    init_cfg = settings.pop('init_cfg', None) or {}
    path = init_cfg.get('checkpoint')
    if init_cfg and not path:
        raise UserError('the teacher has no weights: give its checkpoint, .pth or .safetensors, with --cfg-options '
                        'model.teacher.init_cfg.checkpoint=FILE')
    teacher = ROOT_MODELS.build(settings)
    if path:
        state = load_state_dict_file(path)
        check_compatible(teacher, state, path)
        teacher.load_state_dict(state)
    else:
        teacher.init_weights()
    return teacher.eval().requires_grad_(False)
