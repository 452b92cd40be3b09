# Seesaw-shuffleNet 0.5D beside pplcnet_0_5x_cifar10.py: the same map sizes, data, schedule, dropout and loss. The
# paper's own 400 epochs on maps four times as large are seesaw_shuffle_0_5d_cifar10.py.
_base_ = [
    '../_base_/models/seesaw_cls.py',
    '../_base_/datasets/cifar10.py',
    '../_base_/schedules/cifar_short.py',
    '../_base_/runtime_classification.py',
]
randomness = dict(seed=0)
model = dict(
    backbone=dict(depth='0.5D', strides=(1, 1, 2, 2, 2, 1, 1, 1)),
    head=dict(
        num_classes=10,
        dropout=0.2,
        loss=dict(type='mmpretrain.LabelSmoothLoss', label_smooth_val=0.1, mode='original')))
