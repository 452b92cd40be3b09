# EfficientNet-HF 4 in the paper's table 5: 2.98 M parameters, 65.55 M multiply-adds, 67.95 % top-1.
_base_ = [
    '../_base_/models/elite_cls.py',
    '../_base_/datasets/imagenet_elite_128.py',
    '../_base_/schedules/elite_350e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(arch='hf4'), head=dict(in_channels=256, mid_channels=1024))
