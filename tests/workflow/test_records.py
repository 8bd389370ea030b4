"""A result counts only with the record of what it was made with, and the record travels with it."""

import base64
import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.conftest import planned_rules

ROOT = Path(__file__).parents[2]
SNAKEFILE = """
import os
from pathlib import Path
from brainlapse import runtime

OUT, SETTING = config["output"], config["setting"]

include: "ROOT/workflow/rules/records.smk"

onstart:
    check_records()

rule all:
    input: OUT + "/all.txt"

checkpoint list_names:
    output: OUT + "/names.txt"
    shell: "echo a b > {output}"

def names(wildcards):
    return Path(checkpoints.list_names.get().output[0]).read_text().split()

def parts(wildcards):
    return [f"{OUT}/{name}.{half}.txt" for name in names(wildcards) for half in (1, 2)]

rule make_part:
    output: OUT + "/{name}.1.txt", OUT + "/{name}.2.txt"
    params: setting=SETTING
    shell: "for i in {output}; do echo {params.setting} > $i; "
           "if [ $(basename $i) = $HOLD ]; then sleep 60; fi; done"

rule make_folder:
    input: parts
    output: directory(OUT + "/folder")
    params: setting=SETTING
    shell: "mkdir {output}; for i in 1 2 3; do echo {params.setting} > {output}/$i.txt; "
           "if [ $i.txt = $HOLD ]; then sleep 60; fi; done"

rule join:
    input: parts, OUT + "/folder"
    output: OUT + "/all.txt"
    params: setting=SETTING, out=OUT
    shell: "cat {params.out}/*.?.txt {params.out}/folder/* > {output}"
""".replace("ROOT", str(ROOT))


