# EfficientNet-eLite 7 in the paper's table 5: 2.18 M parameters, 127.99 M multiply-adds, 70.18 % top-1.
_base_ = [
    '../_base_/models/elite_cls.py',
    '../_base_/datasets/imagenet_elite_203.py',
    '../_base_/schedules/elite_350e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(arch='elite7'), head=dict(in_channels=224, mid_channels=896))
