"""Says before a run whether a checkpoint is one of this model."""
from collections.abc import Mapping, MutableMapping
from pathlib import Path

from torch import Tensor, nn

from lcvision.errors import UserError
from lcvision.tasks import TASKS
from lcvision.text import listing
from lcvision.weights.report import Misshapen

_HEADS = ('auxiliary_head.', *(f'{task.head}.' for task in TASKS.values()))


def check_compatible(model: nn.Module, state_dict: MutableMapping[str, Tensor], path: str | Path,
                     drop_class_layers: bool = False) -> list[str]:
    """Compares a checkpoint with a model by name and shape.

    Args:
        model: The model to be loaded, built but not wrapped for several devices.
        state_dict: The tensors of the checkpoint; with ``drop_class_layers`` those of the layers that begin anew are
            replaced by the model's own.
        path: Where they come from, for the message.
        drop_class_layers: Accepts a checkpoint that differs in nothing but the number of classes: the layers of the
            head that give one output a class keep their initialisation.

    Returns:
        The names replaced in ``state_dict``.

    Raises:
        UserError: The checkpoint is of another model; names and shapes of the first differences are given.
    """
    own, given, missing, unexpected, misshapen = _differences(model, state_dict)
    if not (missing or unexpected or misshapen):
        return []
    if drop_class_layers and not missing and not unexpected and _only_classes_differ(misshapen):
        state_dict.update({item.name: own[item.name].detach().clone() for item in misshapen})
        return [item.name for item in misshapen]
    raise UserError(_another_model(path, missing, unexpected, misshapen, given, own))


def added_classes(model: nn.Module, state_dict: Mapping[str, Tensor]) -> int:
    """How many classes a checkpoint has more than the model, 0 where anything else differs, too."""
    _, _, missing, unexpected, misshapen = _differences(model, state_dict)
    if not misshapen or missing or unexpected or not _only_classes_differ(misshapen):
        return 0
    return misshapen[0].file[0] - misshapen[0].model[0]


def _differences(model: nn.Module, state_dict: Mapping[str, Tensor]) -> tuple[
        dict[str, Tensor], dict[str, Tensor], list[str], list[str], list[Misshapen]]:
    """The tensors that count of both, and what is missing, unexpected and misshapen."""
    own = {name: value for name, value in model.state_dict().items() if not name.endswith('num_batches_tracked')}
    given = {name: value for name, value in state_dict.items() if not name.endswith('num_batches_tracked')}
    misshapen = [Misshapen(name, tuple(given[name].shape), tuple(own[name].shape))
                 for name in own if name in given and given[name].shape != own[name].shape]
    return own, given, sorted(own.keys() - given.keys()), sorted(given.keys() - own.keys()), misshapen


def _only_classes_differ(misshapen: list[Misshapen]) -> bool:
    if not all(item.name.startswith(_HEADS) and item.file[1:] == item.model[1:] for item in misshapen):
        return False
    return len({item.file[0] - item.model[0] for item in misshapen}) == 1


def _another_model(path: str | Path, missing: list[str], unexpected: list[str], misshapen: list[Misshapen],
                   given: Mapping[str, Tensor], own: Mapping[str, Tensor]) -> str:
    parts = [f'{len(names)} {what} ({listing(names)})'
             for what, names in (('missing', missing), ('unexpected', unexpected), ('misshapen', misshapen)) if names]
    advice = 'give the config it was trained with'
    if given and not unexpected and all(name.startswith('backbone.') for name in given):
        advice = ("it has a backbone alone, which a config takes by model.backbone.init_cfg=dict(type='Pretrained', "
                  f"prefix='backbone', checkpoint='{path}')")
    elif misshapen and not missing and not unexpected and _only_classes_differ(misshapen):
        advice = 'it has another number of classes: give the data or the config it was trained with'
    return (f'{path} is a checkpoint of another model: of {len(own)} tensors of the model and {len(given)} of the '
            f'file, {"; ".join(parts)}; {advice}.')
