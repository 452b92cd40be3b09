# A worked example: PP-LCNet 0.5x from scratch on CIFAR-10 in minutes on two CPU threads (docs/reproduce.md). The stem
# and the last stage do not reduce the maps, which are thus 32, 16, 8, 4 and 4 wide.
_base_ = [
    '../_base_/models/pplcnet_cls.py',
    '../_base_/datasets/cifar10.py',
    '../_base_/schedules/cifar_short.py',
    '../_base_/runtime_classification.py',
]
randomness = dict(seed=0)
model = dict(
    backbone=dict(scale=0.5, strides=(1, 2, 2, 2, 1)),
    head=dict(num_classes=10, in_channels=256))
