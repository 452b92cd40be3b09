# The 416 pipeline at the reference's larger size.
_base_ = './coco_detection_416.py'

image_size = (640, 640)
train_dataloader = dict(collate_fn=dict(sizes=[576, 608, 640, 672, 704]))
test_pipeline = [
    dict(type='lcvision.LoadImage'),
    dict(type='Resize', scale=image_size, keep_ratio=False, interpolation='bicubic'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
