"""Options that make a run one of seconds."""
from collections.abc import Mapping

LOADERS = {f'{split}_dataloader.{key}': value for split in ('train', 'val', 'test')
           for key, value in (('num_workers', 0), ('persistent_workers', False))}
LATENCY = {'default_hooks.latency.samples': 8, 'default_hooks.latency.max_seconds': 1,
           'default_hooks.latency.threads': 1, 'default_hooks.latency.interval': 1}
# Of configs/detection/picodet_pplcnet_0_5x_sample.py, at 64 pixels.
DETECTOR = {**LOADERS, **LATENCY, 'train_dataloader.batch_size': 8, 'train_dataloader.collate_fn.sizes': [64],
            'default_hooks.checkpoint.interval': 1,
            'val_dataloader.dataset.pipeline.1.scale': (64, 64), 'test_dataloader.dataset.pipeline.1.scale': (64, 64),
            'model.backbone.scale': 0.25, 'model.neck.in_channels': [32, 64, 128], 'model.neck.out_channels': 32,
            'model.bbox_head.in_channels': 32, 'model.bbox_head.stacked_convs': 1, 'model.test_cfg.score_thr': 0.001}
# Of configs/classification/pplcnet_0_5x_cifar10.py.
CLASSIFIER = {**LOADERS, **LATENCY, 'train_dataloader.batch_size': 16, 'model.backbone.scale': 0.25,
              'model.head.in_channels': 128}
# Of configs/segmentation/deeplabv3plus_pplcnet_0_5x.py.
SEGMENTOR = {**LOADERS, **LATENCY, 'train_dataloader.batch_size': 2}


def arguments(options: Mapping) -> list[str]:
    """What a tool is given for them, open for further options."""
    return ['--memory-format', 'contiguous', '--cfg-options',
            *(f'{key}={value}'.replace(' ', '') for key, value in options.items())]
