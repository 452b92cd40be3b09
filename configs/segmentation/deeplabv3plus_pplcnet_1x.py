# PP-LCNet 1x in the paper's table 5: 66.03 mIoU, 96 ms on 10 threads of a Xeon Gold 6148. On several GPUs add
# sync_bn = 'torch', as the reference does.
_base_ = [
    '../_base_/models/deeplabv3plus.py',
    '../_base_/datasets/cityscapes_1024x512.py',
    '../_base_/schedules/poly_80k.py',
    '../_base_/runtime_segmentation.py',
]
