"""Every rule keeps the conventions that users and later stages rely on."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RULE = re.compile(r"^(rule|checkpoint) (\w+):\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)
FILES = [
    path
    for path in sorted((ROOT / "workflow/rules").glob("*.smk"))
    if path.stem not in ("common", "targets", "handlers", "records", "operations")
]
SHARED = {"gather_reconstructions": "gather_blocks", "gather_mean_image": "gather_blocks"}
RULES = [(path, name, body) for path in FILES for _, name, body in RULE.findall(path.read_text())]


def test_rules_are_found():
    assert len(RULES) > 20


@pytest.mark.parametrize(("path", "name", "body"), RULES, ids=[rule[1] for rule in RULES])
def test_rule_is_complete(path, name, body):
    assert body.lstrip().startswith('"""'), "docstring"
    for keyword in ("output:", "log:", "conda:", "threads:", "resources:", "params:", "script:"):
        assert f"    {keyword}" in body, keyword
    script = SHARED.get(name, name)
    assert f'"../scripts/{script}.py"' in body, "the script carries the rule's name"
    assert f'code_of("{script}")' in body, "the fingerprint of its own script"
    assert "mem_mb=growing(" in body, "a retry asks for more"
    assert "runtime=" in body
    assert f"logs/{name}" in body, "the log carries the rule's name"
    assert "lambda" not in body


@pytest.mark.parametrize(("path", "name", "body"), RULES, ids=[rule[1] for rule in RULES])
def test_inputs_and_outputs_are_named(path, name, body):
    for block in re.findall(r"^    (?:input|output):\n((?:        .*\n)+)", body, re.MULTILINE):
        first = re.findall(r"^        (\S.*)", block, re.MULTILINE)
        unnamed = [line for line in first if not re.match(r"\w+=|\)|\]", line)]
        assert unnamed == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_rule_file_opens_with_a_docstring_that_lists_its_rules(path):
    text = path.read_text()
    docstring = text.split('"""')[1]
    for _, name, _ in RULE.findall(text):
        assert name in docstring, name


def test_snakefile_is_short():
    assert len((ROOT / "Snakefile").read_text().splitlines()) <= 80


def test_on_slurm_the_rules_that_ask_for_a_gpu_go_where_there_are_some():
    """Those of segmentation, which ask only if told to, are named in profiles/README.md."""
    asking = {
        name for _, name, body in RULES if re.search(r"^ +gpu=(1|training_gpus),", body, re.M)
    }
    profile = yaml.safe_load((ROOT / "profiles/slurm/config.yaml").read_text())
    sent = {
        name
        for name, resources in profile["set-resources"].items()
        if resources["slurm_partition"] == "gpu"
    }
    assert sent == asking
