# EfficientNet-eLite 3 in the paper's table 5: 3.78 M parameters, 296.88 M multiply-adds, 75.65 % top-1.
_base_ = [
    '../_base_/models/elite_cls.py',
    '../_base_/datasets/imagenet_elite_224.py',
    '../_base_/schedules/elite_350e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(arch='elite3'), head=dict(in_channels=280, mid_channels=1112))
