# PicoDet v2 in the comparison of the three generations at equal training (docs/results.md). ATSS assigns for a third of
# the epochs, as in the reference's run on these images.
_base_ = [
    '../_base_/models/picodet_v2.py',
    '../_base_/datasets/bccd_small_data.py',
    '../_base_/schedules/small_data_adamw.py',
    '../_base_/runtime.py',
]
model = dict(bbox_head=dict(num_classes=3), train_cfg=dict(initial_epoch=33))
