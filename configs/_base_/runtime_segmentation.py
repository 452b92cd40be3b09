# Segmentation schedules count iterations.
_base_ = './runtime.py'

default_scope = 'mmseg'
default_hooks = dict(
    checkpoint=dict(by_epoch=False, interval=2000, save_best='mIoU'),
    logger=dict(log_metric_by_epoch=False),
    visualization=dict(type='SegVisualizationHook'))
visualizer = dict(type='SegLocalVisualizer')
log_processor = dict(by_epoch=False)
