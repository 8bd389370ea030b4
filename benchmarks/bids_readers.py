"""Time BIDS readers on a made tree of 9,200 scans and check that each finds the right ones.

    python benchmarks/bids_readers.py

Tried: the plain walk of brainlapse, pybids, ancpbids and bids2table; a reader that is not
installed is skipped with a message. To try them all without touching the project's environment:

    python -m venv /tmp/readers && /tmp/readers/bin/pip install pybids ancpbids bids2table
    /tmp/readers/bin/python benchmarks/bids_readers.py

Images are empty files: readers of names never open them.
"""

import argparse
import importlib.metadata
import importlib.util
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DESCRIPTION = '{"Name": "made", "BIDSVersion": "1.9.0", "DatasetType": "raw"}'


def make_tree(folder: Path, subjects: int, scans: int) -> set[str]:
    """Make a data set with what readers meet; give the relative paths of its T1w scans."""
    expected = set()
    (folder / "dataset_description.json").write_text(DESCRIPTION)
    rows = ["participant_id\tage\tsex"]
    for index in range(subjects):
        subject = f"sub-{index:04}"
        rows.append(f"{subject}\t{50 + index % 40}\t{'MF'[index % 2]}")
        for visit in range(scans // subjects + (index < scans % subjects)):
            anat = folder / subject / f"ses-{visit:02}" / "anat"
            anat.mkdir(parents=True)
            extra = ("", "_acq-mprage", "_run-1", "_rec-norm")[index % 4]
            stem = f"{subject}_ses-{visit:02}{extra}"
            for name in (f"{stem}_T1w.nii.gz", f"{stem}_T1w.json", f"{stem}_FLAIR.nii.gz"):
                (anat / name).write_text("{}" if name.endswith("json") else "")
            expected.add(str((anat / f"{stem}_T1w.nii.gz").relative_to(folder)))
    (folder / "participants.tsv").write_text("\n".join(rows) + "\n")
    for place in ("derivatives/tool", "sourcedata"):
        decoy = folder / place / "sub-0000/ses-00/anat/sub-0000_ses-00_T1w.nii.gz"
        decoy.parent.mkdir(parents=True)
        decoy.touch()
    (folder / "derivatives/tool/dataset_description.json").write_text(DESCRIPTION)
    return expected


def read_plain(folder: Path) -> list[str]:
    """Walk as brainlapse does."""
    sys.path.insert(0, str(ROOT))
    from brainlapse.cohort.folders.bids import list_dataset

    return [scan.path for scan in list_dataset(folder).scans]


def read_pybids(folder: Path) -> list[str]:
    """Index with pybids, without validation of names and without metadata (its quickest way)."""
    from bids import BIDSLayout, BIDSLayoutIndexer

    indexer = BIDSLayoutIndexer(validate=False, index_metadata=False)
    layout = BIDSLayout(folder, indexer=indexer)
    return layout.get(suffix="T1w", extension=[".nii", ".nii.gz"], return_type="filename")


def read_ancpbids(folder: Path) -> list[str]:
    """Index with ancpbids."""
    from ancpbids import BIDSLayout

    layout = BIDSLayout(str(folder))
    return layout.get(suffix="T1w", extension=[".nii", ".nii.gz"], return_type="filename")


def read_bids2table(folder: Path) -> list[str]:
    """Index with bids2table."""
    import bids2table

    table = bids2table.index_dataset(folder).to_pylist()
    return [
        str(Path(row["root"], row["path"]))
        for row in table
        if row["suffix"] == "T1w" and row["ext"] in (".nii", ".nii.gz")
    ]


READERS: dict[str, tuple[str, Callable[[Path], list[str]]]] = {
    "plain": ("brainlapse", read_plain),
    "bids2table": ("bids2table", read_bids2table),
    "ancpbids": ("ancpbids", read_ancpbids),
    "pybids": ("bids", read_pybids),
}


def measure(name: str, folder: Path) -> tuple[float, float, set[str]]:
    """Time one reader in a fresh process, its import included."""
    begun = time.perf_counter()
    found = READERS[name][1](folder)
    seconds = time.perf_counter() - begun
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return seconds, peak_mb, {str(Path(path).relative_to(folder)) for path in found}


def main() -> None:
    """Make the tree, measure each reader, print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=1700)
    parser.add_argument("--scans", type=int, default=9200)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        expected = make_tree(folder, options.subjects, options.scans)
        print(f"{len(expected)} scans of {options.subjects} subjects; best of {options.repeats}")
        print("reader\tversion\tseconds\tratio\tpeak_MB\tmissed\textra")
        floor = None
        for name, (module, _) in READERS.items():
            if name != "plain" and importlib.util.find_spec(module) is None:
                print(f"{name}\tskipped: not installed (pip install {name})")
                continue
            runs = []
            for _ in range(options.repeats):
                with ProcessPoolExecutor(1, mp_context=context) as pool:
                    runs.append(pool.submit(measure, name, folder).result())
            seconds, peak_mb, found = min(runs, key=lambda run: run[0])
            floor = floor or seconds
            version = "-" if name == "plain" else importlib.metadata.version(name)
            missed, extra = len(expected - found), len(found - expected)
            numbers = f"{seconds:.2f}\t{seconds / floor:.1f}\t{peak_mb:.0f}\t{missed}\t{extra}"
            print(f"{name}\t{version}\t{numbers}", flush=True)


if __name__ == "__main__":
    main()
