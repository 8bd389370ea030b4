"""The map of neighbours keeps planted groups together, those of held-out scans included."""

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.slow  # umap-learn compiles itself when it is first imported


def planted(scans_of_group=30):
    """Scores of three groups that lie apart in three of ten components; a third is held out."""
    random = np.random.default_rng(0)
    count = 3 * scans_of_group
    group = np.arange(count) // scans_of_group
    index = pd.DataFrame(
        {
            "dataset": "drawn",
            "subject": [f"sub-{number}" for number in range(count)],
            "session": None,
            "scan": [f"scan-{number}" for number in range(count)],
            "split": np.where(np.arange(count) % 3, "train", "test"),
            "diagnosis": np.array(list("abc"))[group],
            "age_years": 50.0,
            "flagged": False,
        }
    )
    scores = random.normal(size=(count, 10))
    scores[:, :3] += 8 * np.eye(3)[group]
    names = [f"pc{number}" for number in range(1, 11)]
    return index.drop(columns="flagged").join(pd.DataFrame(scores, columns=names)), index


def test_scans_lie_beside_those_of_their_group_and_twice_in_the_same_place():
    from brainlapse.analysis.embedding import AXES, embed_scores

    scores, index = planted()
    found = embed_scores(scores, index, seed=3)
    points, group = found[AXES].to_numpy(), found["diagnosis"].to_numpy()
    apart = np.linalg.norm(points[:, None] - points, axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (group[apart.argmin(axis=1)] == group).all()
    assert embed_scores(scores, index, seed=3).equals(found)


def test_held_out_and_flagged_scans_move_no_training_scan():
    from brainlapse.analysis.embedding import AXES, embed_scores

    scores, index = planted()
    index.loc[1, "flagged"] = True
    found = embed_scores(scores, index, seed=0)
    free = (index["split"] == "test") | index["flagged"]
    components = [name for name in scores if name.startswith("pc")]
    scores.loc[free, components] = scores.loc[free, components].to_numpy()[::-1]
    again = embed_scores(scores, index, seed=0)
    assert again.loc[~free, AXES].equals(found.loc[~free, AXES])
    assert not again.loc[free, AXES].equals(found.loc[free, AXES])


def test_too_few_training_scans_give_an_empty_table_and_a_sentence(caplog):
    from brainlapse.analysis.embedding import AXES, embed_scores

    scores, index = planted(scans_of_group=7)
    found = embed_scores(scores, index, seed=0)
    assert found.empty
    assert set(AXES) <= set(found)
    assert "expected 16 unflagged training scans, found 14" in caplog.text
