"""``python -m brainlapse.operations status OUTPUT``: where each scan of a run stands."""

import argparse
import sys
from pathlib import Path

import yaml

from brainlapse.operations import status
from brainlapse.runtime import write_table


def main() -> None:
    """Read the command line and print the table."""
    parser = argparse.ArgumentParser(prog="python -m brainlapse.operations", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    asked = commands.add_parser("status", help="where each scan of a run stands")
    asked.add_argument("output", type=Path, help="output folder of the run")
    asked.add_argument("--table", type=Path, help="write a row for every scan as TSV")
    wanted = parser.parse_args()
    try:
        config = yaml.safe_load((wanted.output / "config.yaml").read_text(encoding="utf-8"))
        table = status.status_table(status.read_run(wanted.output, list(config["autoencoders"])))
    except FileNotFoundError as error:
        sys.exit(f"{wanted.output}: expected the output folder of a run: {error}")
    if wanted.table:
        write_table(wanted.table, table)
    print(status.as_text(table))


if __name__ == "__main__":
    main()
