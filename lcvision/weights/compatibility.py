"""Checks before a run that a checkpoint fits the model."""
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from torch import Tensor, nn

from lcvision.errors import UserError
from lcvision.tasks import TASKS
from lcvision.weights.conversion import ConversionReport, Misshapen

_HEADS = ('auxiliary_head.', *(f'{task.head}.' for task in TASKS.values()))


def check_compatible(model: nn.Module, state_dict: MutableMapping[str, Tensor], path: str | Path,
                     drop_class_layers: bool = False) -> list[str]:
    """Compares a checkpoint with a model by name and shape.

    Args:
        model: The model to be loaded, built but not wrapped for several devices.
        state_dict, path: The tensors of the checkpoint, and its name for the message; with ``drop_class_layers`` those
            of the layers that start from scratch are replaced by the model's own.
        drop_class_layers: Accepts a checkpoint that differs in nothing but the number of classes: the layers of the
            head that give one output a class keep their initialisation.

    Returns:
        The names replaced in ``state_dict``.

    Raises:
        UserError: The checkpoint is of another model; names and shapes of the first differences are given.
    """
    own, given = _counting(model.state_dict()), _counting(state_dict)
    found = _compare(own, given)
    if found.complete:
        return []
    if drop_class_layers and _class_difference(found):
        state_dict.update({item.name: own[item.name].detach().clone() for item in found.misshapen})
        return [item.name for item in found.misshapen]
    advice = 'give the config it was trained with'
    if given and not found.unexpected and all(name.startswith('backbone.') for name in given):
        advice = ("it has a backbone alone, which a config takes by model.backbone.init_cfg=dict(type='Pretrained', "
                  f"prefix='backbone', checkpoint='{path}')")
    elif _class_difference(found):
        advice = ("it has another number of classes, or a detector's boxes another reg_max: give the data or the "
                  'config it was trained with')
    raise UserError(f'{path} is a checkpoint of another model: of {len(own)} tensors of the model and {len(given)} of '
                    f'the file, {found.faults}; {advice}.')


def added_classes(model: nn.Module, state_dict: Mapping[str, Tensor]) -> int:
    """How many classes a checkpoint has more than the model, 0 where anything else differs, too."""
    return _class_difference(_compare(_counting(model.state_dict()), _counting(state_dict)))


def _counting(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: value for name, value in state.items() if not name.endswith('num_batches_tracked')}


def _compare(own: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> ConversionReport:
    misshapen = [Misshapen(name, tuple(given[name].shape), tuple(own[name].shape))
                 for name in own if name in given and given[name].shape != own[name].shape]
    return ConversionReport(missing=sorted(own.keys() - given.keys()), unexpected=sorted(given.keys() - own.keys()),
                            misshapen=misshapen)


def _class_difference(found: ConversionReport) -> int:
    """By how many outputs all layers that differ are larger in the file; 0 where anything else differs."""
    items = found.misshapen
    # Layers of distances alone, here and in mmdet, have 'reg' in their names.
    if found.missing or found.unexpected or not all(
            item.name.startswith(_HEADS) and 'reg' not in item.name and len(item.file) == len(item.model)
            and item.file[1:] == item.model[1:] for item in items):
        return 0
    sizes = {item.file[0] - item.model[0] for item in items}
    return sizes.pop() if len(sizes) == 1 else 0
