# The 224 pipelines at 256.
_base_ = './imagenet_elite_224.py'

image_size = 256
train_pipeline = _base_.train_pipeline
test_pipeline = _base_.test_pipeline
train_pipeline[2].scale = image_size
test_pipeline[1].crop_size = image_size
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=test_pipeline))
test_dataloader = val_dataloader
