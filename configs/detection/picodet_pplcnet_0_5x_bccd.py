# A worked example: a few hundred images of your own, from scratch, in 12 minutes on two cores. BCCD has 292 training
# images of blood cells; docs/reproduce.md has the curve. Different from the reference's recipe: AdamW instead of SGD,
# mild colour changes instead of a random hue (in stained cells the colour gives away the class), more epochs.
_base_ = [
    '../_base_/models/picodet_paper.py',
    '../_base_/datasets/bccd.py',
    '../_base_/schedules/small_data_adamw.py',
    '../_base_/runtime.py',
]
model = dict(backbone=dict(scale=0.5), neck=dict(in_channels=[64, 128, 256]), bbox_head=dict(num_classes=3))
train_pipeline = [
    dict(type='lcvision.LoadImage'),
    dict(type='LoadAnnotations', with_bbox=True),
    dict(type='lcvision.DropIgnored'),
    dict(type='lcvision.SSDCrop'),
    dict(type='RandomFlip', prob=[0.25, 0.25, 0.25], direction=['horizontal', 'vertical', 'diagonal']),
    dict(type='PhotoMetricDistortion', hue_delta=9),
    dict(type='PackDetInputs', meta_keys=('img_id', 'img_path', 'ori_shape', 'img_shape', 'scale_factor')),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
