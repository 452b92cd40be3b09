# eLite9 beside pplcnet_0_5x_cifar10.py: the same map sizes, data, schedule and loss. With so few steps its norms need
# the usual momentum, and there is no dropout.
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
