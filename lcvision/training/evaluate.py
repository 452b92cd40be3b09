"""Evaluates a checkpoint and measures its latency."""
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmengine.config import Config

from lcvision.config import class_name, config_name, load_config
from lcvision.deploy.engines import select_engine
from lcvision.errors import UserError, plain_errors
from lcvision.inference.runtime.exported_file import ENGINES, is_exported
from lcvision.latency.record import LatencyRecord
from lcvision.training.console import ConsoleHook, build_runner
from lcvision.training.evaluate_file import file_metrics
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
def evaluate(config: str | Path | Config, checkpoint: str | Path | None = None, data: str | Path | None = None, *,
             engine: str | None = None, precision: str | None = None, show_dir: str | Path | None = None,
             work_dir: str | Path | None = None, memory_format: str | None = None, cfg_options: dict | None = None,
             launcher: str = 'none', local_rank: int = 0, verbose: bool = False,
             trust_code: bool = False) -> Evaluation:
    """Evaluates a checkpoint and measures its latency on this CPU; the other arguments are those of :func:`train`.

    Args:
        config: Path or name of a config, or the config itself, which is not changed. Or an exported file, .onnx, .xml
            or .pt2, whose metrics are found without a config and whose latency is not measured.
        checkpoint: .pth or .safetensors; read as data, nothing in it is executed. None for an exported file.
        engine: What runs the network, one image after the other, see ``lcvision.deploy.engines``; None for the model
            itself.
        precision: Of the engine; None for 'fp32'.
        show_dir: Folder for pictures of the predictions; None for no pictures.
        trust_code: Whether a .pt2 file may be loaded: it is machine code, which then runs.

    Raises:
        UserError: Something asked for cannot be done; the sentence says what to do instead.
    """
    if is_exported(config):
        return _evaluate_file(str(config), checkpoint, data, engine=engine or 'best', precision=precision,
                              trust_code=trust_code, show_dir=show_dir, work_dir=work_dir, verbose=verbose,
                              unused=dict(cfg_options=cfg_options, memory_format=memory_format,
                                          launcher=None if launcher == 'none' else launcher))
    if checkpoint is None:
        raise UserError(f'{config_name(config)} without a checkpoint: give a config with its checkpoint, or an '
                        f'exported file ({", ".join(ENGINES)}) alone')
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


def _evaluate_file(path: str, checkpoint: str | Path | None, data: str | Path | None, *, unused: dict,
                   **options: Any) -> Evaluation:
    asked = [name for name, value in dict(checkpoint=checkpoint, **unused).items() if value]
    if asked:
        raise UserError(f'{path} is an exported file, which has neither config nor checkpoint: leave out '
                        f"{asked[0].replace('_', '-')}")
    metrics, backend = file_metrics(path, data, **options)
    return Evaluation(path, path, metrics, [], backend.engine, backend.precision)
