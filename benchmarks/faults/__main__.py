"""Plant faults in runs of the workflow; count what survives, is silently wrong, or gets stuck.

    python -m benchmarks.faults --config tests/config/tiny.yaml [--parts kill damage ...]
        [--trials 10] [--seed 0] [--targets encode] [--folder faults]

The configuration is run once undisturbed (kept in the folder for the next time with the same
version of the source, which stands in the results); trials copy it, plant their fault, run the
same command, and compare every result with it byte by byte. Ends with status 1 if a trial was
silently wrong, stuck, or failed without a clear sentence. docs/faults.md.
"""

import argparse
import random
import sys
import time
from pathlib import Path

import yaml

from benchmarks.faults import bundles, damage, datasets, kills, programs, shortage, tables
from benchmarks.faults.reference import Reference
from benchmarks.faults.runs import Place
from benchmarks.faults.trials import SURVIVED, show, summarise
from brainlapse.provenance import source_version

PARTS = {
    **kills.PARTS,
    **damage.PARTS,
    **shortage.PARTS,
    **datasets.PARTS,
    **tables.PARTS,
    **bundles.PARTS,
    **programs.PARTS,
}


def undisturbed(folder: Path, config: Path, targets: tuple[str, ...]) -> Reference:
    """Finish the run without a fault."""
    settings = yaml.safe_load(config.read_text())
    place = Place(folder / f"undisturbed-{source_version()}", settings, targets)
    done = place.run()
    if done.code != 0:
        raise SystemExit(f"the undisturbed run failed:\n{done.said[-3000:]}")
    return Reference(place)


def main() -> int:
    """Print every trial and the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--trials", type=int, default=10, help="of each part")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--targets", nargs="+", default=[], help="of the workflow; default: all")
    parser.add_argument("--folder", type=Path, default=Path("faults"))
    options = parser.parse_args()
    folder = options.folder.resolve()
    began = time.monotonic()
    reference = undisturbed(folder, options.config, tuple(options.targets))
    print(f"undisturbed run: {time.monotonic() - began:.0f} s", flush=True)
    trials = []
    for part in options.parts:
        rng = random.Random(f"{options.seed} {part}")
        for trial in PARTS[part](reference, folder / part, rng, options.trials):
            show(trial)
            trials.append(trial)
    print(summarise(trials))
    print(f"seed {options.seed}, {time.monotonic() - began:.0f} s")
    return int(any(trial.verdict != SURVIVED for trial in trials))


if __name__ == "__main__":
    sys.exit(main())
