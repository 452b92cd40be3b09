# ImageNet as EfficientNet-eLite's code prepares it: pillow's bicubic, crops of at least a tenth of the image, jitter of
# colours and of lighting.
# Its learned policy is Fast AutoAugment's for ResNet-50 on a reduced ImageNet; here it is AutoAugment's for ImageNet,
# which mmpretrain has, at the same place in the pipeline.
_base_ = './imagenet_224.py'

image_size = 224
train_pipeline = [
    dict(type='lcvision.LoadAnyImage'),
    dict(type='AutoAugment', policies='imagenet'),
    dict(
        type='RandomResizedCrop',
        scale=image_size,
        crop_ratio_range=(0.1, 1.0),
        interpolation='bicubic',
        backend='pillow'),
    dict(type='RandomFlip', prob=0.5, direction='horizontal'),
    dict(type='ColorJitter', brightness=0.4, contrast=0.4, saturation=0.4),
    dict(type='lcvision.PCALighting', std=0.1),
    dict(type='PackInputs'),
]
test_pipeline = [
    dict(type='lcvision.LoadAnyImage'),
    dict(type='EfficientNetCenterCrop', crop_size=image_size, interpolation='bicubic', backend='pillow'),
    dict(type='PackInputs'),
]
train_dataloader = dict(batch_size=100, dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
