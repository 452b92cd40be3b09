# PP-LCNet learning from ResNet50-vd, which is mmpretrain's ResNetV1d. Give the teacher's weights with
# --cfg-options model.teacher.init_cfg.checkpoint=FILE; they must have the classes of the data.
_base_ = './pplcnet_cls.py'
model = dict(
    type='lcvision.SSLD',
    head=dict(dropout=0.),
    teacher=dict(
        type='ImageClassifier',
        backbone=dict(type='ResNetV1d', depth=50, out_indices=(3,)),
        neck=dict(type='GlobalAveragePooling'),
        head=dict(
            type='LinearClsHead',
            num_classes=1000,
            in_channels=2048,
            loss=dict(type='mmpretrain.CrossEntropyLoss', loss_weight=1.0)),
        init_cfg=dict(type='Pretrained', checkpoint=None)))
