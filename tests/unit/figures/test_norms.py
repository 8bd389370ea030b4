"""What the report says of norms."""

import pandas as pd
import pytest

from brainlapse.analysis.norms.tables import FIT_COLUMNS
from brainlapse.figures import style
from brainlapse.figures.ageing import norms
from tests.unit.figures.fake_ageing import fake_norms


@pytest.fixture(scope="module")
def tables():
    made = fake_norms()
    return [made[f"analysis/{name}"] for name in ("norms", "norm_scores", "norm_fits")]


def test_groups_lie_where_they_were_planted(tables) -> None:
    found = norms.group_table(tables[1]).set_index(["region", "diagnosis"])
    assert list(found.index.unique("region")) == ["ventricles", "hippocampus"]
    patients = found.xs("patient", level="diagnosis")
    assert patients["mean_z"].between(-2.6, -1.4).all()
    assert (patients["people"] <= 20).all()
    assert (patients["outside_ages"] >= 1).all()
    assert (patients["below_5_pct"] > 40).all()
    controls = found.xs("control", level="diagnosis")
    assert controls["mean_z"].between(-0.6, 0.6).all()


def test_a_panel_per_region_and_sex(tables) -> None:
    figure = norms.plot_norms(*tables)
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    regions = ("ventricles", "hippocampus")
    assert titles == [f"{region}, {sex}" for sex in ("F", "M") for region in regions]


def test_without_norms_the_sentence_stands() -> None:
    fits = pd.DataFrame([{"note": "no norms: found 2"}]).reindex(columns=FIT_COLUMNS)
    none = pd.DataFrame(columns=["measure", "region"])
    with pytest.raises(style.NothingToShow, match=r"^No norms: found 2\.$"):
        norms.plot_norms(none, none, fits)
