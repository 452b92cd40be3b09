# Seesaw-shuffleNet 1.0D in the paper's table 5: 3.6 M parameters, 361 M multiply-adds, 72.9 % top-1.
_base_ = [
    '../_base_/models/seesaw_cls.py',
    '../_base_/datasets/imagenet_224.py',
    '../_base_/schedules/seesaw_imagenet.py',
    '../_base_/runtime_classification.py',
]
train_dataloader = dict(batch_size=96)
