"""Converts weights of PaddlePaddle and timm into weights of a config of this package."""
import argparse
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path

import torch
from mmengine.registry import MODELS, init_default_scope
from safetensors.torch import save as safetensors_bytes
from torch import Tensor, nn

from lcvision.config import ConfigOptions, find_config, load_config
from lcvision.errors import UserError
from lcvision.files import write_atomically, writing
from lcvision.text import listing
from lcvision.version import __version__
from lcvision.weights import from_paddle, from_timm
from lcvision.weights.conversion import ConversionReport
from lcvision.weights.safe_load import PADDLE_SUFFIXES, existing_file, load_state_dict_file, read_paddle

_WRITTEN = ('.safetensors', '.pth')


def main(argv: Sequence[str] | None = None) -> int:
    """Converts a file and prints what became of every tensor."""
    args = _parse(argv)
    source, target = existing_file(args.src), _check_target(args.src, args.dst)
    model, prefix = _build_model(args.config, args.cfg_options), ''
    if args.backbone_only:
        backbone = getattr(model, 'backbone', None)
        if not isinstance(backbone, nn.Module):
            raise UserError(f'The model of {args.config} has no backbone: leave --backbone-only out.')
        model, prefix = backbone, 'backbone.'
    state, report = _convert(source, model, args.dropout)
    print(f'{source} -> {args.config}{" (backbone only)" if prefix else ""}\n{report}')
    if not report.complete:
        first = listing([*report.misshapen, *report.unexpected, *report.missing], 3)
        raise UserError(f'{source} does not fit {args.config} and nothing was written: {len(report.missing)} missing, '
                        f'{len(report.unexpected)} unexpected, {len(report.misshapen)} misshapen ({first}); give the '
                        'config of the architecture, width and number of classes that it was made with.')
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    metadata = dict(format='pt', source=source.name, source_sha256=digest, config=Path(args.config).name,
                    lcvision=__version__)
    _write(target, {prefix + name: tensor for name, tensor in state.items()}, metadata)
    print(f'written {target}: {len(state)} tensors, {target.stat().st_size / 1e6:.2f} MB')
    return 0


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('src', metavar='SRC', help='.pdparams or .npz with Paddle names; .pth or .safetensors of timm '
                        'LCNet or of a run of this package')
    parser.add_argument('dst', metavar='DST', help='.safetensors or .pth; --load-from and init_cfg take both')
    parser.add_argument('--config', required=True, type=find_config, help='config of the model of the weights')
    parser.add_argument('--cfg-options', nargs='+', action=ConfigOptions, metavar='K=V', help='changes to the config')
    parser.add_argument('--backbone-only', action='store_true', help="take the config's backbone and leave the rest, "
                        "for init_cfg=dict(type='Pretrained', prefix='backbone', checkpoint=DST)")
    parser.add_argument('--dropout', type=float, default=0.2, metavar='P',
                        help="dropout that Paddle's classifier was trained with (%(default)s)")
    args = parser.parse_args(argv)
    if not 0 <= args.dropout < 1:
        parser.error(f'--dropout takes a probability below 1, but got {args.dropout}')
    return args


def _check_target(source: str, target: str) -> Path:
    path = Path(target).expanduser()
    if path.suffix not in _WRITTEN:
        raise UserError(f'{target} has the suffix {path.suffix!r}: the result is written as {" or ".join(_WRITTEN)}.')
    if path.is_dir():
        raise UserError(f'{target} is a folder: give the name of the file to write.')
    if path.exists() and path.samefile(Path(source).expanduser()):
        raise UserError(f'{target} is the source itself: give another name for the result.')
    return path


def _build_model(path: str, options: dict | None) -> nn.Module:
    config = load_config(path, options)
    try:
        init_default_scope(config.get('default_scope', 'mmengine'))
        return MODELS.build(config.model)
    except Exception as error:  # a config is a program: it can fail in any way
        reason = str(error).strip().splitlines() or [type(error).__name__]
        raise UserError(f'{path} builds no model: {reason[-1]}; correct the config or --cfg-options.') from error


def _convert(source: Path, model: nn.Module, dropout: float) -> tuple[dict[str, Tensor], ConversionReport]:
    if source.suffix in PADDLE_SUFFIXES:
        return from_paddle.convert_with_report(read_paddle(source), model, dropout)
    named = load_state_dict_file(source)
    if from_timm.is_timm(named):
        return from_timm.convert_with_report(named, model)
    if any(name.endswith('._variance') for name in named):
        return from_paddle.convert_with_report({k: v.float().numpy() for k, v in named.items()}, model, dropout)
    return from_timm.convert_own(named, model)


def _write(target: Path, state: dict[str, Tensor], metadata: dict[str, str]) -> None:
    if target.suffix == '.safetensors':
        content = safetensors_bytes(state, metadata=metadata)
    else:
        buffer = io.BytesIO()
        torch.save(dict(meta=metadata, state_dict=state), buffer)
        content = buffer.getvalue()
    with writing(target):
        write_atomically(target, content)
