# Seesaw-shuffleNet 1.0D in the paper's table 4: 2.5 M parameters, 181 M multiply-adds, 79.26 % top-1.
_base_ = [
    '../_base_/models/seesaw_cls.py',
    '../_base_/datasets/cifar100.py',
    '../_base_/schedules/seesaw_cifar.py',
    '../_base_/runtime_classification.py',
]
# The data set's own channel means, as in the paper, and deviations. Only the authors' code has the dropout.
data_preprocessor = dict(mean=[129.3, 124.1, 112.4], std=[68.2, 65.4, 70.4])
train_dataloader = dict(batch_size=64)
model = dict(backbone=dict(strides='cifar'), head=dict(num_classes=100, dropout=0.5))
