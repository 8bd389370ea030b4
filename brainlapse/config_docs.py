"""Write docs/configuration.md from the typed settings, the single source."""

import types
import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from brainlapse.config import Config

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
    return "none" if value is None else f"`{value}`"


def _range(field: FieldInfo) -> str:
    signs = {"ge": ">=", "gt": ">", "le": "<=", "lt": "<", "min_length": "length >="}
    limits = [
        f"{sign} {getattr(limit, name)}"
        for limit in field.metadata
        for name, sign in signs.items()
        if getattr(limit, name, None) is not None
    ]
    return ", ".join(limits)


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
