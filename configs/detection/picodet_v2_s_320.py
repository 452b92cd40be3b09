# PicoDet v2 S at 320: 29.1 mAP, 43.4 AP50 in PaddleDetection's picodet_s_320_coco_lcnet.
_base_ = [
    '../_base_/models/picodet_v2.py',
    '../_base_/datasets/coco_detection_320.py',
    '../_base_/schedules/picodet_300e.py',
    '../_base_/runtime.py',
]
# The colour distortion of 2022: Pillow's.
train_pipeline = _base_.train_pipeline
train_pipeline[5].version = 'pil'
train_dataloader = dict(batch_size=64, dataset=dict(pipeline=train_pipeline))
optim_wrapper = dict(optimizer=dict(lr=0.32))
auto_scale_lr = dict(base_batch_size=4 * 64)
