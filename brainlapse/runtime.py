"""What every job needs from its surroundings: logs, threads, whole files, progress.

Nothing here changes a number, so this module is left out of the code fingerprints.
"""

import atexit
import contextlib
import ctypes
import io
import json
import logging
import os
import resource
import sys
import threading
import time
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from threadpoolctl import threadpool_limits

from brainlapse.damage import DamagedFile, check_addresses, reading

if TYPE_CHECKING:
    import pandas as pd

RUN_TOKEN = "BRAINLAPSE_RUN"  # host, process id and start time of the snakemake that leads the run
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # parameters of glibc's mallopt
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS",
)
TEXT_COLUMNS = {
    "subject": str,
    "session": str,
    "scan": str,
    "dataset": str,
    "sex": str,
    "diagnosis": str,
    "last_scan": str,
    "scan_first": str,
    "scan_last": str,
}

log = logging.getLogger("brainlapse")
_failures: list[BaseException] = []
Item = TypeVar("Item")


def start(snakemake: Any) -> None:
    """Prepare the process of one job: log file, thread limits, end with the leading process."""
    path = snakemake.log[0] if snakemake.log else None
    open_log(path)
    if path:
        atexit.register(_log_cost, Path(path), time.monotonic())
    check_addresses()
    limit_threads(snakemake.threads)
    watch_leader()


def open_log(path: str | None) -> None:
    """Send log messages, warnings and uncaught errors to stderr and to the job's log file."""
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(path, mode="w", encoding="utf-8"))
    logging.basicConfig(
        level=logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%H:%M:%S",
        handlers=handlers,
        force=True,
    )
    logging.captureWarnings(True)
    sys.excepthook = _log_uncaught


def _log_cost(path: Path, started: float) -> None:
    """End the log with what the process and the programs that it started have cost."""
    if _failures or not path.exists():
        return
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    seconds, cpu = time.monotonic() - started, sum(one.ru_utime + one.ru_stime for one in used)
    peak_mb = max(_peak_kib(), used[1].ru_maxrss) / 1024
    with path.open("a", encoding="utf-8") as file:
        file.write(f"cost: {seconds:.1f} s, {cpu:.1f} CPU s, {peak_mb:.0f} MB on ")
        file.write(f"{os.uname().nodename}\n")


