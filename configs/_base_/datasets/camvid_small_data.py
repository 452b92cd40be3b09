# CamVid as a small set of one's own is trained best from scratch: small batches and many of them, images decoded once,
# and the loss on a quarter of the pixels.
_base_ = './cityscapes_1024x512.py'

image_size = (480, 360)
crop_size = (192, 256)
train_pipeline = [
    dict(type='lcvision.LoadImage', cache_mb=512),
    dict(type='lcvision.LoadMask', num_classes=19),
    dict(type='RandomResize', scale=image_size, ratio_range=(0.5, 1.5), keep_ratio=True),
    dict(type='Pad', size=crop_size[::-1], pad_val=dict(img=127, seg=255)),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.75),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='lcvision.PicoDistort', version='pil', brightness=(0.6, 1.4), contrast=(0.6, 1.4), saturation=(0.6, 1.4)),
    dict(type='lcvision.ThinMask'),
    dict(type='PackSegInputs'),
]
camvid = dict(data_root='data/camvid/', img_suffix='_leftImg8bit.jpg')
train_dataloader = dict(batch_size=4, num_workers=1, dataset=dict(pipeline=train_pipeline, **camvid))
val_dataloader = dict(num_workers=1, dataset=camvid)
test_dataloader = val_dataloader
