"""Checks a checkpoint before its weights go into the model."""
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner

from lcvision.deploy.network import unwrapped
from lcvision.registry import HOOKS
from lcvision.weights.compatibility import check_compatible


@HOOKS.register_module()
class CompatibleCheckpointHook(Hook):
    """Stops a run whose checkpoint is of another model, where mmengine would warn and continue with random weights.

    When training starts from a checkpoint (not when it resumes) that differs in the number of classes alone, the class
    layers of the head keep their initialisation and one line of the log says so.
    """

    # Before mmengine's EMAHook (NORMAL), which copies the state dict.
    priority = 'VERY_HIGH'

    def after_load_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        state = checkpoint.get('state_dict', checkpoint)
        for name in [name for name in state if name.startswith('module.')]:
            state[name.removeprefix('module.')] = state.pop(name)
        starts = isinstance(runner._train_loop, BaseLoop) and not runner._resume
        if fresh := check_compatible(unwrapped(runner.model), state, runner._load_from or 'the checkpoint', starts):
            runner.logger.info(f'{runner._load_from} has another number of classes: {", ".join(fresh)} are trained '
                               f'from scratch, the other {len(state) - len(fresh)} tensors are loaded.')
