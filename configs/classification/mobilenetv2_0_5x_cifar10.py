# The baseline of pplcnet_0_5x_cifar10.py: MobileNetV2 0.5x with the same map sizes, data, schedule, dropout and
# loss.
_base_ = [
    '../_base_/models/mobilenetv2_cls.py',
    '../_base_/datasets/cifar10.py',
    '../_base_/schedules/cifar_short.py',
    '../_base_/runtime_classification.py',
]
randomness = dict(seed=0)
model = dict(
    backbone=dict(scale=0.5, strides=(1, 2, 2, 2, 1)),
    head=dict(
        num_classes=10,
        in_channels=160,
        dropout=0.2,
        loss=dict(_delete_=True, type='mmpretrain.LabelSmoothLoss', label_smooth_val=0.1, mode='original')))
