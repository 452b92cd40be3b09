# EfficientNet-eLite 6 in the paper's table 5: 2.52 M parameters, 181.32 M multiply-adds, 72.23 % top-1.
_base_ = [
    '../_base_/models/elite_cls.py',
    '../_base_/datasets/imagenet_elite_224.py',
    '../_base_/schedules/elite_350e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(arch='elite6'), head=dict(in_channels=224, mid_channels=896))
