"""Small models of the three tasks with shaken random weights, and what tools/test.py would make of an image."""
import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import TRANSFORMS, init_default_scope

from lcvision.datasets.sample.shapes import render_shapes
from lcvision.deploy.network import build_model

SMALL_DETECTOR = {'model.backbone.scale': 0.25, 'model.neck.in_channels': [32, 64, 128], 'model.neck.out_channels': 32,
                  'model.bbox_head.in_channels': 32, 'model.bbox_head.stacked_convs': 1,
                  'model.bbox_head.num_classes': 7, 'image_size': (160, 160)}
OPTIONS = {
    'detection/picodet_pplcnet_0_5x': {**SMALL_DETECTOR, 'model.test_cfg.nms_pre': 40},
    'detection/picodet_legacy_pplcnet_1x': SMALL_DETECTOR,
    'detection/picodet_v2_xs_320': SMALL_DETECTOR,
    'segmentation/deeplabv3plus_pplcnet_0_5x': {
        'model.backbone.scale': 0.25, 'model.decode_head.in_channels': [16, 128], 'model.decode_head.channels': 16,
        'model.decode_head.aspp_channels': 16, 'model.decode_head.low_level_channels': 8},
    'classification/pplcnet_0_5x': {'model.backbone.scale': 0.25, 'model.head.in_channels': 128,
                                    'model.head.num_classes': 11},
    'classification/elite0': {'model.head.num_classes': 11},
}
DETECTORS = [name for name in OPTIONS if name.startswith('detection')]
SEGMENTOR = 'segmentation/deeplabv3plus_pplcnet_0_5x'
CLASSIFIER = 'classification/pplcnet_0_5x'


def small_config(name: str, **changes) -> Config:
    config = Config.fromfile(f'configs/{name}.py')
    config.merge_from_dict({**OPTIONS[name], **changes})
    if 'image_size' in OPTIONS[name]:
        for step in config.test_dataloader.dataset.pipeline:
            if step['type'] == 'Resize':
                step['scale'] = OPTIONS[name]['image_size']
    return config


def shaken_model(config: Config) -> torch.nn.Module:
    """Logits of a detector spread by 1.5, as a trained one's: scores of many sizes, boxes of some strides."""
    model = build_model(config)
    head = getattr(model, 'bbox_head', None)
    for name, layer in [] if head is None else head.named_modules():
        if 'predictors.' in name:
            layer.register_forward_hook(_spread)
    if head is not None:
        with torch.no_grad():
            model(torch.randn(2, 3, 160, 160, generator=torch.Generator().manual_seed(0)), mode='tensor')
        for layer in head.modules():
            layer._forward_hooks.clear()
    return model


def _spread(layer, inputs, output):
    layer.weight.data *= 1.5 / output.std()


def save(model: torch.nn.Module, path, **meta) -> str:
    torch.save({'state_dict': model.state_dict(), 'meta': meta}, path)
    return str(path)


def images(name: str) -> list[np.ndarray]:
    """Rendered ones of several sizes, BGR."""
    rng = np.random.default_rng(3)
    if name == SEGMENTOR:
        image = np.ascontiguousarray(render_shapes(rng, (256, 512))[0][..., ::-1])
        return [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for size in ((256, 128), (203, 117))]
    return [np.ascontiguousarray(render_shapes(rng)[0][..., ::-1]) for _ in range(3)]


def evaluated(config: Config, model: torch.nn.Module, path):
    """The data sample that ``test_step`` gives for an image file through the config's own pipeline."""
    init_default_scope(config.default_scope)
    steps = [step for step in config.test_dataloader.dataset.pipeline
             if step['type'].rsplit('.', 1)[-1] not in ('LoadAnnotations', 'LoadMask')]
    pipeline = Compose([TRANSFORMS.build(step) for step in steps])
    with torch.no_grad():
        return model.test_step(pseudo_collate([pipeline(dict(img_path=str(path), img_id=0))]))[0]
