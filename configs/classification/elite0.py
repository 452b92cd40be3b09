# EfficientNet-eLite 0 in the paper's table 5: 5.33 M parameters, 385.81 M multiply-adds, 76.89 % top-1.
_base_ = [
    '../_base_/models/elite_cls.py',
    '../_base_/datasets/imagenet_elite_224.py',
    '../_base_/schedules/elite_350e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(arch='elite0'), head=dict(in_channels=320, mid_channels=1280))
