"""A bundle in MONAI's layout: configs/metadata.json, configs/inference.json, models/.

Weights stay safetensors, so nothing is unpickled; the configuration builds the network by
importing brainlapse, which must be installed or on the path.
"""

import json
from pathlib import Path
from typing import Any

from safetensors.torch import save

from brainlapse.bundle.files import MANIFEST, BundleError, read_files
from brainlapse.bundle.reading import Bundle, read_bundle
from brainlapse.networks.interface import without_heads
from brainlapse.runtime import atomic_path

SCHEMA = (
    "https://github.com/Project-MONAI/MONAI-extra-test-data/releases/download/0.8.1/"
    "meta_schema_20240725.json"
)
SOURCE = {"models/model.safetensors": "model.safetensors", "docs/README.md": "README.md"}


def export_monai(source: str | Path, target: str | Path) -> None:
    """Write a bundle in MONAI's layout into a new folder.

    Raises
    ------
    BundleError
        If the bundle is not whole, or the folder holds anything already.
    """
    target = Path(target)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        message = f"{target}: expected a new or empty folder, found something in it; name another"
        raise BundleError(message)
    bundle, contents = read_bundle(source), read_files(source)
    files = {name: contents[origin] for name, origin in SOURCE.items()}
    files["configs/metadata.json"] = _json(metadata(bundle))
    files["configs/inference.json"] = _json(inference(bundle))
    files["docs/data.json"] = contents["contract.json"]
    files[f"docs/{MANIFEST}"] = contents[MANIFEST]
    own = without_heads(bundle.weights)
    if len(own) < len(bundle.weights):  # MONAI loads weights into the autoencoder alone
        files["models/model.safetensors"] = save(own)
    for name, content in files.items():
        with atomic_path(target / name) as temporary:
            temporary.write_bytes(content)


def metadata(bundle: Bundle) -> dict[str, Any]:
    """Return what MONAI's metadata.json asks for."""
    versions = bundle.card.get("versions", {})
    shape = bundle.card["grid"]["shape"]
    return {
        "schema": SCHEMA,
        "version": "0.1.0",
        "changelog": {"0.1.0": f"exported from the brainlapse bundle {bundle.sha256[:12]}"},
        "monai_version": versions.get("monai", "1.6.1"),
        "pytorch_version": versions.get("torch", "2.13.0"),
        "numpy_version": versions.get("numpy", "2.3.5"),
        "required_packages_version": {"safetensors": "0.8.0", "pydantic": "2.14.3"},
        "name": f"brainlapse autoencoder {Path(bundle.name).stem}",
        "task": "Latents and reconstructions of T1-weighted brains in MNI space",
        "description": "Autoencoder of brainlapse; docs/README.md is its card.",
        "authors": "see docs/README.md",
        "copyright": "see docs/README.md",
        "data_source": "see docs/README.md",
        "data_type": "nibabel",
        "image_classes": "one channel: brain in MNI space, stripped, intensities 0..1",
        "intended_use": "Research only; no medical device.",
        "network_data_format": {
            "inputs": {"image": _format(shape)},
            "outputs": {"pred": _format(shape)},
        },
    }


def inference(bundle: Bundle) -> dict[str, Any]:
    """Return the configuration by which MONAI builds, loads and feeds the network."""
    return {
        "imports": ["$import torch"],
        "bundle_root": ".",
        "device": "$torch.device('cuda' if torch.cuda.is_available() else 'cpu')",
        "network_settings": bundle.network().model_dump(mode="json"),
        "spatial_shape": bundle.card["grid"]["shape"],
        "network_def": {
            "_target_": "brainlapse.networks.autoencoders.build_autoencoder",
            "settings": {
                "_target_": "brainlapse.networks.settings.NetworkSettings.model_validate",
                "obj": "@network_settings",
            },
            "grid_shape": "$tuple(@spatial_shape)",
        },
        "weights": {
            "_target_": "safetensors.torch.load_file",
            "filename": "$@bundle_root + '/models/model.safetensors'",
        },
        "load": "$@network_def.load_state_dict(@weights)",
        "network": "$(@load, @network_def.to(@device).eval())[1]",
        "preprocessing": {
            "_target_": "Compose",
            "transforms": [
                {"_target_": "LoadImaged", "keys": "image", "ensure_channel_first": True},
                {"_target_": "Orientationd", "keys": "image", "axcodes": "RAS", "labels": None},
                {"_target_": "EnsureTyped", "keys": "image", "dtype": "$torch.float32"},
            ],
        },
        "inferer": {"_target_": "SimpleInferer"},
    }


def _format(shape: list[int]) -> dict[str, Any]:
    return {
        "type": "image",
        "format": "magnitude",
        "modality": "MR",
        "num_channels": 1,
        "spatial_shape": shape,
        "dtype": "float32",
        "value_range": [0, 1],
        "is_patch_data": False,
        "channel_def": {"0": "image"},
    }


def _json(content: dict[str, Any]) -> bytes:
    return (json.dumps(content, indent=2, allow_nan=False) + "\n").encode()
