"""CPU seconds of Snakemake itself per job, with the workflow's one timer and with Snakemake's own.

    python -m benchmarks.scheduling [--jobs 100 200 400]

A workflow of so many short jobs, two at a time, is run with and without
`workflow/rules/scheduling.smk`; the jobs' own CPU seconds, the same in both, are counted in.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

RULES = Path(__file__).parents[1] / "workflow/rules/scheduling.smk"
SNAKEFILE = """
{include}
rule all:
    input: expand("{{n}}.txt", n=range({jobs}))
rule one:
    output: "{{n}}.txt"
    shell: "sleep 0.2; touch {{output}}"
"""


def cpu_s(jobs: int, include: str) -> float:
    """CPU seconds of one run."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "Snakefile").write_text(SNAKEFILE.format(include=include, jobs=jobs))
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "snakemake", "--cores", "2", "--scheduler", "greedy"]
        subprocess.run([*command, "--quiet", "all"], cwd=folder, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a line per number of jobs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, nargs="+", default=[100, 200, 400])
    for jobs in parser.parse_args().jobs:
        own, ours = (cpu_s(jobs, line) for line in ("", f'include: "{RULES}"'))
        print(
            f"{jobs} jobs: {own:.1f} CPU s ({own / jobs:.3f} a job), with one timer {ours:.1f} "
            f"({ours / jobs:.3f} a job), {own / ours:.1f} times as much",
            flush=True,
        )


if __name__ == "__main__":
    main()
