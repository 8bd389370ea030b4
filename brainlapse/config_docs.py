"""Write docs/configuration.md from the typed settings, the single source."""

import types
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from brainlapse.config import Config

LIMITS = ("ge", "gt", "le", "lt", "min_length")
TARGET = Path(__file__).resolve().parent.parent / "docs" / "configuration.md"
OPENING = """# Configuration

Made by `make docs` from the typed settings; a test holds it true. Unknown keys are refused, and
every fault is named before the first job starts.

Edit `config.yaml`, or keep your own file and give it with `--configfile mine.yaml`: its values
are laid over the shipped ones, and its `datasets`, `autoencoders` and `tasks` replace the
shipped ones. Threads, memory, time and partitions are no settings; they belong to
[profiles](../profiles/README.md).

`<name>` stands for a name that you choose.
"""


def render() -> str:
    """Return the page as Markdown."""
    return OPENING + "".join(_section("", Config))


def _section(prefix: str, model: type[BaseModel]) -> list[str]:
    title = prefix.rstrip(".") or "Top level"
    lines = [f"\n## `{title}`\n" if prefix else f"\n## {title}\n"]
    lines.append("\n| key | type | default | range | what |\n|---|---|---|---|---|\n")
    nested: list[tuple[str, type[BaseModel]]] = []
    for name, field in model.model_fields.items():
        lines.append(_row(name, field))
        nested += [
            (f"{prefix}{name}{suffix}.", inner) for suffix, inner in _models(field.annotation)
        ]
    for inner_prefix, inner in nested:
        lines += _section(inner_prefix, inner)
    return lines


def _row(name: str, field: FieldInfo) -> str:
    cells = (f"`{name}`", _type(field.annotation), _default(field), _range(field))
    text = (field.description or "").replace("|", "\\|").replace("\n", " ")
    return "| " + " | ".join(cells) + f" | {text} |\n"


def _models(annotation: Any) -> list[tuple[str, type[BaseModel]]]:
    """Return the settings models inside a type, with the path suffix that reaches them."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [("", annotation)]
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    suffix = {dict: ".<name>", list: "[]"}.get(origin, "")
    found = [pair for argument in arguments for pair in _models(argument)]
    return [(suffix + inner_suffix, model) for inner_suffix, model in found]


def _type(annotation: Any) -> str:
    if isinstance(annotation, type) and not typing.get_args(annotation):
        return "section" if issubclass(annotation, BaseModel) else annotation.__name__
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _type(arguments[0])
    if origin is typing.Literal:
        return " or ".join(f"`{value}`" for value in arguments)
    if origin in (typing.Union, types.UnionType):
        return " or ".join("nothing" if one is type(None) else _type(one) for one in arguments)
    inner = ", ".join("..." if one is Ellipsis else _type(one) for one in arguments)
    return f"{getattr(origin, '__name__', str(origin))} of {inner}"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, tuple) and any(isinstance(item, BaseModel) for item in value):
        return ", ".join(
            f"`{item.model_dump(mode='json', exclude_defaults=True)}`" for item in value
        )
    return "none" if value is None else f"`{value}`"


def _range(field: FieldInfo) -> str:
    own, inner = _limits(field.metadata), _inner_limits(field.annotation)
    parts = [_interval(own), f"each {_interval(inner)}" if inner else ""]
    if "min_length" in own:
        parts.append(f"length >= {own['min_length']}")
    return ", ".join(filter(None, parts))


def _limits(metadata: Iterable[Any]) -> dict[str, Any]:
    """Return the limits that a type carries, by pydantic's names."""
    pairs = [(name, getattr(limit, name, None)) for limit in metadata for name in LIMITS]
    return {name: value for name, value in pairs if value is not None}


def _inner_limits(annotation: Any) -> dict[str, Any]:
    """Return the limits of the items of a list or tuple."""
    for argument in typing.get_args(annotation):
        fields = getattr(argument, "__metadata__", ())
        limits = [limit for field in fields for limit in getattr(field, "metadata", ())]
        if found := _limits(limits) or _inner_limits(argument):
            return found
    return {}


def _interval(limits: dict[str, Any]) -> str:
    limits = {name: int(value) if value == int(value) else value for name, value in limits.items()}
    low = limits.get("ge", limits.get("gt"))
    high = limits.get("le", limits.get("lt"))
    above = "above " if "gt" in limits else ""
    below = "below " if "lt" in limits else ""
    if low is None or high is None:
        bare = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<"}
        return ", ".join(f"{bare[name]} {limits[name]}" for name in limits if name in bare)
    return f"{above}{low} to {below}{high}"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
