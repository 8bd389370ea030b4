"""Rates that travel with a model: what its training people told of ageing, for runs without any."""

import dataclasses
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from brainlapse.aging.methods.interface import Forecaster
from brainlapse.aging.methods.named import LOG_VOLUME_METHODS
from brainlapse.aging.plan import BROUGHT
from brainlapse.aging.storage import pack, unpack
from brainlapse.damage import DamagedFile

RATES_NAME = "rates.safetensors"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rates:
    """Methods fitted on the training people of one run.

    Attributes
    ----------
    latents
        By name, of `BROUGHT`; empty where too few people had scans at two ages.
    volumes
        Of log volumes by name; their elements are the regions.
    regions
        In the order of the elements.
    backend
        The segmenter that measured the volumes.
    """

    latents: dict[str, Any] = field(default_factory=dict)
    volumes: dict[str, Any] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    backend: str = ""

    def measured_by(self, backends: set[str]) -> "Rates":
        """Leave the volumes out where other segmenters measure them here."""
        if not self.volumes or backends == {self.backend}:
            return self
        log.warning(
            "rates of volumes that came along were measured by %s, those here by %s: left out",
            *(self.backend, ", ".join(sorted(backends)) or "none"),
        )
        return dataclasses.replace(self, volumes={}, regions=())

    def of_regions(self, regions: list[str]) -> dict[str, Forecaster]:
        """Methods on the log volumes of some of the regions, in their order."""
        elements = np.array([self.regions.index(region) for region in regions])
        return {name: fitted.only(elements) for name, fitted in self.volumes.items()}


def pack_rates(rates: Rates) -> bytes:
    """Return the content of a file."""
    return pack(vars(rates))


def unpack_rates(content: bytes) -> Rates:
    """Undo `pack_rates`.

    Raises
    ------
    ValueError
        If it holds anything else, or methods of other names.
    """
    found = unpack(content)
    try:
        rates = Rates(**found)
        names = {*rates.latents, *rates.volumes, *rates.regions, rates.backend}
    except (TypeError, AttributeError) as error:
        message = f"expected fitted rates, found none ({error})"
        raise ValueError(message) from None
    strange = (set(rates.latents) - set(BROUGHT)) | (set(rates.volumes) - set(LOG_VOLUME_METHODS))
    if strange or not all(isinstance(name, str) for name in names):
        message = f"expected rates of {', '.join(BROUGHT)}, found {sorted(map(str, strange))}"
        raise ValueError(message)
    return rates


def check_elements(rates: Rates, size: int) -> None:
    """Refuse rates of latents of another size, or of other regions than they name.

    Raises
    ------
    ValueError
        With the numbers expected and found.
    """
    sizes = [(fitted, size) for fitted in rates.latents.values()]
    sizes += [(fitted, len(rates.regions)) for fitted in rates.volumes.values()]
    for fitted, expected in sizes:
        if fitted.size != expected:
            message = f"expected rates of {expected} elements, found {fitted.size}"
            raise ValueError(message)


def read_rates(paths: list[str], anchor: str) -> Rates:
    """Read the rates that came along with a model, if any did.

    Parameters
    ----------
    paths
        The file, or nothing.
    anchor
        Where the mean rate starts in this run.

    Raises
    ------
    DamagedFile
        If the file holds no rates.
    """
    if not paths:
        return Rates()
    try:
        rates = unpack_rates(Path(paths[0]).read_bytes())
    except ValueError as error:
        raise DamagedFile(paths[0], str(error)) from None
    latents = {
        name: dataclasses.replace(fitted, anchor=anchor) if name == "population_rate" else fitted
        for name, fitted in rates.latents.items()
    }
    return dataclasses.replace(rates, latents=latents)
