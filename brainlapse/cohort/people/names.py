"""Whose a scan is, and what a group of people is called."""

from typing import Any

import numpy as np
import pandas as pd


def people_of(index: pd.DataFrame) -> np.ndarray:
    """Whose each scan is, (N,) text; tables of before had no column `person`."""
    if "person" in index:
        return index["person"].to_numpy(dtype=str)
    return (index["dataset"].astype(str) + "/" + index["subject"].astype(str)).to_numpy(dtype=str)


def class_name(value: Any) -> str | None:
    """Write a class as text: whole numbers without a decimal point, missing values as None."""
    if pd.isna(value) or str(value) in ("", "n/a"):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
