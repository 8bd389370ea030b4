"""Whether the sections of a configuration agree with each other."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from brainlapse.training.settings import AutoencoderSettings

if TYPE_CHECKING:
    from brainlapse.config import Config

RESERVED = {  # names that results use for themselves
    "autoencoders": ("real", "mean_image"),
    "datasets": ("all",),
}
MAX_NAME = 64


def agreement_faults(config: "Config", broken: Collection[str] = ()) -> list[str]:
    """List the faults, each in one line with its key.

    Parameters
    ----------
    broken
        Sections that could not be read and have a stand-in: they are compared with nothing.
    """
    checks = {
        _names: {"datasets", "autoencoders"},
        _drawn_people: {"datasets"},
        _roles: {"datasets", "autoencoders"},
        _tasks: {"datasets", "tasks"},
        _viewer: {"report", "autoencoders"},
        _bundles: {"autoencoders"},
        _heads: {"autoencoders", "tasks"},
        _grids: {"space", "autoencoders"},
    }
    asked = [check for check, sections in checks.items() if not sections & set(broken)]
    return [line for check in asked for line in check(config)]


def _names(config: "Config") -> Iterator[str]:
    for section, reserved in RESERVED.items():
        for name in getattr(config, section):
            if name in reserved:
                yield f"{section}.{name}: the results use this name for themselves; take another"
            if len(name) > MAX_NAME:
                yield f"{section}: name {name[:20]}...: expected at most {MAX_NAME} letters"


def _drawn_people(config: "Config") -> Iterator[str]:
    first: dict[int, str] = {}
    for name, dataset in config.datasets.items():
        if dataset.simulate is None:
            continue
        other = first.setdefault(dataset.simulate.seed, name)
        if other != name:
            yield (
                f"datasets.{name}.simulate.seed: would draw the people of '{other}' once more; "
                "take another number"
            )


def _roles(config: "Config") -> Iterator[str]:
    trained = [name for name, model in config.autoencoders.items() if not model.bundle]
    if trained and all(dataset.role != "fit" for dataset in config.datasets.values()):
        yield "datasets: none has role 'fit', so no autoencoder can be trained"


def _tasks(config: "Config") -> Iterator[str]:
    names = [task.name for task in config.tasks]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"tasks: name {name!r} is given twice; each task needs its own"
    for number, task in enumerate(config.tasks):
        for name in task.datasets or ():
            if name not in config.datasets:
                known = f"expected some of datasets ({', '.join(config.datasets)})"
                yield f"tasks.{number}.datasets: {known}, found {name!r}"


def _viewer(config: "Config") -> Iterator[str]:
    model = config.report.viewer.model
    if model is not None and model not in config.autoencoders:
        known = ", ".join(config.autoencoders)
        yield f"report.viewer.model: expected one of autoencoders ({known}), found {model!r}"


def _bundles(config: "Config") -> Iterator[str]:
    plain = AutoencoderSettings()
    for name, model in config.autoencoders.items():
        keys = [key for key in AutoencoderSettings.model_fields if key != "bundle"]
        changed = [key for key in keys if getattr(model, key) != getattr(plain, key)]
        if model.bundle and changed:
            yield (
                f"autoencoders.{name}.{changed[0]}: a model from a bundle brings its own "
                f"settings; leave this key out, or autoencoders.{name}.bundle to train"
            )


def _heads(config: "Config") -> Iterator[str]:
    known = [task.name for task in config.tasks]
    for name, model in config.autoencoders.items():
        for task in model.heads.tasks if model.heads else ():
            if task not in known:
                expected = f"expected some of tasks ({', '.join(known) or 'none'})"
                yield f"autoencoders.{name}.heads.tasks: {expected}, found {task!r}"


def _grids(config: "Config") -> Iterator[str]:
    for name, autoencoder in config.autoencoders.items():
        if autoencoder.bundle:
            continue  # its network is in the bundle, whose contract names the grid
        factor = autoencoder.network.downsampling
        if any(size % factor for size in config.space.shape):
            yield (
                f"space.shape: {list(config.space.shape)} must be divisible by {factor}, the "
                f"downsampling of autoencoders.{name}.network; use "
                f"{[-(-size // factor) * factor for size in config.space.shape]}"
            )
