# PicoDet v2 L at 640: 42.6 mAP, 59.2 AP50 in PaddleDetection's picodet_l_640_coco_lcnet.
_base_ = [
    '../_base_/models/picodet_v2.py',
    '../_base_/datasets/coco_detection_640.py',
    '../_base_/schedules/picodet_300e.py',
    '../_base_/runtime.py',
]
neck_channels = 160

model = dict(
    backbone=dict(scale=2.0),
    neck=dict(in_channels=[256, 512, 1024], out_channels=neck_channels),
    bbox_head=dict(in_channels=neck_channels, stacked_convs=4))
# The colour distortion of 2022: Pillow's.
train_pipeline = _base_.train_pipeline
train_pipeline[5].version = 'pil'
train_dataloader = dict(batch_size=12, dataset=dict(pipeline=train_pipeline))
# Stops early: the cosine would end at epoch 300.
train_cfg = dict(max_epochs=200)
optim_wrapper = dict(optimizer=dict(lr=0.06))
auto_scale_lr = dict(base_batch_size=4 * 12)
