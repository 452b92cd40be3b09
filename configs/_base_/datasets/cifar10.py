# CIFAR-10 as one file of JPEGs, data/cifar10/cifar10_jpeg.npz: padded by 4, cropped and flipped. Images of another size
# (--data) become 32 x 32 first. Normalised like ImageNet, so that training can start from ImageNet weights.
_base_ = './classification.py'

data_file = 'data/cifar10/cifar10_jpeg.npz'
image_size = (32, 32)
data_preprocessor = dict(num_classes=10)

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
# One process: this is the whole batch.
train_dataloader = dict(
    batch_size=128,
    dataset=dict(type='lcvision.NpzImageDataset', data_file=data_file, split='train', pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=250,
    dataset=dict(type='lcvision.NpzImageDataset', data_file=data_file, split='test', pipeline=test_pipeline))
test_dataloader = val_dataloader
