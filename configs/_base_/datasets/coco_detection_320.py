# The 416 pipeline at the reference's smaller size.
_base_ = './coco_detection_416.py'

image_size = (320, 320)
train_dataloader = dict(collate_fn=dict(sizes=[256, 288, 320, 352, 384]))
test_pipeline = _base_.test_pipeline
test_pipeline[1].scale = image_size
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
