# CIFAR-10 as one file of JPEGs, data/cifar10/cifar10_jpeg.npz: padded by 4, cropped and flipped. Images of another size
# (--data) become 32 x 32 first. Normalised as ImageNet, so that weights trained there can be gone on with.
data_file = 'data/cifar10/cifar10_jpeg.npz'
image_size = (32, 32)
# Normalisation belongs to the images, so it stands here and not in the bases of models; the runner hands it to the
# model. --data sets num_classes here and in the head, but a config without it has to set the head's itself.
data_preprocessor = dict(
    type='mmpretrain.ClsDataPreprocessor',
    num_classes=10,
    mean=[123.675, 116.28, 103.53],
    std=[58.395, 57.12, 57.375],
    to_rgb=True)

train_pipeline = [
    dict(type='lcvision.LoadAnyImage'),
    dict(type='Resize', scale=image_size, interpolation='area'),
    dict(type='RandomCrop', crop_size=32, padding=4),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='lcvision.LoadAnyImage'),
    dict(type='Resize', scale=image_size, interpolation='area'),
    dict(type='PackInputs'),
]
# One process: the batch is the whole.
train_dataloader = dict(
    batch_size=128,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(type='lcvision.NpzImageDataset', data_file=data_file, split='train', pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=250,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    collate_fn=dict(type='default_collate'),
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(type='lcvision.NpzImageDataset', data_file=data_file, split='test', pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='Accuracy', topk=(1, 5))
test_evaluator = val_evaluator
