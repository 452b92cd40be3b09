# eLite9 beside pplcnet_0_5x_cifar10.py: the same sizes of maps, data, schedule and loss. In so few steps its norms need
# the usual momentum, and nothing is dropped.
_base_ = [
    '../_base_/models/elite_cls.py',
    '../_base_/datasets/cifar10.py',
    '../_base_/schedules/cifar_short.py',
    '../_base_/runtime_classification.py',
]
randomness = dict(seed=0)
norm_cfg = dict(type='BN', eps=1e-3, momentum=0.1)
model = dict(
    backbone=dict(arch='elite9', strides=(1, 2, 2, 2, 1), drop_connect=0., norm_cfg=norm_cfg),
    head=dict(num_classes=10, in_channels=168, mid_channels=656, norm_cfg=norm_cfg))
