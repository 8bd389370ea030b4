"""Nodes of a SLURM job that train one autoencoder together: which they are, how srun reaches them.

The Snakemake job runs on the first node; the processes of the other nodes are one step of `srun`.
"""

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

KEPT = ("SLURM_JOB_ID", "SLURM_CONF")  # say which job; all else are options of another step


@dataclass(frozen=True)
class Nodes:
    """Nodes of one SLURM job, seen from one of them.

    Attributes
    ----------
    address
        Of this node, as the others reach it: a name or an IP address.
    others
        Names of the other nodes.
    """

    address: str
    others: tuple[str, ...]


def find_nodes(count: int) -> Nodes:
    """Find the nodes of the SLURM job that this process runs in.

    Parameters
    ----------
    count
        Nodes wanted, this one included; further ones of the job are left alone.

    Raises
    ------
    ValueError
        If there is no SLURM job, it has fewer nodes, or this process runs on none of them.
    RuntimeError
        If a command of SLURM fails.
    """
    job, own = os.environ.get("SLURM_JOB_ID"), os.environ.get("SLURMD_NODENAME", "")
    names = _names_of(job) if job else []
    if len(names) < count or own not in names:
        found = f"job {job} of {len(names)}, and this process on {own or 'none'}" if job else "none"
        message = (
            f"training.nodes: expected a SLURM job of {count} nodes and this process on one of "
            f"them, found {found}; start Snakemake with --profile profiles/slurm, or set nodes: 1"
        )
        raise ValueError(message)
    address = _ask("sinfo", "--noheader", f"--nodes={own}", "--format=%o").split()[0]
    return Nodes(address, tuple(name for name in names if name != own)[: count - 1])


def srun_command(
    nodes: Sequence[str], per_node: int, threads: int, command: Sequence[str]
) -> list[str]:
    """Return the command that starts processes on other nodes of this job.

    Parameters
    ----------
    nodes
        Their names.
    per_node
        Processes on each; SLURM_PROCID counts them, node by node, from 0.
    threads
        CPU cores of each process.
    command
        What each of them runs. When one fails, srun ends the others and fails too.
    """
    return [
        "srun",
        f"--nodes={len(nodes)}",
        f"--nodelist={','.join(nodes)}",
        f"--ntasks={len(nodes) * per_node}",
        f"--ntasks-per-node={per_node}",
        f"--cpus-per-task={threads}",
        "--distribution=block",
        "--overlap",
        "--kill-on-bad-exit=1",
        "--export=ALL",
        *command,
    ]


def outside_of_steps(environment: dict[str, str]) -> dict[str, str]:
    """Drop what SLURM says about the step of this process: srun would take it for options."""
    return {
        name: value
        for name, value in environment.items()
        if name in KEPT or not name.startswith(("SLURM_", "SRUN_"))
    }


def _names_of(job: str) -> list[str]:
    # The executor plugin takes SLURM_JOB_NODELIST away. An array's first id names all its jobs.
    answer = _ask("squeue", "--noheader", f"--jobs={job}", "--format=%A %N")
    rows = [row.split() for row in answer.splitlines()]
    expression = next((row[1] for row in rows if len(row) == 2 and row[0] == job), "")
    return _ask("scontrol", "show", "hostnames", expression).split() if expression else []


def _ask(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        message = f"training.nodes: expected SLURM's commands on this node, found: {error}"
        raise RuntimeError(message) from None
    if done.returncode:
        message = (
            f"{' '.join(command)}: expected an answer of SLURM, found {done.stderr.strip()!r}; "
            "try it on this node"
        )
        raise RuntimeError(message)
    return done.stdout
