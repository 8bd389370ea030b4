"""Turn a data set's own table into participants.tsv and sessions.tsv of a BIDS folder.

python -m brainlapse.importers ixi IXI.xls --bids /data/ixi
python -m brainlapse.importers hcp unrestricted.csv [--restricted restricted.csv] --bids ...
python -m brainlapse.importers oasis3 demographics.csv [--clinical UDSb4_cdr.csv] --bids ...
python -m brainlapse.importers adni ADNIMERGE.csv --bids ...
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from brainlapse.importers.adni import read_adni
from brainlapse.importers.folders import Labels, read_labels
from brainlapse.importers.hcp import read_hcp
from brainlapse.importers.ixi import read_ixi
from brainlapse.importers.oasis3 import read_oasis3
from brainlapse.importers.reading import ImportFailed
from brainlapse.importers.writing import Imported, write_tables

SHOWN = 5

log = logging.getLogger("brainlapse")


def main(arguments: Sequence[str] | None = None) -> int:
    """Import one table; 0 if it worked, 2 if the input cannot be used."""
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    wanted = parse(arguments)
    try:
        labels = read_labels(wanted.bids)
        imported = read(wanted, labels)
        paths = write_tables(imported, wanted.output or wanted.bids, wanted.replace)
    except ImportFailed as error:
        log.error("%s", error)
        return 2
    for note in imported.notes:
        log.warning("%s", note)
    report_missing(imported, labels)
    log.info("wrote %s", ", ".join(str(path) for path in paths))
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m brainlapse.importers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    kinds = parser.add_subparsers(dest="kind", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("table", type=Path, help="the data set's table, .csv or Excel")
    common.add_argument("--bids", type=Path, help="BIDS folder; its labels name the people")
    common.add_argument("--output", type=Path, help="folder for the tables (default: --bids)")
    common.add_argument("--replace", action="store_true", help="replace tables that are there")
    for kind in ("ixi", "hcp", "oasis3", "adni"):
        one = kinds.add_parser(kind, parents=[common])
        if kind == "hcp":
            one.add_argument("--restricted", type=Path, help="table with ages in years")
        if kind == "oasis3":
            one.add_argument("--clinical", type=Path, help="UDSb4 table: CDR, MMSE, diagnosis")
    wanted = parser.parse_args(arguments)
    if wanted.bids is None and wanted.output is None:
        parser.error("give --bids or --output: where do the tables go?")
    return wanted


def read(wanted: argparse.Namespace, labels: Labels) -> Imported:
    """Call the reader of the data set."""
    if wanted.kind == "ixi":
        return read_ixi(wanted.table, labels)
    if wanted.kind == "hcp":
        return read_hcp(wanted.table, labels, wanted.restricted)
    if wanted.kind == "oasis3":
        return read_oasis3(wanted.table, labels, wanted.clinical)
    return read_adni(wanted.table, labels)


def report_missing(imported: Imported, labels: Labels) -> None:
    """Say which people and sessions of the folder the table does not know."""
    log.info("%d people", len(imported.participants))
    without = sorted(set(labels.sessions) - set(imported.participants["participant_id"]))
    if without:
        some = ", ".join(without[:SHOWN])
        log.warning("%d people of the folder are not in the table: %s", len(without), some)
    if imported.sessions is None or not labels.known:
        return
    rows = zip(imported.sessions["participant_id"], imported.sessions["session_id"], strict=True)
    there = {(subject, s) for subject, sessions in labels.sessions.items() for s in sessions}
    lost = sorted(there - set(rows))
    if lost:
        some = ", ".join("_".join(key) for key in lost[:SHOWN])
        log.warning("%d sessions of the folder are not in the table: %s", len(lost), some)


if __name__ == "__main__":
    sys.exit(main())
