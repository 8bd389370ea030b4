"""Options that start a program in a container: no network, input that cannot be changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

STOPPED_BY_NAME = ("docker", "podman")
"""Engines whose containers outlive the program that started them."""
INPUT_MOUNT = Path("/input")
OUTPUT_MOUNT = Path("/output")
OWNER_LABEL = "brainlapse.owner"


@dataclass(frozen=True, kw_only=True)
class Box:
    """What a container sees, and on whose behalf it runs.

    Attributes
    ----------
    input_folder, output_folder
        Mounted read-only and writable; absolute, without commas and colons.
    user_id, group_id
        Whose files the output shall be.
    name
        Of the container, by which it is stopped.
    owner
        Token of the process that answers for it (`runtime.process_token`).
    """

    input_folder: Path
    output_folder: Path
    user_id: int
    group_id: int
    name: str
    owner: str


def run_options(box: Box, environment: Sequence[str] = ()) -> list[str]:
    """Return the options of ``docker run`` and ``podman run``."""
    return [
        *("run", "--rm", "--name", box.name, "--label", f"{OWNER_LABEL}={box.owner}"),
        *("--pull", "never", "--network", "none", "--stop-timeout", "0"),
        *("--user", f"{box.user_id}:{box.group_id}", "--env", "HOME=/tmp"),
        *(f"--env={setting}" for setting in environment),
        *("--mount", f"type=bind,source={box.input_folder},target={INPUT_MOUNT},readonly"),
        *("--mount", f"type=bind,source={box.output_folder},target={OUTPUT_MOUNT}"),
    ]


def same_user(box: Box) -> list[str]:
    """Return podman's option that keeps the caller's user inside; podman refuses it to root."""
    return ["--userns", "keep-id"] if box.user_id else []


def apptainer_options(box: Box, environment: Sequence[str] = ()) -> list[str]:
    """Return ``apptainer exec`` and its options."""
    return [
        *("apptainer", "exec", "--containall", "--cleanenv", "--no-privs"),
        *("--net", "--network", "none"),
        *("--bind", f"{box.input_folder}:{INPUT_MOUNT}:ro"),
        *("--bind", f"{box.output_folder}:{OUTPUT_MOUNT}"),
        *(f"--env={setting}" for setting in environment),
    ]


def apptainer_image(image: str) -> str:
    """Return a file, a folder or an address as it is, and a docker name as an address."""
    if "://" in image or Path(image).exists() or image.endswith(".sif"):
        return image
    return f"docker://{image}"
