"""A stand-in for ``mri_synthseg`` that behaves and misbehaves on command.

One shell script under many names: its name says what it does. It knows the options that the
pipeline uses and needs ``sh``, ``cat``, ``cp``, ``rm``, ``touch``, ``id`` and ``sleep`` only, so
that it runs in an image which the tests build from this machine's files.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from brainlapse.images import save_volume
from brainlapse.segmentation.labels import CSV_HEADER

GATES = {
    "exit_1": r"exit code 1\nLast lines of its output:\n(.|\n)*no memory left",
    "exit_137": r"exit code 137 \(killed, most often for want of memory\)",
    "header_only": "0 complete rows, 1 expected",
    "wrong_columns": "34 columns",
    "no_table": "wrote no table",
    "no_labels": "wrote no label map",
    "cut_labels": "label map cannot be read",
    "unknown_label": "ids that SynthSeg does not have: \\[999",
    "wrong_grid": r"another grid \(\(5, 7, 8\)\) than the scan \(\(6, 7, 8\)\)",
    "no_sum": "but the structures add to",
}
"""What fails as a tool, and the message that each must give."""
CONTENT_GATES = {
    "zero": "32 of 32 structures have no positive, finite volume",
    "not_finite": "1 of 32 structures have no positive, finite volume",
    "implausible": "the intracranial volume is 960.496 mm3, plausible are 600000",
}
"""What fails because the image shows no brain."""
OTHERS = ("good", "hang", "gpu_failure", "gpu_zero", "second_zero", "second_bad", "report")
PROGRAMS = ("sh", "cat", "cp", "rm", "touch", "id", "sleep")
ROOT = Path(__file__).parents[1]
HANG_S = 10**8 + os.getpid()  # what no other process has in its command line

SCRIPT = r"""#!/bin/sh
here=${0%%/*}
mode=${0##*/}
cpu=no
while [ $# -gt 0 ]; do
    case $1 in
        --i) input=$2; shift;;
        --o) labels=$2; shift;;
        --vol) table=$2; shift;;
        --threads) shift;;
        --cpu) cpu=yes;;
    esac
    shift
done

segment() {
    if [ -e "$2" ] || [ -e "$3" ]; then
        echo "partial output of an earlier try is in the way: $2"
        exit 9
    fi
    echo "stand-in: $1"
    row=good
    source=$1
    case $mode in
        second_zero) [ "$number" = 2 ] && row=zero;;
        second_bad) [ "$number" = 2 ] && row=none;;
        gpu_zero) [ $cpu = no ] && row=zero;;
        no_table) row=absent;;
        header_only|exit_1|gpu_failure) row=none;;
        zero|not_finite|implausible|no_sum) row=$mode;;
        unknown_label|wrong_grid|cut_labels) source=$here/$mode.nii.gz;;
    esac
    [ $mode = gpu_failure ] && [ $cpu = yes ] && row=good
    if [ $row != absent ]; then
        cat "$here/$([ $mode = wrong_columns ] && echo few.csv || echo header.csv)" > "$3"
        [ $row = none ] || cat "$here/$row.csv" >> "$3"
    fi
    [ $mode = no_labels ] || cp "$source" "$2"
}

case $mode in
    hang) cat "$here/header.csv" > "$table"; sleep %(hang_s)d;;
    exit_137) exit 137;;
    report)
        echo "user $(id -u):$(id -g)"
        echo "license ${FS_LICENSE:-none}, gpus ${CUDA_VISIBLE_DEVICES:-unset}"
        (while read -r name rest; do case $name in *:) echo "interface $name";; esac; done) \
            < /proc/net/dev
        touch "${input%%/*}/new" 2> /dev/null && echo "input is writable"
        touch "${table%%/*}/new" 2> /dev/null || echo "output is not writable"
        exit 3;;
esac
number=0
case $input in
    *.txt)
        while read -r i <&3 && read -r o <&4 && read -r v <&5; do
            number=$((number + 1))
            segment "$i" "$o" "$v"
        done 3< "$input" 4< "$labels" 5< "$table";;
    *) segment "$input" "$labels" "$table";;
esac
if [ $mode = exit_1 ]; then
    echo "no memory left" >&2
    exit 1
