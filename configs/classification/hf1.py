# EfficientNet-HF 1 in the paper's table 5: 3.17 M parameters, 296.37 M multiply-adds, 75.08 % top-1.
_base_ = [
    '../_base_/models/elite_cls.py',
    '../_base_/datasets/imagenet_elite_256.py',
    '../_base_/schedules/elite_350e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(arch='hf1'), head=dict(in_channels=256, mid_channels=1024))
