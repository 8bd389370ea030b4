"""What the ageing section says of the volumes themselves: source, groups, noise floors."""

import pandas as pd

from brainlapse.figures.ageing import curves as ageing
from brainlapse.figures.page import blocks


def sentence(volumes: pd.DataFrame) -> str:
    """Say where the volumes come from, and of which regions there are none."""
    if volumes.empty:
        return "No regional volumes were measured."
    backends = ", ".join(sorted(volumes["backend"].dropna().astype(str).unique())) or "unknown"
    sentence = f"Regional volumes are in MNI space, from the segmentation backend {backends}."
    missing = [name.replace("_", " ") for name in ageing.missing_regions(volumes)]
    if missing:
        sentence += f" It gives no volume of: {', '.join(missing)}."
    return sentence


def group_table(groups: pd.DataFrame) -> blocks.Block:
    """Show the yearly change of groups beside each other."""
    return blocks.table(
        groups[groups["region"].isin(ageing.REGION_ORDER[:4])],
        "Yearly change of the real scans by group: mean with 95 % interval, SD over people, "
        "difference to the others with a diagnosis; what two rates of one person have to differ by "
        "to be told apart; and the people in each arm of a trial that would show the mean rate "
        "slowed by a quarter.",
        empty="Nobody has usable visits at two ages, so there are no rates.",
    )


def floor_table(floor: pd.DataFrame) -> blocks.Block:
    """Show how far the volumes of a scan differ from its own, turned and processed again."""
    groups = floor[~floor["region"].astype(str).str.contains("^left_|^right_")]
    return blocks.table(
        groups.replace({"kind": {"real": "grid of the models", "aligned": "1 mm, for rates"}}),
        "Noise floors: scans turned by 3 degrees, processed and segmented again beside their "
        "first, where nothing changed. floor is the root mean square of the difference over scans, "
        "then its largest and its mean [% of the volume]. Changes and errors below the floor "
        "say nothing.",
        empty="Noise floors are unknown: no scan was processed twice (report: repeated_scans).",
    )
