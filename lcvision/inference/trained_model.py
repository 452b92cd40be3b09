"""A config's model with the weights of a checkpoint, and the names of its classes."""
import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope
from torch import nn

from lcvision.datasets.sources.config_edits import set_num_classes
from lcvision.deploy.network import build_model
from lcvision.errors import UserError
from lcvision.tasks import TASKS
from lcvision.weights.compatibility import added_classes, check_compatible
from lcvision.weights.safe_load import load_checkpoint_file


def load_trained(config: Config, checkpoint: str | Path) -> tuple[nn.Module, dict[str, Any]]:
    """Builds the model of a whole config and loads a checkpoint, .pth or .safetensors, into it.

    The number of classes is the checkpoint's: one trained with ``--data`` fits the config it was trained with,
    whatever classes that config is written for. Their names are those that the run noted in the checkpoint, else the
    config's or its data set's if they are as many, else 'class 0' and so on.

    Returns:
        The model in eval mode on the CPU, and ``classes``, one name for each, with ``palette`` where there is one.

    Raises:
        UserError: The checkpoint is missing, torn, unsafe or of another model.
    """
    state, meta = load_checkpoint_file(checkpoint)
    config = copy.deepcopy(config)
    model = build_model(config, calibrated=False)
    if added := added_classes(model, state):
        count, noted = _num_classes(config) + added, len(_classes_of(meta.get('dataset_meta')))
        # Where a layer gives classes and distances, its shape alone does not say which of the two are more.
        if count > 0 and noted in (0, count):
            set_num_classes(config.model, count)
            model = build_model(config, calibrated=False)
    check_compatible(model, state, checkpoint)
    # Only counters of norms can be missing: converted weights have none, and nothing reads them in eval mode.
    model.load_state_dict(state, strict=False)
    return model, _dataset_meta(config, meta.get('dataset_meta'))


def config_meta(config: Config) -> dict[str, Any]:
    """Names and colours of a config's classes, without a checkpoint; see :func:`load_trained`."""
    return _dataset_meta(config, None)


def _num_classes(config: Config) -> int:
    head: Any = next(filter(None, (config.model.get(task.head) for task in TASKS.values())), {})
    head = head[-1] if isinstance(head, (list, tuple)) else head
    if not isinstance(head.get('num_classes'), int):
        raise UserError(f'{config.filename}: its head has no num_classes: give the config that the checkpoint was '
                        'trained with')
    return head['num_classes']


def _dataset_meta(config: Config, saved: object) -> dict[str, Any]:
    count = _num_classes(config)
    for meta in (saved, *_config_metas(config)):
        if len(classes := _classes_of(meta)) == count:
            palette = meta.get('palette')  # type: ignore[attr-defined]
            return {'classes': tuple(map(str, classes)), **({'palette': palette} if palette else {})}
    return {'classes': tuple(f'class {label}' for label in range(count))}


def _classes_of(meta: object) -> Sequence:
    classes = meta.get('classes') if isinstance(meta, Mapping) else None
    # A checkpoint may say anything.
    texts = isinstance(classes, (list, tuple)) and all(isinstance(one, (str, int)) for one in classes)
    return classes if texts else ()  # type: ignore[return-value]


def _config_metas(config: Config) -> Iterator[object]:
    for loader in ('test_dataloader', 'val_dataloader', 'train_dataloader'):
        dataset = (config.get(loader) or {}).get('dataset')
        while isinstance(dataset, Mapping) and dataset.get('dataset'):
            dataset = dataset['dataset']
        if not isinstance(dataset, Mapping):
            continue
        # The data set's own may be of more classes than it evaluates, its parent's then fits.
        own = [vars(cls).get('METAINFO') or {} for cls in getattr(_dataset_type(dataset, config), '__mro__', ())]
        given = dataset.get('metainfo') or {}
        yield {**(own[0] if own else {}), **given} if given.get('classes') else None
        yield from own


def _dataset_type(dataset: Mapping, config: Config) -> Any:
    """A data set's class, which lazy configs hold itself; None where it is not installed, for its data are not read."""
    kind = dataset.get('type')
    if not isinstance(kind, str):
        return kind
    scope = DefaultScope.overwrite_default_scope(config.get('default_scope') or 'mmengine')
    with scope, DATASETS.switch_scope_and_registry(None) as registry, suppress(Exception):
        return registry.get(kind)
    return None
