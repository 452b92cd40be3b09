"""Quantisation-aware training: what int8 rounds away is learned back from the model itself."""
import copy
import io
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from mmengine.config import Config, ConfigDict

from lcvision.training.train import train

STEPS, BATCH = 300, 8
_LEARNING_RATE = 1e-4


def retrain(config: Config, checkpoint: str | Path, data: str | Path, layers: Sequence[str],
            folder: str | Path) -> str:
    """Trains a copy of the model with int8 simulated in some layers; returns its checkpoint, one of the plain model.

    Args:
        config: As the user gave it; of it the data, the model and the hooks that every run needs stay.
        checkpoint: Of the model, which is start and teacher.
        data: 'sample' or a folder.
        layers: As an exported graph names them.
        folder: Where the run writes.
    """
    config = copy.deepcopy(config)
    adam = dict(type='AdamW', lr=_LEARNING_RATE, weight_decay=0.)
    config.optim_wrapper = ConfigDict(type='OptimWrapper', optimizer=adam, clip_grad=dict(max_norm=1.))
    config.param_scheduler = [ConfigDict(type='CosineAnnealingLR', T_max=STEPS, by_epoch=False, eta_min=0.)]
    config.train_cfg = ConfigDict(type='IterBasedTrainLoop', max_iters=STEPS, val_interval=STEPS, val_begin=STEPS + 1)
    config.custom_hooks = [ConfigDict(type='lcvision.QuantisationHook', layers=list(layers))]
    config.default_hooks = {
        **(config.get('default_hooks') or {}), 'latency': None, 'pictures': None, 'visualization': None,
        'checkpoint': dict(type='lcvision.AtomicCheckpointHook', by_epoch=False, interval=STEPS, max_keep_ckpts=1)}
    config.log_processor = ConfigDict(type='LogProcessor', window_size=10, by_epoch=False)
    with redirect_stdout(io.StringIO()):
        result = train(config, data, load_from=checkpoint, work_dir=folder,
                       cfg_options={'train_dataloader.batch_size': BATCH})
    return str(result.checkpoint)
