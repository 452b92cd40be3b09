"""From a checkpoint to files that were verified and measured."""
from lcvision.errors import UserError

try:
    import onnx  # noqa: F401
except ImportError as error:
    raise UserError("export needs onnx, onnxscript and a runtime: pip install 'lcvision[onnx]' or "
                    "'lcvision[openvino]'") from error
