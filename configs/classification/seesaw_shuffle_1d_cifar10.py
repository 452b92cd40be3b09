# Seesaw-shuffleNet 1.0D in the paper's table 3: 2.4 M parameters, 181 M multiply-adds, 95.28 % top-1.
_base_ = [
    '../_base_/models/seesaw_cls.py',
    '../_base_/datasets/cifar10.py',
    '../_base_/schedules/seesaw_cifar.py',
    '../_base_/runtime_classification.py',
]
# The data set's own channel means, as in the paper, and deviations. Only the authors' code has the dropout.
data_preprocessor = dict(mean=[125.3, 123.0, 113.9], std=[63.0, 62.1, 66.7])
train_dataloader = dict(batch_size=64)
model = dict(backbone=dict(strides='cifar'), head=dict(num_classes=10, dropout=0.5))
