# MobileNetV1 as a classifier: no layer between the pooling and the classifier.
model = dict(
    type='ImageClassifier',
    backbone=dict(type='lcvision.MobileNetV1', scale=1.0, out_indices=(3,)),
    neck=dict(type='GlobalAveragePooling'),
    head=dict(
        type='LinearClsHead',
        num_classes=1000,
        in_channels=1024,
        loss=dict(type='mmpretrain.CrossEntropyLoss', loss_weight=1.0)))
