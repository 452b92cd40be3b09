"""Runs an exported model on images: python run.py MODEL.onnx|MODEL.xml IMAGE... [--out DIR] [--threads N]

It needs numpy, opencv-python, and onnxruntime for .onnx or openvino for .xml. All else is in the model's metadata.
"""
import argparse
import json
import sys
from pathlib import Path

import cv2
import numpy as np

CV2 = {'nearest': cv2.INTER_NEAREST, 'bilinear': cv2.INTER_LINEAR, 'bicubic': cv2.INTER_CUBIC,
       'area': cv2.INTER_AREA, 'lanczos': cv2.INTER_LANCZOS4}


def load(path, threads):
    """Returns the metadata, and a function from an input to outputs by name."""
    if path.endswith('.onnx'):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        session = onnxruntime.InferenceSession(path, options, providers=['CPUExecutionProvider'])
        names = [output.name for output in session.get_outputs()]
        text = session.get_modelmeta().custom_metadata_map.get('lcvision')
        def run(x):
            return dict(zip(names, session.run(names, {session.get_inputs()[0].name: x})))
    else:
        import openvino
        core = openvino.Core()
        model = core.read_model(path)
        text = model.get_rt_info(['lcvision']).astype(str) if model.has_rt_info(['lcvision']) else None
        precision = 'bf16' if text and json.loads(text)['precision'].endswith('bf16') else 'f32'
        hints = {'INFERENCE_NUM_THREADS': threads, 'INFERENCE_PRECISION_HINT': precision}
        compiled = core.compile_model(model, 'CPU', hints)
        def run(x):
            return {port.get_any_name(): value for port, value in compiled(x).items()}
    metadata = json.loads(text or '{}')
    if metadata.get('graph') != 'end2end':
        sys.exit(f'{path} has no lcvision metadata, or another graph than end2end')
    return metadata, run


def resize(image, height, width, step):
    """Resizes as the model was evaluated."""
    if step['backend'] == 'pillow':
        from PIL import Image
        return np.array(Image.fromarray(image).resize((width, height), Image.Resampling[step['interpolation'].upper()]))
    return cv2.resize(image, (width, height), interpolation=CV2[step['interpolation']])


def apply(image, step):
    """One step of the model's test pipeline."""
    height, width = image.shape[:2]
    if step['op'] == 'resize':
        wanted = step['size']
        if step['keep_ratio']:
            factor = min(max(wanted) / max(height, width), min(wanted) / min(height, width))
            wanted = [int(side * float(factor) + 0.5) for side in (height, width)]
        return resize(image, *wanted, step)
    if step['op'] == 'resize_edge':
        edge, size = step['edge'], step['size']
        if edge == 'width' or (edge == 'short' and width < height) or (edge == 'long' and width > height):
            return resize(image, int(size * height / width), size, step)
        return resize(image, size, int(size * width / height), step)
    if step['op'] == 'center_crop':
        top, left = (max(0, round((side - wanted) / 2)) for side, wanted in zip((height, width), step['size']))
        return image[top:top + step['size'][0], left:left + step['size'][1]]
    size = step['size']
    side = size / (size + step['padding']) * min(height, width)
    top, left = (max(0, round((length - side) / 2)) for length in (height, width))
    return resize(image[top:int(top + side - 1) + 1, left:int(left + side - 1) + 1], size, size, step)


def prepare(image, rule):
    """Returns the input, the height and width of the image within it, and its (x, y) scale."""
    before = image.shape
    for step in rule['steps']:
        image = apply(image, step)
    height, width = image.shape[:2]
    padded = [-(-side // rule['divisor']) * rule['divisor'] for side in (height, width)]
    if rule['dynamic'] != 'size' and padded != rule['size']:
        sys.exit(f'an image becomes {padded[0]}x{padded[1]}, and the model takes {rule["size"][0]}x{rule["size"][1]}')
    scale = (width / before[1], height / before[0])
    image = np.ascontiguousarray(image[..., ::-1] if rule['colour'] == 'RGB' else image)
    if rule['dtype'] == 'uint8':
        return image[None], (height, width), scale
    x = image.astype(np.float32)
    if rule['mean']:
        x = (x - np.array(rule['mean'], np.float32)) / np.array(rule['std'], np.float32)
    full = np.full((1, 3, *padded), rule['pad_value'], np.float32)
    full[0, :, :height, :width] = x.transpose(2, 0, 1)
    return full, (height, width), scale


def predict(metadata, run, image):
    """Returns the result as plain values."""
    x, (height, width), scale = prepare(image, metadata['input'])
    found, names = run(x), metadata['names']
    if metadata['task'] == 'segmentation':
        return cv2.resize(found['labels'][0, :height, :width], image.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    if metadata['task'] == 'classification':
        return [dict(name=names[i], score=float(score)) for i, score in zip(found['labels'][0], found['scores'][0])]
    boxes = found['boxes'][0, :int(found['count'][0])]
    if metadata['clip']:
        boxes = boxes.clip(0, np.array([width, height, width, height], np.float32))
    boxes = boxes / np.array(scale * 2, np.float32)
    return [dict(name=names[label], score=float(score), box=box.tolist())
            for box, score, label in zip(boxes, found['scores'][0], found['labels'][0])]


def draw(image, result, threshold=0.3):
    """Returns a picture of a result."""
    if isinstance(result, np.ndarray):
        colours = cv2.applyColorMap((result * 37).astype(np.uint8), cv2.COLORMAP_HSV)
        return cv2.addWeighted(image, 0.5, colours, 0.5, 0)
    boxes = [one for one in result if 'box' in one and one['score'] >= threshold]
    for one in boxes or [one for one in result[:1] if 'box' not in one]:
        x1, y1, x2, y2 = map(round, one.get('box', (0, 0, 0, 0)))
        cv2.rectangle(image, (x1, y1), (x2, y2), (244, 110, 30), 2)
        cv2.putText(image, f"{one['name']} {one['score']:.2f}", (x1 + 2, max(y1 - 4, 16)), cv2.FONT_HERSHEY_SIMPLEX,
                    0.5, (244, 110, 30), 1, cv2.LINE_AA)
    return image


def main():
    """Prints a line of JSON for each image."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('model', help='.onnx or .xml with the graph end2end')
    parser.add_argument('images', nargs='+')
    parser.add_argument('--out', type=Path, help='folder for pictures')
    parser.add_argument('--threads', type=int, default=1)
    args = parser.parse_args()
    metadata, run = load(args.model, args.threads)
    for path in args.images:
        image = cv2.imread(path)
        if image is None:
            sys.exit(f'{path} is no image that OpenCV can read')
        shown = result = predict(metadata, run, image)
        if isinstance(result, np.ndarray):
            shown = {metadata['names'][label]: count / result.size
                     for label, count in zip(*np.unique(result, return_counts=True))}
        print(json.dumps(dict(image=path, result=shown)))
        if args.out:
            args.out.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(args.out / f'{Path(path).stem}.jpg'), draw(image, result))


if __name__ == '__main__':
    main()
