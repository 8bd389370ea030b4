"""One table of all models: images, volumes, separation, tasks and forecasts on the same people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from brainlapse.aging.evaluation.bootstrap import MIN_SUBJECTS, over_subjects
from brainlapse.aging.plan import BY_MODEL
from brainlapse.analysis.paired import FEWEST, STANDING_COLUMNS, rank_paired
from brainlapse.analysis.settings import TaskSettings
from brainlapse.analysis.tasks.metrics import balanced_accuracy, mae, roc_auc
from brainlapse.cohort.people.names import class_name, people_of

MODEL_COLUMNS = ["model", "group", "measure", "split", *STANDING_COLUMNS, "note"]
MEAN_IMAGE = "mean image"
IMAGE_MEASURES = {"ssim": True, "psnr_db": True, "mae": False, "perceptual": False}
"""Whether more is better."""
HEADLINE = ("ventricles", "hippocampus")
ALONE = ("copy_last", "volume_bayes")
"""Forecasts that need no network: rows of their own."""
FALLBACK = (
    *("bayes_anchored", "bayes", "population_rate_anchored", "population_rate"),
    *("linear_anchored", "linear"),
)
"""A model's forecast where too few validation people choose; the first that there is."""
HELD_OUT = ("test", "apply")
SPLITS = (*HELD_OUT, "validation", "train")
TARGET = ["dataset", "subject", "scan", "n_scans_so_far"]
Tables = Mapping[str, pd.DataFrame]  # by model, or what stands beside the models


@dataclass(frozen=True)
class Held:
    """One measure of several competitors on the same scans.

    Attributes
    ----------
    group, measure : str
        Where it belongs, and its name.
    split : str
        Of the scans.
    rows : pd.DataFrame
        dataset and subject of each, and whatever ``metric`` reads.
    names : list[str]
        Competitors.
    metric : Callable
        Value of a competitor (its number) on rows.
    higher : bool
        Whether more is better.
    note : Mapping[str, str]
        Remarks on competitors, by name.
    """

    group: str
    measure: str
    split: str
    rows: pd.DataFrame
    names: list[str]
    metric: Callable[[int, np.ndarray], float]
    higher: bool
    note: Mapping[str, str] = field(default_factory=dict)


def compare_images(tables: Tables, seed: int) -> list[pd.DataFrame]:
    """Compare image metrics of reconstructions: ``reconstruction.tsv``, the mean image's beside."""
    measures = [name for name in IMAGE_MEASURES if any(name in t for t in tables.values())]
    found = [
        hold_means("reconstruction", name, tables, name, higher=IMAGE_MEASURES[name])
        for name in measures
    ]
    return [standing(held, seed) for held in found if held]


def compare_volumes(tables: Tables, seed: int) -> list[pd.DataFrame]:
    """Compare absolute errors of the volumes of reconstructions [%]: ``volume_error.tsv``."""
    found = []
    for region in HEADLINE:
        mine = {name: t[t["region"] == region] for name, t in tables.items() if len(t)}
        found.append(hold_means("volume", region, mine, "abs_error_pct", higher=False))
    return [standing(held, seed) for held in found if held]


def compare_forecasts(tables: Tables, seed: int) -> list[pd.DataFrame]:
    """Compare absolute errors of forecast volumes [%]: ``errors.tsv``.

    A model's forecast is the one of its methods that errs least on validation people, of whom
    nobody is judged here. What needs no network has rows of its own.
    """
    tables = {name: t.dropna(subset=["abs_error_pct"]) for name, t in tables.items() if len(t)}
    if not tables:
        return []
    first = next(iter(tables.values()))
    found = []
    for region in HEADLINE:
        for seen in sorted(first["n_scans_seen"].unique()):
            competitors, notes = {}, {}
            for name, table in tables.items():
                case = table[(table["region"] == region) & (table["n_scans_seen"] == seen)]
                method, notes[name] = choose_method(case)
                competitors[name] = case[case["method"] == method]
            case = first[(first["region"] == region) & (first["n_scans_seen"] == seen)]
            competitors |= {name: case[case["method"] == name] for name in ALONE}
            held = {n: t[t["split"] != "validation"] for n, t in competitors.items()}
            measure = f"{region}_{seen}_seen"
            means = hold_means(
                "forecast", measure, held, "abs_error_pct", higher=False, keys=TARGET
            )
            found.append(replace(means, note=notes) if means else None)
    return [standing(held, seed) for held in found if held]


def choose_method(case: pd.DataFrame) -> tuple[str, str]:
    """Return the method of a model that errs least on validation people, and words on it."""
    known = case["method"].str.removesuffix("_anchored").isin(BY_MODEL)
    mine = case[known]
    validation = mine[mine["split"] == "validation"]
    people = len(validation[["dataset", "subject"]].drop_duplicates())
    if people < MIN_SUBJECTS:
        present = set(mine["method"])
        method = next((name for name in FALLBACK if name in present), FALLBACK[0])
        return method, f"{method}: {people} validation people are too few to choose"
    errors = {
        str(method): over_subjects(rows, "abs_error_pct").mean
        for method, rows in validation.groupby("method")
    }
    best = min(errors, key=lambda name: (errors[name], name))
    return best, f"{best}, chosen on {people} validation people"


