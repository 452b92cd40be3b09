# CIFAR-100 as its authors publish it, unpacked in data/cifar100/cifar-100-python; not downloaded. Pipelines, batch
# and normalisation are those of CIFAR-10.
_base_ = './cifar10.py'

data_preprocessor = dict(num_classes=100)
train_dataloader = dict(
    dataset=dict(
        _delete_=True, type='CIFAR100', data_root='data/cifar100/', split='train', download=False,
        pipeline=_base_.train_pipeline))
val_dataloader = dict(
    dataset=dict(
        _delete_=True, type='CIFAR100', data_root='data/cifar100/', split='test', download=False,
        pipeline=_base_.test_pipeline))
test_dataloader = val_dataloader
