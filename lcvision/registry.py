"""Child registries of mmengine's roots under the scope ``lcvision``.

mmengine imports this module when it meets a type such as ``lcvision.PPLCNet`` and then imports each registry's
``locations``: a plain mmdet, mmseg or mmpretrain config needs no ``custom_imports``.
"""
from mmengine import registry as root
from mmengine.registry import Registry

import lcvision.weights  # noqa: F401  (lets mmengine read .safetensors wherever a config names a checkpoint)

_SCOPE = 'lcvision'

MODELS = Registry('model', parent=root.MODELS, scope=_SCOPE, locations=['lcvision.models'])
TASK_UTILS = Registry('task util', parent=root.TASK_UTILS, scope=_SCOPE, locations=['lcvision.models'])
DATASETS = Registry('dataset', parent=root.DATASETS, scope=_SCOPE, locations=['lcvision.datasets'])
TRANSFORMS = Registry('transform', parent=root.TRANSFORMS, scope=_SCOPE, locations=['lcvision.datasets'])
FUNCTIONS = Registry('function', parent=root.FUNCTIONS, scope=_SCOPE, locations=['lcvision.datasets'])
HOOKS = Registry('hook', parent=root.HOOKS, scope=_SCOPE, locations=['lcvision.engine'])
OPTIMIZERS = Registry('optimizer', parent=root.OPTIMIZERS, scope=_SCOPE, locations=['lcvision.engine'])
OPTIM_WRAPPERS = Registry('optim_wrapper', parent=root.OPTIM_WRAPPERS, scope=_SCOPE, locations=['lcvision.engine'])
METRICS = Registry('metric', parent=root.METRICS, scope=_SCOPE, locations=['lcvision.evaluation'])
