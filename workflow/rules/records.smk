"""What Snakemake remembers of finished jobs: kept in the output folder, trusted only when whole.

A result says nothing of the settings, code and inputs that it was made with; Snakemake's record of
its job does. Snakemake keeps the records in the working folder, takes a result without one for up
to date, and looks at its marks of unfinished jobs before our checkpoints are known. So after
`kill -9`, from another folder or without `.snakemake`, results of other settings or half of a
folder would pass. docs/adr/0006-records.md.
"""

import hashlib
import re
import stat

import snakemake.workflow as engine
from snakemake.exceptions import WorkflowError
from snakemake.persistence import RECORD_FORMAT_VERSION, MetadataRecord
from snakemake.persistence.file import FilePersistence

from brainlapse import ownership

NO_RECORD = "no record of these bytes"
OWN_BYTES = "bytes of the result"
HASHED_BYTES = 16 * 2**20
TIME_STAMP = ".snakemake_timestamp"
IN_OUTPUT = re.compile(rf"(?<![\w/.-]){re.escape(config['output'])}(?=/|['\"]|$)")


class OutputRecords(FilePersistence):
    """Records of the results in the output folder, which can be moved with them."""

    def __init__(self, *args, dag, warn_only=False, **kwargs):
        self._trusted = {}
        super().__init__(*args, dag=dag, warn_only=warn_only, **kwargs)
        folder = Path(config["output"], ".snakemake")
        self._fetch_max_len(self._metadata_path)  # asks a folder that is there
        self._metadata_path = str(folder / "metadata")
        self._incomplete_path = str(folder / "incomplete")
        if not warn_only and not looks_only(dag):
            for path in (self._metadata_path, self._incomplete_path):
                os.makedirs(path, exist_ok=True)
        run = dag.workflow
        works = run.executor_plugin and not run.dryrun and not looks_only(dag)
        if run.is_main_process and works:
            claim_output()  # before anyone decides what is up to date
            if run.local_exec:  # jobs of a killed run may go on on a cluster
                ownership.sweep(config["output"])

    def _get_key(self, f):
        return super()._get_key(f).removeprefix(f"{config['output']}/")

    def _input(self, job):
        return [without_place(path) for path in super()._input(job)]

    def _params(self, job):
        return [without_place(text) for text in super()._params(job)]

    def _clear_cache(self):
        super()._clear_cache()
        self._trusted = {}

    def _read_record(self, key):
        """Give a result that is half made, unknown or was changed since, settings of no run."""
        record = self._stored_record(key)
        if key not in self._trusted:
            half_made = self._filter_incomplete_keys([key])
            path = Path(config["output"], key)
            self._trusted[key] = not path.exists() or (
                not half_made and is_unchanged(path, record)
            )
        if self._trusted[key]:
            return record
        return MetadataRecord(
            params=[NO_RECORD], record_format_version=RECORD_FORMAT_VERSION
        )

    def _stored_record(self, key):
        try:
            return super()._read_record(key)
        except ValueError:  # it was cut, or is none
            return None

    def _write_record(self, key, record):
        self._trusted.pop(key, None)
        own = {OWN_BYTES: fingerprint_of(Path(config["output"], key))}
        record.input_checksums = {**(record.input_checksums or {}), **own}
        super()._write_record(key, record)

    def started(self, job, external_jobid=None):
        """Mark the job's results; what was known of the old ones goes first."""
        for f in job.output:
            self._delete_record(self._get_key(f))
        super().started(job, external_jobid)


def looks_only(dag):
    """Tell a run that only looks, and may do so beside another one, from one that makes results."""
    return {rule.name for rule in dag.targetrules} in (
        {"doctor"},
        {"prefetch"},
        {"status"},
    )


def without_place(text):
    """Write paths in the output folder the same wherever it lies and however it is spelled."""
    return IN_OUTPUT.sub("<output>", text)


def fingerprint_of(path):
    """Size of a result, and its hash if that is quick; of a folder names and sizes of files."""
    if path.is_dir():
        files = "".join(f"{name} {size}\n" for name, size, _ in members(path))
        return f"folder {hashlib.sha256(os.fsencode(files)).hexdigest()}"
    if not path.is_file():
        return ""  # of a job that failed
    size = path.stat().st_size
    with open(path, "rb") as file:
        digest = hashlib.file_digest(file, "sha256") if size <= HASHED_BYTES else None
    return f"{size} {digest.hexdigest() if digest else ''}"


def members(folder):
    """Name, bytes and time stamp of every file in a folder of results."""
    paths = sorted(path for path in folder.rglob("*") if path.name != TIME_STAMP)
    found = [(path.relative_to(folder), path.lstat()) for path in paths]
    return [
        (name, s.st_size, s.st_mtime)
        for name, s in found
        if not stat.S_ISDIR(s.st_mode)
    ]


def is_unchanged(path, record):
    """Tell whether a result is what its job left; the same time stamp spares the hash."""
    made = ((record and record.input_checksums) or {}).get(OWN_BYTES)
    if made is None:
        return False
    if path.is_dir():
        newest = max((seconds for _, _, seconds in members(path)), default=0)
        return newest <= record.endtime and made == fingerprint_of(path)
    found = path.stat()
    if made.split()[:1] != [str(found.st_size)]:
        return False
    return found.st_mtime == record.endtime or made == fingerprint_of(path)


def claim_output():
    """Keep other runs out of the output folder, or end with one sentence."""
    try:
        ownership.claim_output(config["output"])
    except RuntimeError as error:
        raise WorkflowError(str(error)) from None


def check_records():
    """End the run if another way of keeping records was chosen."""
    if not isinstance(workflow.persistence, OutputRecords):
        message = "records of finished jobs belong into the output folder: leave out "
        raise WorkflowError(message + "--persistence-backend")


engine.FilePersistence = OutputRecords
