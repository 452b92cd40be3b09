# ImageNet-1k at 224 x 224 in data/imagenet (train/CLASS/*, val/CLASS/*, or mmpretrain's meta/{train,val}.txt).
# Batch sizes are per process; auto_scale_lr of a schedule has the total of all processes. The 512 here are PP-LCNet's
# on each of four GPUs; other recipes set their own.
_base_ = './classification.py'

data_root = 'data/imagenet/'

train_pipeline = [
    dict(type='lcvision.LoadAnyImage'),
    dict(type='RandomResizedCrop', scale=224),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='lcvision.LoadAnyImage'),
    dict(type='ResizeEdge', scale=256, edge='short'),
    dict(type='CenterCrop', crop_size=224),
    dict(type='PackInputs'),
]
train_dataloader = dict(
    batch_size=512,
    dataset=dict(type='ImageNet', data_root=data_root, split='train', pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=64,
    dataset=dict(type='ImageNet', data_root=data_root, split='val', pipeline=test_pipeline))
test_dataloader = val_dataloader
