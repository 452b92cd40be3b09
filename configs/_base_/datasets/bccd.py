# Blood cells (BCCD): 292 training and 72 validation images of 640 x 480, three classes, in COCO layout, in data/bccd.
_base_ = './coco_detection_320.py'

data_root = 'data/bccd/'
dataset = dict(data_root=data_root, metainfo=dict(classes=('RBC', 'WBC', 'Platelets')))
train_dataloader = dict(
    batch_size=16,
    dataset=dict(ann_file='annotations/instances_train.json', data_prefix=dict(img='train/'), **dataset))
val_dataloader = dict(
    dataset=dict(ann_file='annotations/instances_val.json', data_prefix=dict(img='val/'), **dataset))
test_dataloader = val_dataloader
val_evaluator = dict(ann_file=data_root + 'annotations/instances_val.json')
test_evaluator = val_evaluator
