"""The section of the page on classification and regression."""

import pandas as pd

from brainlapse.figures import tables
from brainlapse.figures.page import blocks, site_blocks
from brainlapse.figures.page.blocks import Section
from brainlapse.figures.page.sections import Run

FEW_SUBJECTS = 3
HEADS = ("task", "head", "autoencoder_split", "metric", "value", "baseline")


def task_section(run: Run) -> Section:
    """Show metrics of every task over models, then figures."""
    section = Section("tasks", "Classification and regression")
    if not run.tasks:
        section.blocks.append(blocks.note("No tasks are configured (key: tasks)."))
    audit = run.table("cohort/site_audit.tsv", tables.SITE_AUDIT)
    for task in run.tasks:
        name = task["name"]
        metrics = task_metrics(run, name)
        others = ~of_main_estimator(metrics)
        chosen = _chosen(metrics)
        metrics = metrics.drop(columns="chosen", errors="ignore")
        few = _few_subjects(metrics)
        section.blocks += [
            blocks.heading(f"{name}: {task['kind']} of {task['target']}"),
            *site_blocks.task_warnings(audit, name),
            blocks.table(
                metrics[~few & ~others],
                "Cross-validation over subjects; a row per metric and split of the autoencoder, "
                "which has seen the images of its train split. Baseline: what always predicting "
                "the same reaches; confounds: a model of the covariates alone; adjusted: of "
                "latents less what covariates tell of them; volumes: of regional volumes alone; "
                "ci: 95 % interval.",
                empty=f"Task {name} was not evaluated."
                if metrics.empty
                else f"No split holds {FEW_SUBJECTS} subjects of task {name}.",
            ),
            *chosen,
            *_folded(metrics[others & ~few], "Other estimators"),
            *_folded(metrics[few], f"Splits of fewer than {FEW_SUBJECTS} subjects"),
        ]
        section.blocks += _heads(run, name)
        for model in run.models:
            section.blocks.append(
                run.figure(f"{model}/task-{name}.png", f"task {name} from {model}", task["kind"])
            )
    if run.tasks:
        section.blocks += [blocks.heading("Where they look"), *_directions(run)]
    return section


def _heads(run: Run, task: str) -> list[blocks.Block]:
    """Show heads of a task that some autoencoder was trained with, and of the others, frozen."""
    parts = []
    for model in run.models:
        table = run.table(f"analysis/{model}/heads.tsv", HEADS)
        mine = table[table["task"] == task].drop(columns=["task", "chosen"], errors="ignore")
        if len(mine):
            mine.insert(0, "model", model)
            parts.append(mine)
    if not parts:
        return []
    shown = pd.concat(parts, ignore_index=True).dropna(axis="columns", how="all")
    words = (
        "The same linear head on the latents, fitted on training people, judged on people held "
        "out. Joint: trained with the autoencoder; frozen: fitted to its latents afterwards; gap: "
        "value less that of the other. What joint training costs in reconstruction is in the "
        "table of all models."
    )
    return [blocks.table(shown, words, empty="")]


def _directions(run: Run) -> list[blocks.Block]:
    """Show the map of each linear task, and say which tasks have none."""
    shown = []
    for model in run.models:
        table = run.table(f"analysis/{model}/directions.tsv", tables.DIRECTIONS)
        shown += [
            run.figure(f"{model}/directions.png", f"what the tasks of {model} look at"),
            blocks.table(
                table.drop(columns="file"),
                empty="No map of a task was made.",
                folded=f"What the maps of {model} were made from",
            ),
        ]
    return shown


def _few_subjects(metrics: pd.DataFrame) -> pd.Series:
    """Tell which rows stand on so few subjects that their numbers mean nothing."""
    if "n_subjects" not in metrics:
        return pd.Series(False, index=metrics.index)
    return metrics["n_subjects"] < FEW_SUBJECTS


def _folded(metrics: pd.DataFrame, words: str) -> list[blocks.Block]:
    return [] if metrics.empty else [blocks.table(metrics, empty="", folded=words)]


def _chosen(metrics: pd.DataFrame) -> list[blocks.Block]:
    """Say what the inner folds chose for each model and estimator."""
    if "chosen" not in metrics:
        return []
    names = [name for name in ("model", "estimator", "chosen") if name in metrics]
    table = metrics[names].dropna().drop_duplicates()
    return _folded(table, "What the inner folds chose, and in how many folds")


def of_main_estimator(metrics: pd.DataFrame) -> pd.Series:
    """Tell which rows are of the estimator that figures show: the first of the table."""
    if metrics.empty or "estimator" not in metrics:
        return pd.Series(True, index=metrics.index)
    return metrics["estimator"] == metrics["estimator"].iloc[0]


def task_metrics(run: Run, task: str) -> pd.DataFrame:
    """Return the metrics of one task over all models, without empty columns."""
    parts = []
    for model in run.models:
        table = run.table(f"analysis/{model}/tasks/{task}/metrics.tsv", tables.TASK_METRICS)
        if len(table):
            table.insert(0, "model", model)
            parts.append(table.drop(columns="task"))
    if not parts:
        return pd.DataFrame()
    return pd.concat(parts, ignore_index=True).dropna(axis="columns", how="all")
