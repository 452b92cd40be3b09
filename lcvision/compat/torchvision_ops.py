"""Lets a torchvision whose C++ ops do not load be imported for its transforms.

Serves torchvision 0.28.0 (tried: its CUDA build over torch 2.13.0+cpu) and releases that fail in the same way: the
package attaches shape rules to two of its operators while it is imported, and fails if they are not declared.
Declared here without a kernel, they let the import pass; torchvision still refuses calls of its ops with its own
message about mismatched builds.
Delete it when torchvision imports without its ops, or when constraints.txt pins a matching build of both.
"""
import importlib

# The others are looked at only where torchvision's library was loaded.
SCHEMAS = dict.fromkeys(('nms', 'qnms'), '(Tensor dets, Tensor scores, float iou_threshold) -> Tensor')
_library = None  # a torch.library.Library takes its operators back when it is collected


def declare_missing() -> list[str]:
    """Declares the operators that torchvision's import needs and its C++ library did not bring; returns their names."""
    global _library
    import torch
    if importlib.import_module('torchvision.extension')._has_ops():
        return []
    missing = [name for name in SCHEMAS if not hasattr(torch.ops.torchvision, name)]
    if missing:
        _library = torch.library.Library('torchvision', 'FRAGMENT')
        for name in missing:
            _library.define(name + SCHEMAS[name])
    return missing
