# Cityscapes: whole images of 2048 x 1024 in evaluation, crops of 1024 x 512 in training. The paper gives batch,
# scales, crop and flip; the colour distortion, its hue and the padding are the reference's recipe (assumed).
data_root = 'data/cityscapes/'
# Width and height of the stored images, which evaluation does not resize; --data sets them.
image_size = (2048, 1024)
crop_size = (512, 1024)
scale_factors = [0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0]

train_pipeline = [
    dict(type='lcvision.LoadImage'),
    dict(type='lcvision.LoadMask', num_classes=19),
    dict(type='RandomChoice', transforms=[[dict(type='Resize', scale_factor=factor)] for factor in scale_factors]),
    dict(type='Pad', size=crop_size[::-1], pad_val=dict(img=127, seg=255)),
    dict(type='RandomCrop', crop_size=crop_size),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='lcvision.PicoDistort', version='pil', brightness=(0.6, 1.4), contrast=(0.6, 1.4), saturation=(0.6, 1.4)),
    dict(type='PackSegInputs'),
]
test_pipeline = [
    dict(type='lcvision.LoadImage'),
    dict(type='lcvision.LoadMask', num_classes=19),
    dict(type='PackSegInputs'),
]
train_dataloader = dict(
    batch_size=32,
    num_workers=2,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(
        type='CityscapesDataset',
        data_root=data_root,
        data_prefix=dict(img_path='leftImg8bit/train', seg_map_path='gtFine/train'),
        pipeline=train_pipeline))
val_dataloader = dict(
    batch_size=1,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='CityscapesDataset',
        data_root=data_root,
        data_prefix=dict(img_path='leftImg8bit/val', seg_map_path='gtFine/val'),
        test_mode=True,
        pipeline=test_pipeline))
test_dataloader = val_dataloader
val_evaluator = dict(type='lcvision.LabelledIoUMetric')
test_evaluator = val_evaluator
