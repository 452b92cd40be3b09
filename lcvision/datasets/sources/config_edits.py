"""What every task changes in a config to point it at other data."""
from mmengine.config import ConfigDict


def innermost(dataset: ConfigDict) -> ConfigDict:
    """The data set inside wrappers such as RepeatDataset."""
    while 'dataset' in dataset:
        dataset = dataset['dataset']
    return dataset


def as_list(value: ConfigDict | list) -> list:
    """One evaluator or several, as several."""
    return list(value) if isinstance(value, list | tuple) else [value]


def set_num_classes(model: ConfigDict | list, num_classes: int) -> None:
    """Sets ``num_classes`` wherever a model's config has it."""
    for value in model.values() if isinstance(model, dict) else model:
        if isinstance(value, dict | list | tuple):
            set_num_classes(value, num_classes)
    if isinstance(model, dict) and 'num_classes' in model:
        model['num_classes'] = num_classes


def difference(a: tuple[str, ...], b: tuple[str, ...]) -> str:
    """Says where two lists of classes part."""
    if len(a) != len(b):
        return f'{len(a)} against {len(b)}'
    index = next(i for i, pair in enumerate(zip(a, b)) if pair[0] != pair[1])
    return f'{a[index]!r} against {b[index]!r} at place {index}'
