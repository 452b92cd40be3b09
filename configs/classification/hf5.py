# EfficientNet-HF 5 in the paper's table 5: 2.77 M parameters, 62.66 M multiply-adds, 66.76 % top-1.
_base_ = [
    '../_base_/models/elite_cls.py',
    '../_base_/datasets/imagenet_elite_128.py',
    '../_base_/schedules/elite_350e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(arch='hf5'), head=dict(in_channels=256, mid_channels=1024))
