# BCCD as a small set of one's own is trained best from scratch: small images, small batches, colours that change mildly
# (in stained cells the colour gives away the class), all flips (cells have no right way up), and images decoded once.
_base_ = './bccd.py'

train_pipeline = [
    dict(type='lcvision.LoadImage', cache_mb=512),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='lcvision.DropIgnored'),
    dict(type='lcvision.SSDCrop'),
    dict(type='Resize', scale=(320, 320)),
    dict(type='YOLOXHSVRandomAug'),
    dict(type='RandomFlip', prob=[0.25, 0.25, 0.25], direction=['horizontal', 'vertical', 'diagonal']),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
train_dataloader = dict(
    batch_size=8,
    collate_fn=dict(sizes=[160, 192, 224, 256]),
    dataset=dict(pipeline=train_pipeline))
