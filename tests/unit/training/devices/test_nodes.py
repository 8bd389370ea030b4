"""Nodes of a SLURM job, with stand-ins for its commands."""

import pytest

from brainlapse.training.devices.nodes import Nodes, find_nodes, outside_of_steps, srun_command
from brainlapse.training.settings import TrainingSettings


def answer(slurm, name, script):
    (slurm.parent / "slurm" / name).write_text(f"#!/bin/bash\n{script}\n")


def test_nodes_of_the_job_are_found(slurm, monkeypatch):
    assert find_nodes(2) == Nodes("127.0.0.1", ("n2",))
    monkeypatch.setenv("SLURMD_NODENAME", "n2")
    assert find_nodes(2).others == ("n1",)


def test_nodes_come_from_this_job_of_an_array(slurm):
    answer(slurm, "squeue", 'echo "8 n[3-4]"; echo "9"; echo "7 n[1-2]"')
    answer(slurm, "scontrol", """[[ "$*" == "show hostnames n[1-2]" ]] && printf 'n1\\nn2\\n'""")
    assert find_nodes(2).others == ("n2",)


def test_nodes_that_are_not_needed_are_left_alone(slurm):
    answer(slurm, "scontrol", "printf 'n1\\nn2\\nn3\\n'")
    assert find_nodes(2).others == ("n2",)


def test_no_job_is_refused(slurm, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID")
    with pytest.raises(ValueError, match=r"expected a SLURM job of 2 nodes.*found none; start"):
        find_nodes(2)


def test_too_few_nodes_are_refused(slurm):
    with pytest.raises(ValueError, match=r"of 3 nodes.*found job 7 of 2, and this process on n1"):
        find_nodes(3)


def test_a_process_beside_its_job_is_refused(slurm, monkeypatch):
    monkeypatch.setenv("SLURMD_NODENAME", "login")
    with pytest.raises(ValueError, match="this process on login; start"):
        find_nodes(2)


def test_a_command_that_fails_is_named(slurm, monkeypatch):
    answer(slurm, "squeue", "echo no controller >&2; exit 1")
    with pytest.raises(RuntimeError, match=r"squeue .*--jobs=7.*'no controller'"):
        find_nodes(2)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeError, match="expected SLURM's commands on this node"):
        find_nodes(2)


def test_srun_starts_the_processes_of_the_other_nodes():
    command = srun_command(["n2", "n3"], 4, 2, ["python", "a b"])
    assert command[0] == "srun"
    assert command[-2:] == ["python", "a b"]
    assert {
        "--nodes=2", "--nodelist=n2,n3", "--ntasks=8", "--ntasks-per-node=4", "--cpus-per-task=2",
        "--distribution=block", "--kill-on-bad-exit=1",
    } <= set(command)  # fmt: skip


def test_options_of_another_step_do_not_reach_srun():
    environment = {
        "SLURM_JOB_ID": "7", "SLURM_NTASKS": "1", "SRUN_DEBUG": "3", "SLURM_PROCID": "0",
        "SLURMD_NODENAME": "n1", "PATH": "/bin",
    }  # fmt: skip
    assert set(outside_of_steps(environment)) == {"SLURM_JOB_ID", "SLURMD_NODENAME", "PATH"}


def test_more_nodes_than_scans_of_a_batch_are_refused():
    assert TrainingSettings(batch_size=4, devices=2, nodes=2).nodes == 2
    with pytest.raises(ValueError, match="cannot be shared by 6 devices"):
        TrainingSettings(batch_size=4, devices=2, nodes=3)
    with pytest.raises(ValueError, match="cannot be shared by 5 devices"):
        TrainingSettings(batch_size=4, devices="auto", nodes=5)
