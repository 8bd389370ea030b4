"""Regional volumes of the scans of a task: the competitor that needs no autoencoder."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from brainlapse.cohort.tables import BRAIN
from brainlapse.segmentation.labels import REGIONS


def tabulate_volumes(tables: Sequence[pd.DataFrame], index: pd.DataFrame) -> pd.DataFrame:
    """Logarithms of the volumes of single structures in MNI space, (N, structures).

    Parameters
    ----------
    tables
        Of real scans, one per subject: dataset, file, region and volume_mm3.
    index
        One row per latent, with dataset and scan_path; the order of the result.

    Returns
    -------
    pandas.DataFrame
        NaN where a scan or structure has no volume.
    """
    measured = pd.concat(tables, ignore_index=True)
    measured = measured[~measured["region"].isin(REGIONS)]
    known = measured[measured["volume_mm3"].astype(float) > 0]
    wide = known.pivot_table("volume_mm3", index=["dataset", "file"], columns="region")
    files = index["scan_path"].str.rsplit("/", n=1).str[-1] + BRAIN
    rows = pd.MultiIndex.from_arrays([index["dataset"], files])
    return wide.astype(float).apply(np.log).reindex(rows).reset_index(drop=True)
