"""What YAML reads otherwise than it was meant is said with its line and key."""

import pytest

from brainlapse.configuration.text import text_faults


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("seed: 1\nspace: {}\nseed: 2\n", ["line 3: seed: is given twice (first in line 1)"]),
        ("a:\n  b: {c: 1, d: 2, c: 3}\n", ["line 2: a.b.c: is given twice"]),
        ("tasks:\n- {name: x, name: y}\n", ["line 2: tasks.0.name: is given twice"]),
        ("seed: 0123\n", ["line 1: seed: YAML reads 0123 as a number to the base of 8"]),
        (
            "a: [1, 010]\nb: 1:30\n",
            ["a.1: YAML reads 010", "b: YAML reads 1:30 as a"],
        ),
        ('{"seed": 1, "seed": 2}', ["seed: is given twice"]),
        ("a: '0123'\nb: sub-010\nc: 0.5\nd: 0\ne: 10\nf: '1:30'\n# g: 012\n", []),
        ("base: &b {x: 1}\none: {<<: *b, x: 2}\n", []),
        ("", []),
    ],
)
def test_faults(tmp_path, text, found):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    faults = text_faults(path)
    assert len(faults) == len(found)
    for line, part in zip(faults, found, strict=True):
        assert line.startswith(f"{path}, line ")
        assert part in line
