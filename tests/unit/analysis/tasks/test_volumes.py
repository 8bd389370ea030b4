"""What regional volumes tell stands beside what latents tell, scan by scan."""

import numpy as np
import pandas as pd
import pytest

from brainlapse.analysis.tasks.evaluation import evaluate_task
from brainlapse.analysis.tasks.volumes import tabulate_volumes
from brainlapse.cohort.tables import BRAIN
from tests.unit.analysis.tasks.test_evaluation import (
    AGES,
    GROUPS,
    SETTINGS,
    cohort,
    noise,
    value,
)


def placed(index):
    path = index["dataset"] + "/" + index["subject"] + "/" + index["session"] + "/" + index["scan"]
    return index.assign(scan_path=path)


def measured(index, effect, seed=2):
    """A table per subject: two structures, one of which follows the effect, and their sum."""
    generator = np.random.default_rng(seed)
    logs = 8 + 0.1 * generator.normal(size=(len(index), 2))
    logs[:, 0] += effect
    rows = pd.DataFrame({"left_hippocampus": np.exp(logs[:, 0]), "brain_stem": np.exp(logs[:, 1])})
    rows = rows.assign(hippocampus=rows["left_hippocampus"], dataset=index["dataset"].to_numpy())
    rows = rows.assign(file=(index["scan"] + BRAIN).to_numpy(), subject=index["subject"].to_numpy())
    long = rows.melt(["dataset", "file", "subject"], var_name="region", value_name="volume_mm3")
    return [table.sample(frac=1, random_state=0) for _, table in long.groupby("subject")]


def test_volumes_lie_in_the_order_of_the_index_and_hold_single_structures():
    index = placed(cohort(6))
    tables = measured(index, np.arange(len(index)))[:-1]  # nobody measured the last subject
    found = tabulate_volumes(tables, index)
    assert sorted(found) == ["brain_stem", "left_hippocampus"]
    assert found.iloc[-2:].isna().all(axis=None)
    grown = found["left_hippocampus"].iloc[:-2]
    np.testing.assert_allclose(grown - 8, np.arange(len(index) - 2), atol=0.5)
    turned = index.iloc[::-1].reset_index(drop=True)
    again = tabulate_volumes(tables, turned).iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, found)


@pytest.mark.parametrize(
    ("task", "metric", "good", "chance"), [(GROUPS, "roc_auc", 0.95, 0.75), (AGES, "r2", 0.9, 0.3)]
)
def test_what_volumes_alone_tell_stands_beside_the_latents(task, metric, good, chance):
    index = placed(cohort())
    told = (index["diagnosis"] == "patient") if task is GROUPS else index["age_years"] / 10
    volumes = tabulate_volumes(measured(index, told.to_numpy(dtype=float)), index)
    result = evaluate_task(noise(index), index, task, SETTINGS, seed=0, volumes=volumes)
    assert value(result, metric, column="volumes") > good
    assert value(result, metric) < chance
    nothing = tabulate_volumes(measured(index, 0.0), index)
    result = evaluate_task(noise(index), index, task, SETTINGS, seed=0, volumes=nothing)
    assert value(result, metric, column="volumes") < chance
    alone = evaluate_task(noise(index), index, task, SETTINGS, seed=0)
    assert np.isnan(value(alone, metric, column="volumes"))
