"""``python -m brainlapse.bundle``: export a trained autoencoder, check one, lay it out for MONAI.

export --results OUT --model NAME --to FOLDER_OR_ZIP [--example DATASET/SCAN] [--licence TEXT]
check BUNDLE
monai BUNDLE --to FOLDER
settings BUNDLE

A bundle is used by naming it in the configuration: ``autoencoders: {NAME: {bundle: PATH}}``, with
the settings of its scans, which ``settings`` prints for --configfile.
"""

import argparse
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from brainlapse.bundle.card import NO_LICENCE, config_fragment
from brainlapse.bundle.export import Request, export_bundle
from brainlapse.bundle.files import BundleError
from brainlapse.bundle.monai import export_monai
from brainlapse.bundle.reading import check_example, read_bundle
from brainlapse.training.devices.device import choose_device

NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 1 after a sentence on stderr."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "export":
            request = Request(options.results, options.model, options.example, options.licence)
            export_bundle(request, options.to)
            print(f"{options.to}: exported {options.model}")
        if options.command == "monai":
            export_monai(options.bundle, options.to)
            print(f"{options.to}: laid out for MONAI")
            return 0
        if options.command == "settings":
            bundle = read_bundle(options.to)
            name = NO_NAME.sub("-", Path(options.to).stem) or "given"
            print(config_fragment(name, bundle.contract, str(options.to.absolute())), end="")
            return 0
        difference = check_example(read_bundle(options.to), choose_device())
        print(f"{options.to}: whole; the example's latent comes out again ({difference:.1e})")
    except (BundleError, OSError) as error:
        print(f"brainlapse.bundle: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m brainlapse.bundle", description=(__doc__ or "").splitlines()[0]
    )
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="write a bundle of a trained autoencoder")
    export.add_argument("--results", type=Path, required=True, help="output folder of the run")
    export.add_argument("--model", required=True, help="name of the autoencoder")
    export.add_argument("--to", type=Path, required=True, help="new folder, or .zip file")
    export.add_argument(
        "--example",
        help="scan that travels along, <dataset>/<scan>; only one that may be shared (default: the "
        "MNI template, nobody's scan)",
    )
    export.add_argument("--licence", default=NO_LICENCE, help="licence of the weights, one line")
    monai = commands.add_parser("monai", help="lay a bundle out as MONAI's bundles are")
    monai.add_argument("bundle", type=Path, metavar="BUNDLE", help="folder or .zip file")
    monai.add_argument("--to", type=Path, required=True, help="new folder")
    check = commands.add_parser("check", help="tell whether a bundle is whole and works here")
    settings = commands.add_parser("settings", help="print the settings that its scans need")
    for command in (check, settings):
        command.add_argument("to", type=Path, metavar="BUNDLE", help="folder or .zip file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
