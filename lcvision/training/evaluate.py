"""Evaluates a checkpoint and measures its latency."""
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from lcvision.config import class_name, load_config
from lcvision.deploy.engines import select_engine
from lcvision.errors import plain_errors
from lcvision.latency.record import LatencyRecord
from lcvision.training.console import ConsoleHook, build_runner
from lcvision.training.hooks import find_hook, set_hook
from lcvision.training.launch import quiet_warnings
from lcvision.training.prepare import latency_records, prepare
from lcvision.weights.safe_load import existing_file, load_state_dict_file


@dataclass(frozen=True)
class Evaluation:
    """What a test finds.

    Attributes:
        config: The config.
        checkpoint: The checkpoint.
        metrics: By name, such as 'coco/bbox_mAP', 'mIoU', 'accuracy/top1' and 'latency/net_ms'.
        latency: Records of the latency.
        engine: What ran the network; None for the model itself.
        precision: Of the engine; None without one.
    """

    config: str
    checkpoint: str
    metrics: dict[str, Any]
    latency: list[LatencyRecord]
    engine: str | None = None
    precision: str | None = None


@plain_errors()
@quiet_warnings()
def evaluate(config: str | Path | Config, checkpoint: str | Path, data: str | Path | None = None, *,
             engine: str | None = None, precision: str | None = None, show_dir: str | Path | None = None,
             work_dir: str | Path | None = None, memory_format: str | None = None, cfg_options: dict | None = None,
             launcher: str = 'none', local_rank: int = 0, verbose: bool = False) -> Evaluation:
    """Evaluates a checkpoint and measures its latency on this CPU; the other arguments are those of :func:`train`.

    Args:
        config: Path or name of a config, or the config itself, which is not changed.
        checkpoint: .pth or .safetensors; read as data, nothing in it is executed.
        engine: What runs the network, one image after the other, see ``lcvision.deploy.engines``; None for the model
            itself.
        precision: Of the engine; None for 'fp32'.
        show_dir: Folder for pictures of the predictions; None for no pictures.

    Raises:
        UserError: Something asked for cannot be done; the sentence says what to do instead.
    """
    chosen = dict(engine=engine or 'eager', precision=precision or 'fp32') if engine or precision else {}
    if chosen:
        if not isinstance(config, Config):
            load_config(str(config))  # what it imports may register the engine
        select_engine(**chosen)
    checkpoint = str(existing_file(checkpoint))
    load_state_dict_file(checkpoint)
    prepared = prepare(config, data, cfg_options, train=False, work_dir=work_dir, memory_format=memory_format,
                       launcher=launcher, local_rank=local_rank)
    cfg = prepared.cfg
    cfg.load_from, cfg.resume = checkpoint, False
    # The checkpoint has the averaged weights as its model; nothing is averaged here.
    cfg.custom_hooks = [hook for hook in cfg.get('custom_hooks') or [] if not class_name(hook).endswith('EMAHook')]
    if chosen:
        if find_hook(cfg, 'latency'):
            set_hook(cfg, 'latency', **chosen)
        set_hook(cfg, 'engine', **chosen)
    if show_dir:
        set_hook(cfg, 'pictures', out_dir=str(show_dir))
    console = ConsoleHook(shown=not verbose)
    runner = build_runner(cfg, console, verbose)
    try:
        metrics = runner.test()
    finally:
        console.close()
    hub = runner.message_hub
    if chosen:
        chosen['engine'] = hub.get_info('engine')
    return Evaluation(prepared.name, checkpoint, metrics, latency_records(hub), **chosen)
