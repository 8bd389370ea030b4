"""The base of every typed settings model.

Each stage keeps its own models in its own ``settings`` module, so that a change to the
settings of one stage leaves the code fingerprint of every other stage as it was.
"""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


def expand_home(path: str) -> str:
    """Write `~/data` as the absolute path it stands for."""
    return str(Path(path).expanduser()) if path.startswith("~") else path


Place = Annotated[str, AfterValidator(expand_home)]
"""Path of a file or folder, as a person writes it."""


class Settings(BaseModel):
    """A frozen group of settings that refuses unknown keys and values of the wrong type."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