def _peak_kib() -> int:
    """Most memory of this process; what getrusage says of it may be its parent's."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    _failures.append(error)
    log.error("%s: %s", kind.__name__, error, exc_info=(kind, error, trace))


def limit_threads(threads: int) -> None:
    """Pin the threads of every numerical library, so that numbers and times repeat."""
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    threadpool_limits(threads)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)


@contextlib.contextmanager
def single_thread() -> Iterator[None]:
    """Let torch work on one thread: with another number of them it adds up in another order."""
    torch = sys.modules["torch"]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def keep_memory() -> None:
    """Keep freed memory in the process: page faults would cost more than the arithmetic.

    Steps of training free and take the same large arrays again and again, and glibc hands each
    one back to the system. Without glibc nothing happens.
    """
    with contextlib.suppress(OSError, AttributeError):
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)


def process_token() -> str:
    """Name this process, which leads a run or owns containers: host, process id, start time."""
    pid = os.getpid()
    return f"{os.uname().nodename}:{pid}:{_start_time(pid)}"


def process_is_gone(token: str) -> bool:
    """Tell whether a token of `process_token` names a process of this host that has ended."""
    host, _, rest = token.partition(":")
    pid, _, started = rest.partition(":")
    return host == os.uname().nodename and pid.isdigit() and _start_time(int(pid)) != started


def process_is_here(token: str) -> bool:
    """Tell whether a token of `process_token` names a process of this host that lives."""
    return token.startswith(f"{os.uname().nodename}:") and not process_is_gone(token)


def watch_leader() -> None:
    """End this job when the snakemake that started it on this host is gone.

    After ``kill -9`` of snakemake its jobs would run on and could replace files while the same
    command is already finishing the work. Cluster jobs outlive their leader on purpose.
    """
    token = os.environ.get(RUN_TOKEN, "")
    if not token or "SLURM_JOB_ID" in os.environ or token.count(":") != 2:
        return
    host, pid, started = token.split(":")
    if host == os.uname().nodename:
        threading.Thread(target=_exit_without, args=(int(pid), started), daemon=True).start()


def _exit_without(pid: int, started: str) -> None:
    while _start_time(pid) == started:
        time.sleep(1)
    log.error("The snakemake process %d is gone; this job ends too. Run the same command.", pid)
    os._exit(143)


def _start_time(pid: int) -> str:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return "gone"
    return "gone" if fields[0] in "ZX" else fields[19]


def _read_umask() -> int:
    mask = os.umask(0)  # reading it means setting it: once, before there are threads
    os.umask(mask)
    return mask


FILE_MODE = 0o666 & ~_read_umask()
"""Permissions of a new file; some writers make theirs private."""


@contextlib.contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Give a temporary name beside `path` that becomes `path` when the block succeeds."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = "".join(path.suffixes[-2:]) if path.name.endswith(".gz") else path.suffix
    temporary = path.with_name(f".{uuid.uuid4().hex}.tmp{suffix}")
    try:
        yield temporary
        with open(temporary, "rb+") as file:
            os.fchmod(file.fileno(), FILE_MODE)
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_table(path: str | Path, frame: "pd.DataFrame") -> None:
    """Write a table as TSV, with ``n/a`` for missing values (BIDS)."""
    with atomic_path(path) as temporary:
        frame.to_csv(
            temporary, sep="\t", index=False, na_rep="n/a", lineterminator="\n", encoding="utf-8"
        )


def read_table(path: str | Path, columns: Iterable[str] = ()) -> "pd.DataFrame":
    """Read a TSV of the run; only ``n/a`` and empty cells are missing, identifiers stay text.

    Parameters
    ----------
    columns
        Columns that it must have.

    Raises
    ------
    DamagedFile
        If the file is cut, empty or no such table.
    """
    import pandas as pd  # here: its 0.25 s would be spent by each of a scan's jobs

    content = Path(path).read_bytes()
    if not content.endswith(b"\n") or b"\0" in content:
        raise DamagedFile(path, "expected whole lines of text" if content else "empty")
    if content.startswith(b"<"):
        raise DamagedFile(path, "expected a table, found a web page")
    if not content.strip():
        return pd.DataFrame()  # how pandas writes a table without columns
    with reading(path):
        table = pd.read_csv(
            io.BytesIO(content),
            sep="\t",
            na_values=["n/a", ""],
            keep_default_na=False,
            dtype=TEXT_COLUMNS,  # type: ignore[arg-type]
            encoding="utf-8-sig",
        )
    if missing := [name for name in columns if name not in table]:
        raise DamagedFile(path, f"expected the columns {', '.join(columns)}, {missing[0]} missing")
    return table


def write_json(path: str | Path, content: Any) -> None:
    """Write JSON with sorted keys; NaN is refused."""
    with atomic_path(path) as temporary:
        text = json.dumps(content, indent=2, sort_keys=True, allow_nan=False)
        temporary.write_text(text + "\n", encoding="utf-8")


def write_yaml(path: str | Path, content: Any) -> None:
    """Write plain values as YAML, in the order given."""
    import yaml  # only the leading process writes YAML; the jobs' environments lack it

    with atomic_path(path) as temporary:
        temporary.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def read_json(path: str | Path, keys: Iterable[str] = ()) -> dict[str, Any]:
    """Read a JSON object that the run wrote; DamagedFile if it isn't one or lacks a key."""
    with reading(path):
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        if not isinstance(content, dict) or not set(keys) <= set(content):
            raise DamagedFile(path, f"expected a JSON object with {', '.join(keys) or 'any key'}")
        return content


def progress(items: Iterable[Item], label: str, total: int) -> Iterator[Item]:
    """Yield the items and log the share done and the time left, at most every 10 seconds."""
    begun = last = time.monotonic()
    for done, item in enumerate(items, start=1):
        yield item
        now = time.monotonic()
        if now - last > 10 or done == total:
            left = (now - begun) / done * (total - done)
            log.info("%s: %d of %d, %s left", label, done, total, format_duration(left))
            last = now


def format_duration(seconds: float) -> str:
    """Format seconds as ``1 h 02 min``, ``3 min 20 s`` or ``12 s``."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes >= 60:
        return f"{minutes // 60} h {minutes % 60:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
