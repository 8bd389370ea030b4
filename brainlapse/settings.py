"""The base of every typed settings model.

Each stage keeps its own models in its own ``settings`` module, so that a change to the
settings of one stage leaves the code fingerprint of every other stage as it was.
"""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """A frozen group of settings that refuses unknown keys and values of the wrong type."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
