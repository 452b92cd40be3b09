# PP-LCNet 1x in PaddleDetection's lcnet_1_0x_416; no accuracy is published.
_base_ = [
    '../_base_/models/picodet_legacy.py',
    '../_base_/datasets/coco_detection_416.py',
    '../_base_/schedules/picodet_300e.py',
    '../_base_/runtime.py',
]
train_dataloader = dict(batch_size=90)
auto_scale_lr = dict(base_batch_size=4 * 90)
# In CSP-PAN every norm decays.
optim_wrapper = dict(
    optimizer=dict(lr=0.4), paramwise_cfg=dict(custom_keys={'neck.': dict(decay_mult=1.)}))
# The trainer of that time restarted its average every 40 epochs (assumed; later ones never do).
custom_hooks = [dict(type='lcvision.CycleEMAHook', decay=0.9998, cycle_epoch=40)]
