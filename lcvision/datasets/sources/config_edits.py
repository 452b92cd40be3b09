"""What every task changes in a config to point it at other data."""
from mmengine.config import ConfigDict
from mmengine.logging import print_log

# What losses have a list of, a number for each class, perhaps with one more for what is none.
_WEIGHTS = {'class_weight', 'pos_weight', 'alpha'}


def innermost(dataset: ConfigDict) -> ConfigDict:
    """The data set inside wrappers such as RepeatDataset."""
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset


def as_list(value: ConfigDict | list) -> list:
    """One evaluator or several, as several."""
    return list(value) if isinstance(value, list | tuple) else [value]


def set_num_classes(model: ConfigDict | list, num_classes: int, other: bool = False, former: int | None = None) -> None:
    """Sets ``num_classes`` wherever a model's config has it, and with it the length of the lists of class weights.

    The weights of other classes say nothing about these: they become 1, or what they all were.

    Args:
        model: Changed in place.
        num_classes: Classes.
        other: Whether they are others even where they are as many.
        former: What ``num_classes`` was in the part that ``model`` belongs to.
    """
    if isinstance(model, dict):
        former = model.get('num_classes', former)
        for key in _WEIGHTS & model.keys():
            weights = model[key]
            if former and isinstance(weights, list | tuple) and len(weights) >= former and (
                    other or former != num_classes):
                model[key] = [weights[0] if len({*weights[:former]}) == 1 else 1.] * num_classes + [*weights[former:]]
                print_log(f'{key} of {model.get("type", "the model")} was for {former} other classes: it is now '
                          f'{model[key]}', logger='current')
        if 'num_classes' in model:
            model['num_classes'] = num_classes
    for value in model.values() if isinstance(model, dict) else model:
        if isinstance(value, dict | list | tuple):
            set_num_classes(value, num_classes, other, former)


def difference(a: tuple[str, ...], b: tuple[str, ...]) -> str:
    """Says where two lists of classes part."""
    if len(a) != len(b):
        return f'{len(a)} against {len(b)}'
    index = next(i for i, pair in enumerate(zip(a, b)) if pair[0] != pair[1])
    return f'{a[index]!r} against {b[index]!r} at place {index}'
