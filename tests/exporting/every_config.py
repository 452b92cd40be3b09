"""Exports every shipped config with random weights to ONNX and OpenVINO, levels 0 to 2; by hand, an hour on a core.

    python tests/exporting/every_config.py RESULTS.tsv [NAME...]

Configs whose networks differ in nothing but the weights to start with are exported once. A line of the results has the
config, the largest difference of raw maps and of results in each format, and what was compared; what is in the file
already is not done again. Exit code 1 if a file did not pass.
"""
import json
import sys
import tempfile
from pathlib import Path

import torch

from lcvision.config import load_config
from lcvision.deploy.input_size import find_input_size
from lcvision.deploy.network import build_model
from lcvision.exporting import original
from lcvision.exporting.export import export
from lcvision.latency.end_to_end import end_to_end

FOLDER = Path(__file__).parents[2] / 'configs'


def structure(config) -> str:
    """What decides the graph: the network without its weights, and its input."""
    def plain(part):
        if isinstance(part, dict):
            return {key: plain(value) for key, value in part.items()
                    if key not in ('init_cfg', 'train_cfg', 'teacher', 'train_head', 'augments')}
        return [plain(one) for one in part] if isinstance(part, (list, tuple)) else str(part)
    return json.dumps([plain(config.model), find_input_size(config)], sort_keys=True)


def attempt(config, folder: str) -> str:
    """The rest of the line of a config."""
    size = find_input_size(config)
    torch.manual_seed(0)
    model = build_model(config, input_size=size)
    kind = 'end2end'
    try:
        end_to_end(config, model, size)
    except Exception as error:
        print(f'  weights stay as they are: {error}', flush=True)
    torch.save({'state_dict': model.state_dict(), 'meta': {}}, f'{folder}/model.pth')
    result = export(config, f'{folder}/model.pth', out=f'{folder}/out', to='onnx,openvino', graph=kind, measure=False)
    return '\t'.join(result.failures or [
        kind, *(f'{one.verdict.maps:.1e} {one.verdict.results:.1e} {one.verdict.compared}' for one in result.files)])


def main() -> int:
    results, names = Path(sys.argv[1]), sys.argv[2:]
    done = dict(line.split('\t', 1) for line in results.read_text().splitlines()) if results.exists() else {}
    original._PARTS = original._PARTS[:2]
    known: dict[str, str] = {}
    for path in sorted(FOLDER.glob('[a-z]*/*.py')):
        name = str(path.relative_to(FOLDER).with_suffix(''))
        if names and name not in names:
            continue
        config = load_config(str(path))
        shape = structure(config)
        if name not in done:
            if shape in known:
                done[name] = f'as {known[shape]}'
            else:
                with tempfile.TemporaryDirectory() as folder:
                    try:
                        done[name] = attempt(config, folder)
                    except Exception as error:
                        done[name] = f'{type(error).__name__}: {str(error).splitlines()[0]}'
            with results.open('a') as file:
                file.write(f'{name}\t{done[name]}\n')
        known.setdefault(shape, name)
        print(name, done[name], flush=True)
    wrong = [name for name, line in done.items() if not line.startswith(('end2end', 'as '))]
    print(f'{len(done)} configs, {len(known)} networks, {len(wrong)} failed')
    return int(bool(wrong))


if __name__ == '__main__':
    sys.exit(main())