def compare_task(task: TaskSettings, tables: Tables, seed: int) -> pd.DataFrame | None:
    """Compare one task by its main metric: ``predictions.tsv``; None where nobody has any."""
    filled = {name: table.dropna(subset=["true"]) for name, table in tables.items() if len(table)}
    if not filled:
        return None
    present = {split for table in filled.values() for split in table["split"]}
    classes = {class_name(true) for table in filled.values() for true in table["true"]}
    split = next((name for name in HELD_OUT if name in present), "all")
    if split != "all":
        filled = {name: table[table["split"] == split] for name, table in filled.items()}
    known = ["dataset", "subject", "scan", "true"]
    wide = _shared({n: t.set_index(known)[["predicted", "score"]] for n, t in filled.items()})
    if wide.empty:
        return None
    rows, names = wide.index.to_frame(index=False), list(filled)
    measure, metric, higher = _task_metric(task, classes, rows["true"], wide, names)
    return standing(
        Held("task", f"{task.name} {measure}", split, rows, names, metric, higher), seed
    )


def _task_metric(
    task: TaskSettings, found: set, target: pd.Series, wide: pd.DataFrame, names: list[str]
) -> tuple[str, Callable[[int, np.ndarray], float], bool]:
    """Name of the metric, its function, and whether more is better.

    ``found`` are the classes of all scans: those held out may miss one.
    """
    if task.kind == "regression":
        numbers = pd.to_numeric(target).to_numpy(dtype=float)
        said = [wide[name, "predicted"].to_numpy(dtype=float) for name in names]
        return "mae", lambda k, rows: mae(numbers[rows], said[k][rows]), False
    true = target.map(class_name).to_numpy(dtype=str)
    classes = sorted(task.classes or found)
    if len(classes) == 2:
        positive = true == (task.positive or classes[-1])
        scores = [wide[name, "score"].to_numpy(dtype=float) for name in names]
        return "roc_auc", lambda k, rows: roc_auc(positive[rows], scores[k][rows]), True
    answers = [wide[name, "predicted"].map(class_name).to_numpy(dtype=str) for name in names]
    return (
        "balanced_accuracy",
        lambda k, rows: balanced_accuracy(true[rows], answers[k][rows]),
        True,
    )


def list_separations(tables: Tables) -> pd.DataFrame:
    """Silhouette of the diagnoses among people held out, shown only: it has no people to draw."""
    rows = [
        table[(table["column"] == "diagnosis") & (table["split"] == "held_out")].assign(model=name)
        for name, table in tables.items()
        if len(table)
    ]
    if not rows:
        return pd.DataFrame(columns=MODEL_COLUMNS)
    table = pd.concat(rows).rename(columns={"silhouette": "value", "people": "n_subjects"})
    return table.assign(group="separation", measure="silhouette_diagnosis", best=False).reindex(
        columns=MODEL_COLUMNS
    )


def hold_means(
    group: str,
    measure: str,
    tables: Tables,
    column: str,
    *,
    higher: bool,
    keys: list[str] | None = None,
) -> Held | None:
    """Mean over people of each person's mean, on the scans that all competitors have.

    Parameters
    ----------
    tables
        With split, the column and ``keys``: a row per scan or forecast.
    """
    keys = keys or TARGET[:3]
    tables = {n: t.dropna(subset=[column]) for n, t in tables.items() if len(t) and column in t}
    present = {split for table in tables.values() for split in table["split"]}
    split = next((name for name in SPLITS if name in present), None)
    held = {name: table[table["split"] == split] for name, table in tables.items()}
    held = {name: table for name, table in held.items() if len(table)}
    if split is None or not held:
        return None
    wide = _shared({name: table.set_index(keys)[[column]] for name, table in held.items()})
    if wide.empty:
        return None
    means = wide.groupby(level=["dataset", "subject"]).mean()
    values, rows = means.to_numpy(dtype=float), means.index.to_frame(index=False)
    return Held(
        group, measure, split, rows, list(held), lambda k, picked: values[picked, k].mean(), higher
    )


def _shared(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Put tables side by side on the rows that all have, columns (name, column)."""
    return pd.concat(parts, axis="columns", join="inner").sort_index()


def standing(held: Held, seed: int) -> pd.DataFrame:
    """Rank the competitors of one measure: ``MODEL_COLUMNS``."""
    person = people_of(held.rows)
    table = rank_paired(held.names, held.metric, person, higher=held.higher, seed=seed)
    reason = ""
    if held.split not in HELD_OUT:
        reason = f"no best: people of split {held.split} are not held out"
        table["best"] = False
    elif table["n_subjects"].iloc[0] < FEWEST:
        reason = f"no best: fewer than {FEWEST} people"
    notes = [[held.note.get(name, ""), reason] for name in table["model"]]
    table["note"] = ["; ".join(filter(None, both)) or None for both in notes]
    table = table.assign(group=held.group, measure=held.measure, split=held.split)
    return table[MODEL_COLUMNS]
