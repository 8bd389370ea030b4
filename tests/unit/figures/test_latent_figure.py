"""The picture of the latent space: its panels, and ellipses that hold what they say."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Ellipse

from brainlapse.figures.models.latents import outline, plot_latents
from tests.unit.figures.fake_run import fake_pca, fake_scans


def inside(found, points):
    angle = np.radians(found.angle_deg)
    turned = (points - found.centre) @ np.array(
        [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    )
    return np.sum((2 * turned / found.lengths) ** 2, axis=1) <= 1


@pytest.mark.parametrize("people", [5, 12, 200])
def test_an_ellipse_holds_95_percent_of_further_people(people):
    random = np.random.default_rng(people)
    mixing = np.array([[3.0, 1.0], [0.5, 0.7]])
    held = [
        inside(outline(random.normal(size=(people, 2)) @ mixing + 4), further @ mixing + 4).mean()
        for further in random.normal(size=(2000, 50, 2))
    ]
    assert np.mean(held) == pytest.approx(0.95, abs=0.006)


def test_four_people_have_no_ellipse_and_people_on_a_line_a_flat_one():
    assert outline(np.eye(4)[:, :2]) is None
    line = np.arange(6.0)[:, None] * [1, 2]
    found = outline(line)
    assert sorted(found.lengths)[0] == pytest.approx(0, abs=1e-6)
    assert found.angle_deg % 180 == pytest.approx(153.43, abs=0.01)  # the short axis stands first


def shown(scans, variance):
    figure = plot_latents(fake_pca(scans), variance, scans.assign(flagged=False))
    return {
        panel.get_title(loc="left"): panel for panel in figure.axes if panel.get_title(loc="left")
    }


@pytest.fixture
def variance():
    return pd.DataFrame({"component": ["pc1", "pc2"], "explained_variance_ratio": [0.5, 0.2]})


def test_groups_of_five_people_have_ellipses(variance):
    """12 people: 4 patients and 8 controls, 6 of either sex, 9 of one data set and 3 of another."""
    panels = shown(fake_scans(), variance)
    ellipses = {
        name: sum(isinstance(patch, Ellipse) for patch in panel.patches)
        for name, panel in panels.items()
    }
    assert ellipses.pop("explained variance") == 0
    groups = {"by diagnosis": 1, "by sex": 2, "by dataset": 1, "by age": 0, "by split": 0}
    assert ellipses == groups


def test_sites_are_shown_where_there_are_several(variance):
    scans = fake_scans()
    scans["site"] = np.where(scans["subject"] < "sub-06", "north", "south")
    panel = shown(scans, variance)["by site"]
    words = {text.get_text() for text in panel.get_legend().get_texts()}
    assert words == {f"{d}/{s}" for d in ("clinic", "demo") for s in ("north", "south")}
    assert "by dataset" not in shown(scans.assign(dataset="demo"), variance)


def test_a_map_of_neighbours_is_two_more_panels_with_every_scan(variance):
    scans = fake_scans()
    identity = fake_pca(scans).drop(columns=["pc1", "pc2"])
    places = identity.assign(umap1=range(len(scans)), umap2=1.0)
    figure = plot_latents(fake_pca(scans), variance, scans.assign(flagged=False), places)
    panels = {panel.get_title(loc="left"): panel for panel in figure.axes}
    for column in ("diagnosis", "split"):
        dots = panels[f"neighbours (UMAP) by {column}"].collections
        assert sum(len(group.get_offsets()) for group in dots) == len(scans)
    empty = plot_latents(fake_pca(scans), variance, scans.assign(flagged=False), places.iloc[:0])
    assert not any("UMAP" in panel.get_title(loc="left") for panel in empty.axes)
