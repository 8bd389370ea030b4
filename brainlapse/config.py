"""The whole configuration: every stage's settings, checked before any job starts."""

import re
from typing import Any, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from brainlapse.aging.settings import AgingSettings
from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.cohort.settings import CohortSettings, DatasetSettings
from brainlapse.figures.settings import ReportSettings
from brainlapse.preprocessing.settings import PreprocessSettings
from brainlapse.pretraining.settings import PretrainingSettings
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmenter.settings import SegmenterSettings
from brainlapse.settings import Settings
from brainlapse.space import SpaceSettings
from brainlapse.training.settings import AutoencoderSettings, EncodingSettings

REPLACED_BY_OVERLAY = ("datasets", "autoencoders", "tasks")
NAME = re.compile(r"[A-Za-z0-9_-]+")


class ConfigError(ValueError):
    """The configuration can't be used; each line names a key, its value and what is allowed."""


class Config(Settings):
    """All settings of a run."""

    output: str = Field("results", description="Folder that receives every result.")
    seed: int = Field(
        0,
        ge=0,
        lt=2**31,
        description="Seed of the split, the simulation, training and every resampling, >= 0.",
    )
    datasets: dict[str, DatasetSettings] = Field(
        min_length=1, description="BIDS folders (or simulated cohorts) by name."
    )
    cohort: CohortSettings = Field(
        default_factory=CohortSettings, description="Reading, checking and splitting scans."
    )
    space: SpaceSettings = Field(
        default_factory=SpaceSettings, description="The MNI grid of every later stage."
    )
    preprocess: PreprocessSettings = Field(
        default_factory=PreprocessSettings, description="From raw scan to normalised brain."
    )
    autoencoders: dict[str, AutoencoderSettings] = Field(
        min_length=1, description="Autoencoders by name; every later stage runs for each."
    )
    latents: EncodingSettings = Field(
        default_factory=EncodingSettings, description="Encoding and decoding."
    )
    analysis: AnalysisSettings = Field(
        default_factory=AnalysisSettings, description="PCA and cross-validation."
    )
    tasks: list[TaskSettings] = Field(
        default_factory=list, description="What is classified or regressed from the latents."
    )
    aging: AgingSettings = Field(
        default_factory=AgingSettings, description="Ageing in latent space."
    )
    segmentation: SegmentationSettings = Field(
        default_factory=SegmentationSettings, description="Regional volumes."
    )
    segmenter: SegmenterSettings | None = Field(
        None,
        description="Training of the embedded segmenter (target train_segmenter, segmenter.yaml); "
        "left out where the shipped network is used.",
    )
    pretraining: PretrainingSettings | None = Field(
        None,
        description="Training of an autoencoder on synthetic brains (target pretrain_autoencoder, "
        "pretraining.yaml); left out where the shipped one is used.",
    )
    report: ReportSettings = Field(
        default_factory=ReportSettings, description="The page of results."
    )

    @field_validator("output")
    @classmethod
    def _check_output(cls, output: str) -> str:
        if not output or any(character in output for character in "{}*?"):
            message = "expected a folder without { } * ?, which Snakemake reads as patterns"
            raise ValueError(message)
        return output.rstrip("/") or output

    @field_validator("datasets", "autoencoders")
    @classmethod
    def _check_names(cls, named: dict[str, Any]) -> dict[str, Any]:
        for name in named:
            if not NAME.fullmatch(name):
                message = f"name {name!r}: expected letters, digits, '-' and '_' only"
                raise ValueError(message)
        return named

    @model_validator(mode="after")
    def _check_tasks(self) -> Self:
        names = [task.name for task in self.tasks]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            message = f"tasks: name {repeated[0]!r} is given twice; each task needs its own"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_roles(self) -> Self:
        trained = [name for name, model in self.autoencoders.items() if not model.bundle]
        if trained and all(dataset.role != "fit" for dataset in self.datasets.values()):
            message = "datasets: none has role 'fit', so no autoencoder can be trained"
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_viewer(self) -> Self:
        model = self.report.viewer.model
        if model is not None and model not in self.autoencoders:
            message = (
                f"report.viewer.model: expected one of autoencoders ({', '.join(self.autoencoders)}"
                f"), found {model!r}"
            )
            raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_bundles(self) -> Self:
        plain = AutoencoderSettings()
        for name, model in self.autoencoders.items():
            keys = [key for key in AutoencoderSettings.model_fields if key != "bundle"]
            changed = [key for key in keys if getattr(model, key) != getattr(plain, key)]
            if model.bundle and changed:
                message = (
                    f"autoencoders.{name}.{changed[0]}: a model from a bundle brings its own "
                    f"settings; leave this key out, or autoencoders.{name}.bundle to train"
                )
                raise ValueError(message)
        return self

    @model_validator(mode="after")
    def _check_grid(self) -> Self:
        for name, autoencoder in self.autoencoders.items():
            if autoencoder.bundle:
                continue  # its network is in the bundle, whose contract names the grid
            factor = autoencoder.network.downsampling
            if any(size % factor for size in self.space.shape):
                message = (
                    f"space.shape: {list(self.space.shape)} must be divisible by {factor}, the "
                    f"downsampling of autoencoders.{name}.network; use "
                    f"{[-(-size // factor) * factor for size in self.space.shape]}"
                )
                raise ValueError(message)
        return self


def load_config(raw: dict[str, Any], overlay: dict[str, Any] | None = None) -> dict[str, Any]:
    """Check a merged configuration and fill in every default.

    Parameters
    ----------
    raw
        ``config.yaml`` with the overlay merged into it, as Snakemake does it.
    overlay
        What ``--configfile`` and ``--config`` gave. Its datasets, autoencoders and tasks
        replace the shipped ones instead of joining them: nobody wants the demo cohort beside
        their own.

    Returns
    -------
    dict
        Plain mappings, lists, numbers and strings; the form that rules pass to scripts.

    Raises
    ------
    ConfigError
        Lists every fault in one message.
    """
    replaced = {key: overlay[key] for key in REPLACED_BY_OVERLAY if overlay and key in overlay}
    try:
        return Config.model_validate({**raw, **replaced}).model_dump(mode="json")
    except ValidationError as error:
        lines = [_explain(fault) for fault in error.errors()]
        message = "The configuration can't be used:\n" + "\n".join(f"  - {line}" for line in lines)
        raise ConfigError(message) from None


def _explain(fault: Any) -> str:
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{key}: unknown key (value {fault['input']!r}); see docs/configuration.md"
    if fault["type"] == "missing":
        return f"{key}: is required; see docs/configuration.md"
    text = fault["msg"].removeprefix("Value error, ")
    if not key:
        return text
    found = repr(fault["input"])
    return f"{key}: {text}; found {found if len(found) < 200 else found[:200] + '...'}"
