# EfficientNet-eLite 1 in the paper's table 5: 4.74 M parameters, 362.62 M multiply-adds, 76.62 % top-1.
_base_ = [
    '../_base_/models/elite_cls.py',
    '../_base_/datasets/imagenet_elite_224.py',
    '../_base_/schedules/elite_350e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(arch='elite1'), head=dict(in_channels=320, mid_channels=1280))
