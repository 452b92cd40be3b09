default_scope = 'mmdet'
env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='gloo'))
default_hooks = dict(
    timer=dict(type='IterTimerHook'),
    logger=dict(type='LoggerHook', interval=50),
    param_scheduler=dict(type='ParamSchedulerHook'),
    checkpoint=dict(type='lcvision.AtomicCheckpointHook', interval=1, max_keep_ckpts=2, save_best='auto'),
    sampler_seed=dict(type='DistSamplerSeedHook'),
    visualization=dict(type='DetVisualizationHook'),
    finite=dict(type='lcvision.FiniteHook'),
    seed=dict(type='lcvision.SeedHook'),
    resume=dict(type='lcvision.ResumeHook'),
    compatible=dict(type='lcvision.CompatibleCheckpointHook'),
    memory_format=dict(type='lcvision.MemoryFormatHook'),
    latency=dict(type='lcvision.CPULatencyHook'),
    pictures=dict(type='lcvision.PictureHook'))
vis_backends = [dict(type='LocalVisBackend')]
visualizer = dict(type='DetLocalVisualizer', vis_backends=vis_backends, name='visualizer')
log_processor = dict(type='LogProcessor', window_size=50, by_epoch=True)
log_level = 'INFO'
load_from = None
resume = False
