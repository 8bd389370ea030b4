"""What YAML reads without a word, and not as it was meant: keys given twice, 0123, 1:30."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

BASES = {
    8: re.compile(r"[-+]?0[0-9_]+"),
    60: re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"),
}
"""How YAML 1.1 spells numbers that few people mean."""


def text_faults(path: str | Path) -> list[str]:
    """List what a configuration file says that no reader of it would expect.

    Returns
    -------
    list of str
        One line for each key that is given twice or whose number is to another base.
    """
    text = Path(path).read_text(encoding="utf-8")
    tree = yaml.compose(text, Loader=yaml.SafeLoader)
    return [f"{path}, {line}" for line in _walk(tree, "")] if tree else []


def _walk(node: yaml.Node, key: str) -> Iterator[str]:
    line = f"line {node.start_mark.line + 1}"
    if isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for name, value in node.value:
            place = f"{key}.{name.value}" if key else str(name.value)
            at = name.start_mark.line + 1
            if name.value in seen and name.value != "<<":
                before = seen[name.value]
                yield f"line {at}: {place}: is given twice (first in line {before}); keep one"
            seen[name.value] = at
            yield from _walk(value, place)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _walk(value, f"{key}.{number}")
    elif isinstance(node, yaml.ScalarNode) and node.style is None:
        number = node.tag.endswith((":int", ":float"))
        for base, form in BASES.items():
            if number and form.fullmatch(node.value):
                yield (
                    f"{line}: {key}: YAML reads {node.value} as a number to the base of {base}; "
                    "write the number that you mean, or text in quotes"
                )
