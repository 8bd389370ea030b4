"""The whole configuration: every stage's settings, checked before any job starts."""

import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, field_validator

from brainlapse.aging.settings import AgingSettings
from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.cohort.settings import CohortSettings, DatasetSettings
from brainlapse.configuration.agreement import agreement_faults
from brainlapse.configuration.places import place_faults
from brainlapse.configuration.text import text_faults
from brainlapse.figures.settings import ReportSettings
from brainlapse.prediction.settings import PredictionSettings
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.pretraining.settings import PretrainingSettings
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmenter.settings import SegmenterSettings
from brainlapse.settings import Place, Settings
from brainlapse.space import SpaceSettings
from brainlapse.training.settings import AutoencoderSettings, EncodingSettings

REPLACED_BY_OVERLAY = ("datasets", "autoencoders", "tasks")
NAME = re.compile(r"[A-Za-z0-9_-]+")
FIELD = re.compile(r"[a-z_0-9]+(\.[a-z_0-9]+)*: ")
STAND_INS = {"datasets": {"x": {"simulate": {}}}, "autoencoders": {"x": {}}}
"""For sections that can't be read, so that the others can be compared."""


class ConfigError(ValueError):
    """The configuration can't be used; each line names a key, its value and what is allowed."""


class Config(Settings):
    """All settings of a run."""

    output: Place = Field("results", description="Folder that receives every result")
    seed: int = Field(
        0,
        ge=0,
        lt=2**31,
        description="Seed of the split, the simulation, training and every resampling",
    )
    datasets: dict[str, DatasetSettings] = Field(
        min_length=1, description="BIDS folders (or simulated cohorts) by name"
    )
    cohort: CohortSettings = Field(
        default_factory=CohortSettings, description="Reading, checking and splitting scans"
    )
    space: SpaceSettings = Field(
        default_factory=SpaceSettings, description="The MNI grid of every later stage"
    )
    preprocess: PreprocessSettings = Field(
        default_factory=PreprocessSettings, description="From raw scan to normalised brain"
    )
    autoencoders: dict[str, AutoencoderSettings] = Field(
        min_length=1, description="Autoencoders by name; every later stage runs for each"
    )
    latents: EncodingSettings = Field(
        default_factory=EncodingSettings, description="Encoding and decoding"
    )
    analysis: AnalysisSettings = Field(
        default_factory=AnalysisSettings, description="PCA and cross-validation"
    )
    tasks: list[TaskSettings] = Field(
        default_factory=list, description="What is classified or regressed from the latents"
    )
    aging: AgingSettings = Field(
        default_factory=AgingSettings, description="Ageing in latent space"
    )
    predict: PredictionSettings = Field(
        default_factory=PredictionSettings, description="Forecasts that someone asks for"
    )
    segmentation: SegmentationSettings = Field(
        default_factory=SegmentationSettings, description="Regional volumes"
    )
    segmenter: SegmenterSettings | None = Field(
        None,
        description="Training of the embedded segmenter (target train_segmenter, "
        "configs/segmenter.yaml); left out where the shipped network is used",
    )
    pretraining: PretrainingSettings | None = Field(
        None,
        description="Training of an autoencoder on synthetic brains (target pretrain_autoencoder, "
        "configs/pretraining.yaml); left out where the shipped one is used",
    )
    report: ReportSettings = Field(
        default_factory=ReportSettings, description="The page of results"
    )

    @field_validator("output")
    @classmethod
    def _check_output(cls, output: str) -> str:
        if not output.strip() or any(character in output for character in "{}*?"):
            message = "expected a folder without { } * ?, which Snakemake reads as patterns"
            raise ValueError(message)
        folder = os.path.normpath(output)
        if folder in (os.sep, os.curdir, os.pardir):
            message = "expected a folder of its own, such as results"
            raise ValueError(message)
        return folder

    @field_validator("datasets", "autoencoders")
    @classmethod
    def _check_names(cls, named: dict[str, Any]) -> dict[str, Any]:
        for name in named:
            if not NAME.fullmatch(name):
                message = f"name {name!r}: expected letters, digits, '-' and '_' only"
                raise ValueError(message)
        return named


def load_config(
    raw: dict[str, Any],
    overlay: dict[str, Any] | None = None,
    files: Iterable[str | Path] = (),
    look: bool = False,
) -> dict[str, Any]:
    """Check a merged configuration and fill in every default.

    Parameters
    ----------
    raw
        ``config.yaml`` with the overlay merged into it, as Snakemake does it.
    overlay
        What ``--configfile`` and ``--config`` gave. Its datasets, autoencoders and tasks
        replace the shipped ones instead of joining them: nobody wants the demo cohort beside
        their own.
    files
        Configuration files whose spelling is looked at as well.
    look
        Look at every file, folder and program that the configuration names.

    Returns
    -------
    dict
        Plain mappings, lists, numbers and strings; the form that rules pass to scripts.

    Raises
    ------
    ConfigError
        Lists every fault in one message, a line each.
    """
    replaced = {key: overlay[key] for key in REPLACED_BY_OVERLAY if overlay and key in overlay}
    whole = {**raw, **replaced}
    config, faults = _validate(whole)
    faults = [line for path in files for line in text_faults(path)] + faults
    if look:
        faults += place_faults(whole if config is None else config.model_dump(mode="json"))
    if config is None or faults:
        lines = dict.fromkeys(" ".join(line.split()) for line in faults)
        message = "The configuration can't be used:\n" + "\n".join(f"  - {line}" for line in lines)
        raise ConfigError(message)
    return config.model_dump(mode="json")


def load_or_exit(*arguments: Any, **keywords: Any) -> dict[str, Any]:
    """Load as `load_config` does, or end the process with the faults: no frames around them."""
    try:
        return load_config(*arguments, **keywords)
    except ConfigError as error:
        sys.exit(str(error))


def _validate(raw: dict[str, Any]) -> tuple[Config | None, list[str]]:
    """Return the configuration, None if its models refuse it, and its faults."""
    try:
        config = Config.model_validate(raw)
    except ValidationError as error:
        faults = error.errors()
        broken = {str(fault["loc"][0]) for fault in faults if fault["loc"]}
        rest = {key: value for key, value in raw.items() if key not in broken}
        whole = Config.model_validate({**STAND_INS, **rest})
        return None, [*map(_explain, faults), *agreement_faults(whole, broken)]
    return config, agreement_faults(config)


def _explain(fault: Any) -> str:
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{key}: unknown key (value {fault['input']!r}); see docs/configuration.md"
    if fault["type"] == "missing":
        return f"{key}: is required; see docs/configuration.md"
    text = fault["msg"].removeprefix("Value error, ")
    if isinstance(fault["input"], dict):  # of the models that compare their fields
        return f"{key}.{text}" if FIELD.match(text) else f"{key}: {text}"
    found = repr(fault["input"])
    return f"{key}: {text}; found {found if len(found) < 200 else found[:200] + '...'}"
