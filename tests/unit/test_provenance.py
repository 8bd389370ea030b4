"""The fingerprint follows meaning, not bytes."""

import pytest

from brainlapse import provenance
from brainlapse.provenance import code_fingerprint


@pytest.fixture
def tree(tmp_path):
    package = tmp_path / "brainlapse"
    (package / "deep").mkdir(parents=True)
    (package / "__init__.py").write_text('"""Doc."""\n')
    (package / "deep" / "__init__.py").write_text('"""Doc."""\n')
    (package / "deep" / "inner.py").write_text("def inner():\n    return 1\n")
    (package / "used.py").write_text(
        '"""Doc."""\nfrom brainlapse.deep import inner\n\nX = inner.inner()\n'
    )
    (package / "other.py").write_text("Y = 2\n")
    (package / "runtime.py").write_text("Z = 3\n")
    (tmp_path / "script.py").write_text(
        "from brainlapse import runtime\n\ndef main():\n    from brainlapse.used import X\n"
    )
    return tmp_path


def fingerprint(tree):
    return code_fingerprint(tree / "script.py", root=tree)


def test_reaches_modules_through_imports_in_functions_and_packages(tree):
    names = set(fingerprint(tree))
    assert {"script.py", "brainlapse.used", "brainlapse.deep.inner"} <= names
    assert "brainlapse.other" not in names
    assert "brainlapse.runtime" not in names


@pytest.mark.parametrize(
    "text",
    [
        '"""Another doc."""\nfrom brainlapse.deep import inner\n\nX = inner.inner()\n',
        "from brainlapse.deep import inner  # why\n\n\nX = (\n    inner.inner()\n)\n",
    ],
    ids=["docstring", "layout"],
)
def test_docstrings_comments_and_layout_do_not_count(tree, text):
    before = fingerprint(tree)
    (tree / "brainlapse" / "used.py").write_text(text)
    assert fingerprint(tree) == before


def test_descriptions_of_settings_do_not_count_and_their_values_do(tree):
    module = tree / "brainlapse" / "used.py"
    text = "from brainlapse.deep import inner\n\nX = Field(1, ge=0, description='{}')\n"
    module.write_text(text.format("One"))
    before = fingerprint(tree)
    module.write_text(text.format("Another"))
    assert fingerprint(tree) == before
    module.write_text(text.format("Another").replace("Field(1", "Field(2"))
    assert fingerprint(tree) != before


def test_edit_changes_just_its_own_module(tree):
    before = fingerprint(tree)
    (tree / "brainlapse/deep/inner.py").write_text("def inner():\n    return 22\n")
    after = fingerprint(tree)
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {"brainlapse.deep.inner"}


def test_function_without_docstring_left_is_still_hashed(tree):
    (tree / "brainlapse/deep/inner.py").write_text('def inner():\n    """Only a doc."""\n')
    assert "brainlapse.deep.inner" in fingerprint(tree)


def test_data_of_a_module_count_with_it(tree, monkeypatch):
    monkeypatch.setattr(provenance, "DATA", {"brainlapse.deep.inner": "deep/data.bin"})
    assert fingerprint(tree)["deep/data.bin"] == "missing"
    found = set()
    for size in (3, 4):
        (tree / "brainlapse/deep/data.bin").write_bytes(bytes(size))
        found.add(fingerprint(tree)["deep/data.bin"])
    assert len(found) == 2
    (tree / "script.py").write_text("from brainlapse import other\n")
    assert "deep/data.bin" not in fingerprint(tree)


def test_named_data_travel_with_the_package():
    for module, name in provenance.DATA.items():
        assert (provenance.ROOT / "brainlapse" / name).is_file()
        assert provenance.ROOT.joinpath(*module.split(".")).with_suffix(".py").is_file()
