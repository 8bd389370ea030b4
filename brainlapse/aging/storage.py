"""Fitted methods as the content of a safetensors file: numbers and names, nothing that runs.

Only the classes listed here come back. A fitted method holds means, spreads and directions over
training people, nobody's scans.
"""

import dataclasses
import json
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save

from brainlapse.aging.methods.axes import Axes
from brainlapse.aging.methods.bayes import Bayes
from brainlapse.aging.methods.population_rate import PopulationRate
from brainlapse.aging.methods.volume_bayes import VolumeBayes
from brainlapse.aging.mixed.averaged import AveragedModel
from brainlapse.aging.mixed.design import Coding, Design
from brainlapse.aging.mixed.fit import Variances
from brainlapse.aging.mixed.model import MixedModel

KNOWN = {
    known.__name__: known
    for known in (
        *(Axes, AveragedModel, Bayes, Coding, Design),
        *(MixedModel, PopulationRate, Variances, VolumeBayes),
    )
}
STRUCTURE = "structure"  # JSON as bytes, beside the arrays that it names
CLASS, ARRAY = "class", "array"
PLAIN = (str, int, float, bool, type(None))
MAX_NESTING = 20


def pack(value: Any) -> bytes:
    """Return the content of a file for nested dicts, sequences and classes of `KNOWN`."""
    arrays: dict[str, np.ndarray] = {}
    structure = json.dumps(_flatten(value, arrays), sort_keys=True).encode()
    return save({**arrays, STRUCTURE: np.frombuffer(structure, dtype=np.uint8)})


def unpack(content: bytes) -> Any:
    """Undo `pack`.

    Raises
    ------
    ValueError
        If it holds anything else, or numbers that are not finite.
    """
    try:
        arrays = load(content)
        structure = json.loads(arrays.pop(STRUCTURE).tobytes())
        return _build(structure, arrays, MAX_NESTING)
    except (SafetensorError, KeyError, TypeError, AttributeError, ValueError, RecursionError) as e:
        message = f"expected fitted rates, found none ({' '.join(str(e).split())[:200]})"
        raise ValueError(message) from None


def _flatten(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = np.ascontiguousarray(value)
        return {ARRAY: name}
    if isinstance(value, dict):
        return {CLASS: None, **{key: _flatten(one, arrays) for key, one in value.items()}}
    if isinstance(value, (list, tuple)):
        return [_flatten(one, arrays) for one in value]
    if type(value).__name__ in KNOWN:
        fields = [field.name for field in dataclasses.fields(value)]
        parts = {name: _flatten(getattr(value, name), arrays) for name in fields}
        return {CLASS: type(value).__name__, **parts}
    assert isinstance(value, PLAIN), value
    return value


def _build(node: Any, arrays: dict[str, np.ndarray], levels: int) -> Any:
    if levels < 0:
        message = "nested too deep"
        raise ValueError(message)
    if isinstance(node, list):
        return tuple(_build(one, arrays, levels - 1) for one in node)
    if not isinstance(node, dict):
        if isinstance(node, float) and not np.isfinite(node):
            message = "numbers that are not finite"
            raise ValueError(message)
        return node
    if set(node) == {ARRAY}:
        found = arrays[node[ARRAY]]
        if found.dtype.kind != "f" or not np.isfinite(found).all():
            message = "numbers that are not finite"
            raise ValueError(message)
        return found
    parts = {key: _build(one, arrays, levels - 1) for key, one in node.items() if key != CLASS}
    return parts if node[CLASS] is None else KNOWN[node[CLASS]](**parts)