class Workflow:
    def __init__(self, folder):
        self.folder = folder
        self.out = folder / "out"
        (folder / "home").mkdir()
        (folder / "Snakefile").write_text(SNAKEFILE)

    def command(self, setting, *more, cwd="home", output=None, hold="none"):
        output = output or self.out
        words = ("-s", self.folder / "Snakefile", "--cores", 1, "--nolock", "--rerun-incomplete")
        settings = ("--config", f"output={output}", f"setting={setting}")
        triggers = ("--rerun-triggers", "mtime", "params", "input")
        (self.folder / cwd).mkdir(exist_ok=True)
        command = [sys.executable, "-m", "snakemake", *words, *more, *triggers, *settings]
        return {
            "args": list(map(str, command)),
            "cwd": self.folder / cwd,
            "env": {**os.environ, "PYTHONPATH": str(ROOT), "HOLD": hold},
            "stdout": subprocess.PIPE,
            "stderr": subprocess.STDOUT,
            "text": True,
        }

    def run(self, setting, *more, **where):
        done = subprocess.run(**self.command(setting, *more, **where), check=False)
        assert done.returncode == 0, done.stdout
        return done.stdout

    def kill_at(self, setting, file):
        """Start with a setting, kill when the job has written the file."""
        process = subprocess.Popen(**self.command(setting, hold=Path(file).name), process_group=0)
        deadline = time.monotonic() + 120
        while not (self.out / file).exists() or setting not in (self.out / file).read_text():
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def content(self):
        return set((self.out / "all.txt").read_text().split())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The workflow, run to its end with the setting A."""
    workflow = Workflow(tmp_path_factory.mktemp("finished"))
    workflow.run("A")
    assert workflow.content() == {"A"}
    return workflow


@pytest.fixture
def workflow(finished, tmp_path):
    """A copy, with its records."""
    mine = Workflow(tmp_path)
    shutil.copytree(finished.out, mine.out)
    return mine


def test_a_finished_run_has_nothing_to_do_anywhere_else(workflow):
    assert "Nothing to be done" in workflow.run("A", "-n", cwd="elsewhere")
    assert {"make_part", "make_folder", "join"} <= planned_rules(
        workflow.run("B", "-n", cwd="elsewhere")
    )


@pytest.mark.parametrize("file", ["b.1.txt", "folder/2.txt"])
def test_back_to_the_old_settings_after_a_kill(workflow, file):
    workflow.kill_at("B", file)
    assert "Nothing to be done" not in workflow.run("A", "-n")
    workflow.run("A")
    assert workflow.content() == {"A"}
    assert "Nothing to be done" in workflow.run("A", "-n")


def test_the_new_settings_are_finished_after_a_kill_from_elsewhere(workflow):
    workflow.kill_at("B", "b.1.txt")
    workflow.run("B", cwd="elsewhere")
    assert workflow.content() == {"B"}


def test_results_without_records_are_made_again(workflow):
    shutil.rmtree(workflow.out / ".snakemake")
    shutil.rmtree(workflow.out / "folder")
    (workflow.out / "folder").mkdir()  # half a folder
    (workflow.out / "a.1.txt").write_text("C\n")
    # What stands behind the checkpoint is not known before it ran.
    assert {"list_names", "make_folder", "join"} <= planned_rules(workflow.run("A", "-n"))
    workflow.run("A")
    assert workflow.content() == {"A"}


def test_a_damaged_record_counts_for_none(workflow):
    damages = itertools.cycle(["", "{", "[]", '{"params": 7}'])
    for record in sorted((workflow.out / ".snakemake/metadata").iterdir()):
        if "names" not in base64.urlsafe_b64decode(record.name).decode():
            record.write_text(next(damages))
    expected = {"make_part", "make_folder", "join", "all"}
    assert planned_rules(workflow.run("A", "-n")) == expected


def test_a_result_that_was_changed_since_is_made_again(workflow):
    emptied, changed, touched = (workflow.out / name for name in ("a.2.txt", "b.1.txt", "b.2.txt"))
    stat = emptied.stat()
    emptied.write_text("")
    os.utime(emptied, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    changed.write_text("X\n")
    touched.touch()
    plan = workflow.run("A", "-n")
    assert plan.count("rule make_part:") == 2
    workflow.run("A")
    assert (emptied.read_text(), changed.read_text()) == ("A\n", "A\n")
    assert workflow.content() == {"A"}


def test_a_result_that_nothing_wants_may_be_deleted_and_comes_back_by_its_name(workflow):
    (workflow.out / "a.1.txt").unlink()
    assert "Nothing to be done" in workflow.run("A", "-n")
    workflow.run("A", workflow.out / "a.1.txt")
    assert (workflow.out / "a.1.txt").read_text() == "A\n"


@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_text("X\n")])
def test_a_folder_of_which_a_file_was_changed_since_is_made_again(workflow, damage):
    damage(workflow.out / "folder/2.txt")
    assert planned_rules(workflow.run("A", "-n")) == {"make_folder", "join", "all"}
    workflow.run("A")
    assert workflow.content() == {"A"}
    assert "Nothing to be done" in workflow.run("A", "-n")


def test_a_job_that_fails_leaves_no_record_and_ends_no_other(workflow):
    for name in ("a.1.txt", "b.1.txt"):
        (workflow.out / name).unlink()
    snakefile = workflow.folder / "Snakefile"
    whole = snakefile.read_text()
    failing = "if [ {wildcards.name} = a ]; then exit 1; fi; for i in {output}; do echo {params"
    snakefile.write_text(whole.replace("for i in {output}; do echo {params", failing))
    done = subprocess.run(**workflow.command("B", "--keep-going"), check=False)
    assert done.returncode == 1
    assert "recording metadata" not in done.stdout
    assert (workflow.out / "b.1.txt").read_text() == "B\n"
    snakefile.write_text(whole)
    workflow.run("B")
    assert workflow.content() == {"B"}


def test_another_spelling_of_the_folder_shares_its_records(workflow):
    other = workflow.folder / "home" / ".." / "out"
    workflow.run("B", output=other)
    assert workflow.content() == {"B"}
    workflow.run("A")
    assert workflow.content() == {"A"}


def test_a_second_run_is_refused_before_it_looks(workflow):
    process = subprocess.Popen(**workflow.command("B", hold="a.1.txt"), process_group=0)
    while f"process {process.pid} " not in (workflow.out / ".resume/run.lock").read_text():
        time.sleep(0.05)
    done = subprocess.run(**workflow.command("A"), check=False)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert done.returncode == 1
    assert f"{workflow.out}: another run (process" in done.stdout
