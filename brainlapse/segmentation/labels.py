"""SynthSeg's structures (FreeSurfer ids), in the order of its CSV, and the groups made of them."""

from collections.abc import Mapping

_LEFT = (
    (2, "cerebral white matter"),
    (3, "cerebral cortex"),
    (4, "lateral ventricle"),
    (5, "inferior lateral ventricle"),
    (7, "cerebellum white matter"),
    (8, "cerebellum cortex"),
    (10, "thalamus"),
    (11, "caudate"),
    (12, "putamen"),
    (13, "pallidum"),
)
_MIDDLE = ((14, "3rd ventricle"), (15, "4th ventricle"), (16, "brain-stem"))
_LEFT_END = (
    (17, "left hippocampus"),
    (18, "left amygdala"),
    (24, "csf"),
    (26, "left accumbens area"),
    (28, "left ventral DC"),
)
_RIGHT = (
    (41, "cerebral white matter"),
    (42, "cerebral cortex"),
    (43, "lateral ventricle"),
    (44, "inferior lateral ventricle"),
    (46, "cerebellum white matter"),
    (47, "cerebellum cortex"),
    (49, "thalamus"),
    (50, "caudate"),
    (51, "putamen"),
    (52, "pallidum"),
    (53, "hippocampus"),
    (54, "amygdala"),
    (58, "accumbens area"),
    (60, "ventral DC"),
)

STRUCTURES: dict[str, int] = {
    **{f"left {name}": label for label, name in _LEFT},
    **{name: label for label, name in _MIDDLE},
    **{name: label for label, name in _LEFT_END},
    **{f"right {name}": label for label, name in _RIGHT},
}
"""Name of each of the 32 structures, in the order of ``mri_synthseg --vol``, and its id."""

INTRACRANIAL = "total intracranial"
CSV_HEADER: tuple[str, ...] = ("subject", INTRACRANIAL, *STRUCTURES)
LABEL_IDS: frozenset[int] = frozenset({0, *STRUCTURES.values()})

GROUPS: dict[str, frozenset[int]] = {
    "hippocampus": frozenset({17, 53}),
    "ventricles": frozenset({4, 5, 14, 15, 43, 44}),
    "lateral_ventricles": frozenset({4, 43}),
    "grey_matter": frozenset(
        {3, 8, 10, 11, 12, 13, 17, 18, 26, 42, 47, 49, 50, 51, 52, 53, 54, 58}
    ),
    "white_matter": frozenset({2, 7, 16, 28, 41, 46, 60}),
    "csf": frozenset({4, 5, 14, 15, 24, 43, 44}),
    "brain": frozenset(STRUCTURES.values()),
}
"""Groups of the papers. Grey matter, white matter and csf (the ventricles and all other fluid)
share out the 32 labels; brain is their sum, which SynthSeg calls total intracranial."""

REGIONS: tuple[str, ...] = tuple(GROUPS)
"""Regions that every backend reports, NaN where it cannot measure one."""


def region_name(structure: str) -> str:
    """Name of a structure in the volume tables: ``left ventral DC`` -> ``left_ventral_dc``.

    SynthSeg's ``csf`` is the fluid outside the ventricles only and gets a name that says so.
    """
    if structure == "csf":
        return "extraventricular_csf"
    return structure.lower().replace(" ", "_").replace("-", "_")


def group_volumes(structures_mm3: Mapping[str, float]) -> dict[str, float]:
    """Regional volumes out of SynthSeg's 32 structures.

    Parameters
    ----------
    structures_mm3
        SynthSeg's name -> volume [mm3], all 32.

    Returns
    -------
    dict
        Region -> volume [mm3]: the groups, then the single structures.
    """
    groups = {
        region: sum(structures_mm3[name] for name, label in STRUCTURES.items() if label in labels)
        for region, labels in GROUPS.items()
    }
    return {**groups, **{region_name(name): structures_mm3[name] for name in STRUCTURES}}
