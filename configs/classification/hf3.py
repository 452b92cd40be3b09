# EfficientNet-HF 3 in the paper's table 5: 3.44 M parameters, 92.29 M multiply-adds, 70.32 % top-1.
_base_ = [
    '../_base_/models/elite_cls.py',
    '../_base_/datasets/imagenet_elite_128.py',
    '../_base_/schedules/elite_350e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(arch='hf3'), head=dict(in_channels=256, mid_channels=1024))
