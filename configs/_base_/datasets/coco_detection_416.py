# COCO 2017 at 416 x 416. The paper does not print the size; 416 fits its learning rate, batch and latencies best
# (assumed). The order of augmentations and their strengths are those of the configs of September 2021 (assumed).
data_root = 'data/coco/'
image_size = (416, 416)
train_sizes = [352, 384, 416, 448, 480]

train_pipeline = [
    dict(type='lcvision.LoadImage'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='lcvision.DropIgnored'),
    dict(type='lcvision.SSDCrop'),
    dict(type='RandomFlip', prob=0.5),
    dict(type='lcvision.PicoDistort', version='2021'),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
test_pipeline = [
    dict(type='lcvision.LoadImage'),
    dict(type='Resize', scale=image_size, keep_ratio=False, interpolation='bicubic'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
train_dataloader = dict(
    batch_size=56,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='lcvision.batch_random_resize', sizes=train_sizes),
    dataset=dict(
        type='lcvision.NonEmptyCocoDataset',
        data_root=data_root,
        ann_file='annotations/instances_train2017.json',
        data_prefix=dict(img='train2017/'),
        filter_cfg=dict(filter_empty_gt=True, min_size=0),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=8,
    num_workers=2,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CocoDataset',
        data_root=data_root,
        ann_file='annotations/instances_val2017.json',
        data_prefix=dict(img='val2017/'),
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='lcvision.CocoBoxMetric', ann_file=data_root + 'annotations/instances_val2017.json')
test_evaluator = val_evaluator
