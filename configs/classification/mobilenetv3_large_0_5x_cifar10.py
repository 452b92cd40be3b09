# MobileNetV3-large 0.5x beside pplcnet_0_5x_cifar10.py: the same map sizes, data, schedule, dropout and loss.
_base_ = [
    '../_base_/models/mobilenetv3_cls.py',
    '../_base_/datasets/cifar10.py',
    '../_base_/schedules/cifar_short.py',
    '../_base_/runtime_classification.py',
]
randomness = dict(seed=0)
model = dict(
    backbone=dict(scale=0.5, strides=(1, 2, 2, 2, 1)),
    head=dict(num_classes=10, in_channels=80, mid_channels=480))