fi
if [ $mode = gpu_failure ] && [ $cpu = no ]; then
    echo "CUDA error: an illegal memory access was encountered" >&2
    exit 1
fi
exit 0
"""


def write_scan(path, shape=(6, 7, 8), label=17):
    """Write a scan whose copy is a label map."""
    volume = np.full(shape, label, dtype=np.float32)
    save_volume(path, volume, np.diag([2.5, 2.5, 2.5, 1.0]))
    return path


def write_stand_in(folder):
    """Write the stand-in under each of its names, and the files that it copies from."""
    folder.mkdir(parents=True, exist_ok=True)
    for mode in (*GATES, *CONTENT_GATES, *OTHERS):
        program = folder / mode
        program.write_text(SCRIPT % {"hang_s": HANG_S})
        program.chmod(0o755)
    write_scan(folder / "unknown_label.nii.gz", label=999)
    write_scan(folder / "wrong_grid.nii.gz", shape=(5, 7, 8))
    whole = write_scan(folder / "cut.nii.gz").read_bytes()
    (folder / "cut_labels.nii.gz").write_bytes(whole[: len(whole) // 2])
    for name, cells in _tables().items():
        (folder / f"{name}.csv").write_text(",".join(map(str, cells)) + "\n")
    return folder


def write_root(folder):
    """Write a root filesystem: the stand-in and the programs it needs, with their libraries."""
    for name in ("bin", "dev", "etc", "input", "output", "proc", "sys", "tmp", "var/tmp"):
        (folder / name).mkdir(parents=True)
    (folder / "tmp").chmod(0o1777)
    for name in ("passwd", "group"):
        (folder / "etc" / name).write_text("")
    for program in PROGRAMS:
        found = shutil.which(program)
        shutil.copy(found, folder / "bin" / program)
        for library in _libraries(found):
            target = folder / library.relative_to("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)
    write_stand_in(folder / "opt/standin")
    return folder


def _libraries(program):
    done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
    words = done.stdout.replace("=>", " ").split()
    return {Path(word) for word in words if word.startswith("/")}


def _tables():
    values = [30000.0 + number for number in range(32)]
    return {
        "header": CSV_HEADER,
        "few": CSV_HEADER[:-1],
        "good": ["scan", sum(values), *values],
        "zero": ["scan", 0.0, *[0.0] * 32],
        "not_finite": ["scan", sum(values), *values[:31], "nan"],
        "implausible": ["scan", sum(values) / 1000, *[value / 1000 for value in values]],
        "no_sum": ["scan", 2 * sum(values), *values],
    }


def job_that_hangs(scan, settings, folder):
    """Start a job of its own that waits for the stand-in, with `folder` for temporary files."""
    code = (
        "import sys; from pathlib import Path\n"
        "from brainlapse.segmentation.synthseg.runs import run_segmenter\n"
        "from brainlapse.segmentation.settings import SegmentationSettings\n"
        "settings = SegmentationSettings.model_validate_json(sys.argv[2])\n"
        "run_segmenter([Path(sys.argv[1])], settings, threads=1)\n"
    )
    environment = {**os.environ, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)}
    arguments = [sys.executable, "-c", code, str(scan), settings.model_dump_json()]
    return subprocess.Popen(arguments, env=environment)


def hanging():
    """Command lines of running stand-ins that hang."""
    wanted = f"sleep\0{HANG_S}\0".encode()
    return [path for path in Path("/proc").glob("[0-9]*/cmdline") if _read(path) == wanted]


def guards(folder):
    """Process ids of the guards, up and waiting, of jobs with temporary files in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        words = _read(path).decode(errors="replace").split("\0")
        if any(word.endswith("/guard.py") for word in words) and str(folder) in " ".join(words):
            status = _read(path.with_name("status")).decode()
            ignored = status.partition("SigIgn:")[2].split()[:1]
            if ignored and int(ignored[0], 16) >> (signal.SIGTERM - 1) & 1:
                found.append(int(path.parent.name))
    return found


def _read(path):
    try:
        return path.read_bytes()
    except OSError:
        return b""


def wait_for(condition, seconds=20):
    """Tell whether a condition comes true."""
    for _ in range(seconds * 20):
        if condition():
            return True
        time.sleep(0.05)
    return False
