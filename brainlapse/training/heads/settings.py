"""Settings of the heads that are trained with an autoencoder (no torch import)."""

from pydantic import Field, field_validator

from brainlapse.settings import Settings

HEAD_FAMILIES = ("s2d", "vector")


class HeadSettings(Settings):
    """Linear heads on the latent mean, trained jointly with the autoencoder."""

    tasks: list[str] = Field(
        min_length=1,
        description="Names of the tasks (key `tasks`) that get a head; labels of training people "
        "only are learned from",
    )
    weight: float = Field(
        0.01,
        description="Weight of the sum of the heads' losses beside L1: cross-entropy of classes "
        "that weigh the same, squared error of standardised numbers",
        gt=0,
        le=1000,
    )

    @field_validator("tasks")
    @classmethod
    def _check_once(cls, tasks: list[str]) -> list[str]:
        if len(set(tasks)) < len(tasks):
            message = f"expected each task once, found {', '.join(tasks)}"
            raise ValueError(message)
        return tasks
