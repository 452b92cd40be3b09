# EfficientNet-eLite 4 in the paper's table 5: 231.88 M multiply-adds, 74.41 % top-1, and 3.53 M parameters; the
# table's 3.17 M are those of another row.
_base_ = [
    '../_base_/models/elite_cls.py',
    '../_base_/datasets/imagenet_elite_203.py',
    '../_base_/schedules/elite_350e.py',
    '../_base_/runtime_classification.py',
]
model = dict(backbone=dict(arch='elite4'), head=dict(in_channels=280, mid_channels=1112))
