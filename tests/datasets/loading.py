"""A loader of a config as tests read it."""
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from torch.utils.data import DataLoader


def load(cfg: Config, name: str) -> DataLoader:
    """Read by this process; two images a batch, but where a segmentor is validated, whose images differ in size."""
    init_default_scope(cfg.default_scope)
    loader = cfg[f'{name}_dataloader']
    loader.update(num_workers=0, persistent_workers=False)
    if name == 'train' or cfg.default_scope != 'mmseg':
        loader.batch_size = 2
    return Runner.build_dataloader(loader, seed=0)
