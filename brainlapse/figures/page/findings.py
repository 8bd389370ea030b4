"""What a run found, in sentences: for the first screen of the report.

Nothing is picked by its score on the scans that it is reported on: a method is named only where
validation subjects chose it, and every model is named that does worse than copying.
"""

from dataclasses import dataclass

import pandas as pd

from brainlapse.aging.plan import BY_MODEL, VOXEL_LINEAR
from brainlapse.figures import style, tables
from brainlapse.figures.ageing.curves import ALONE, COPY, REGION_ORDER, is_baseline, method_order
from brainlapse.figures.models import reconstructions
from brainlapse.figures.page import task_section
from brainlapse.figures.page.estimates import Estimate, estimate, verdict
from brainlapse.figures.page.sections import Run

HEADLINE = REGION_ORDER[:2]
FLOOR = "reconstruction"  # no forecast
JUDGED = ("test", "apply")
SPLITS = ("train", "validation", "test", "apply")
WANTED = {"classification": "roc_auc", "regression": "mae"}
NAMES = {"roc_auc": "ROC AUC", "mae": "mean absolute error"}
FORECAST = ["person", "scan", "n_scans_seen", "region"]


@dataclass(frozen=True)
class Comparison:
    """One forecast method against what needs no network, on the same forecasts.

    ``alone_difference_pct`` is the difference to `ALONE`; none where that has no forecast, and for
    `ALONE` itself.
    """

    model: str
    method: str
    n_scans_seen: int
    region: str
    error_pct: Estimate
    copy_pct: Estimate
    difference_pct: Estimate
    alone_difference_pct: Estimate | None

    @property
    def on_volumes(self) -> bool:
        """Tell whether the method forecasts volumes, and no image."""
        return is_baseline(self.method)

    @property
    def by_model(self) -> bool:
        """Tell whether the forecast rests on what the autoencoder decodes."""
        return self.method.removesuffix("_anchored") in BY_MODEL

    @property
    def verdict(self) -> str:
        """Return how it does beside the copy."""
        return verdict(self.difference_pct)


def compare(model: str, errors: pd.DataFrame) -> list[Comparison]:
    """Return every forecast method against the copy and `ALONE`, for the headline regions.

    Methods without a network come first.
    """
    if errors.empty:
        return []
    known = errors.dropna(subset=["abs_error_pct"])
    known = known[known["region"].isin(HEADLINE) & _judged(known)]
    known = known.assign(person=_person(known))
    both = known[~known["method"].isin([COPY, FLOOR])]
    for method, name in ((COPY, "copy_pct"), (ALONE, "alone_pct")):
        simple = known.loc[known["method"] == method, [*FORECAST, "abs_error_pct"]]
        both = both.merge(simple.rename(columns={"abs_error_pct": name}), on=FORECAST, how="left")
    both = both.dropna(subset=["copy_pct"])
    keys = both[["region", "n_scans_seen", "method"]].drop_duplicates()
    order = keys["method"].map(method_order)
    keys = keys.assign(order=order).sort_values(["n_scans_seen", "order"]).drop(columns="order")
    return [
        _comparison(model, both[(both[keys.columns] == key).all(axis=1)], key)
        for region in HEADLINE
        for _, key in keys[keys["region"] == region].iterrows()
    ]


def _judged(table: pd.DataFrame) -> pd.Series:
    if "split" not in table:
        return pd.Series(True, index=table.index)
    return table["split"].isin(JUDGED)


def _person(table: pd.DataFrame) -> pd.Series:
    """Return a name of the subject that is unique over data sets."""
    subject = table["subject"].astype(str)
    return table["dataset"].astype(str) + "/" + subject if "dataset" in table else subject


def _comparison(model: str, rows: pd.DataFrame, key: pd.Series) -> Comparison:
    error, copy = rows["abs_error_pct"].astype(float), rows["copy_pct"].astype(float)
    beside = rows.dropna(subset=["alone_pct"])
    if key["method"] == ALONE or beside.empty:
        to_alone = None
    else:
        to_alone = estimate(beside["abs_error_pct"] - beside["alone_pct"], beside["person"])
    return Comparison(
        model=model,
        method=str(key["method"]),
        n_scans_seen=int(key["n_scans_seen"]),
        region=str(key["region"]),
        error_pct=estimate(error, rows["person"]),
        copy_pct=estimate(copy, rows["person"]),
        difference_pct=estimate(error - copy, rows["person"]),
        alone_difference_pct=to_alone,
    )


def comparisons(run: Run) -> list[Comparison]:
    """Return the comparisons of all models; what is no work of theirs stands with the first."""
    return [
        comparison
        for number, model in enumerate(run.models)
        for comparison in compare(model, run.table(f"aging/{model}/errors.tsv", tables.ERRORS))
        if number == 0 or comparison.by_model
    ]


def comparison_table(found: list[Comparison]) -> pd.DataFrame:
    """Return the comparisons as the table of the first screen."""
    return pd.DataFrame(
        {
            "region": style.label(one.region),
            "forecast": _who(one),
            "scans seen": one.n_scans_seen,
            "subjects": one.error_pct.subjects,
            "error [%]": one.error_pct.words(),
            "against the copy [points]": _against(one.difference_pct),
            f"against {style.label(ALONE)} [points]": _against(one.alone_difference_pct),
        }
        for one in found
    )


def _against(difference: Estimate | None) -> str:
    return f"{difference.words()}: {verdict(difference)}" if difference else ""


def warnings(found: list[Comparison]) -> list[str]:
    """Return a sentence for each forecast that does worse than copying the last scan."""
    return [
        f"{_who(one)}, {one.n_scans_seen} seen: the forecast of {style.label(one.region)} is worse "
        f"than a copy of the last scan, by {one.difference_pct.words()} percentage points of error."
        for one in found
        if one.verdict == "worse"
    ]


def sentences(run: Run, found: list[Comparison]) -> list[str]:
    """Return the findings: cohort, reconstructions, forecasts, tasks."""
    return [*_cohort(run), *_reconstructions(run), *_forecasts(run, found), *_tasks(run)]


def _cohort(run: Run) -> list[str]:
    scans = run.table("cohort/scans.tsv", tables.SCANS)
    if scans.empty:
        return ["The cohort is empty: no scan passed the checks."]
    people = scans.drop_duplicates(["dataset", "subject"])["split"].value_counts()
    shares = ", ".join(f"{people[name]} {name}" for name in SPLITS if name in people)
    ages = pd.to_numeric(scans["age_years"]).dropna()
    span = f", aged {ages.min():.0f} to {ages.max():.0f} years" if len(ages) else ""
    found = [f"{len(scans):,} scans of {people.sum():,} people{span}; people by split: {shares}."]
    return found + _left_out(run, scans)


def _left_out(run: Run, scans: pd.DataFrame) -> list[str]:
    """Count the flagged scans of held-out people, which no forecast and no task sees."""
    quality = run.table("preprocess/qc.tsv", tables.QUALITY)
    flagged = quality.loc[quality["status"] == "flagged", ["dataset", "scan"]]
    split = flagged.merge(scans[["dataset", "scan", "split"]], on=["dataset", "scan"])["split"]
    held = split[split != "train"].value_counts()
    if held.empty:
        return []
    shares = ", ".join(f"{held[name]} {name}" for name in SPLITS if name in held)
    return [
        f"{held.sum():,} flagged scans of held-out people ({shares}) take no part in forecasts and "
        "tasks: results hold for scans that pass quality control."
    ]


def _reconstructions(run: Run) -> list[str]:
    found = []
    mean_image = run.table("baselines/mean_image.tsv", tables.RECONSTRUCTION)
    for model in run.models:
        table = run.table(f"autoencoder/{model}/reconstruction.tsv", tables.RECONSTRUCTION)
        split = reconstructions.judged_split(table)
        if split is None:
            continue
        mine = table[table["split"] == split]
        ssim = estimate(mine["ssim"].astype(float), _person(mine))
        same = mean_image[mean_image["split"] == split]["ssim"].dropna()
        beside = f", where the mean training image reaches {same.mean():.3f}" if len(same) else ""
        found.append(
            f"{model} reconstructs {split} scans with an SSIM of {ssim.words(digits=3)} inside the "
            f"brain mask{beside}."
        )
    return found


def _who(one: Comparison) -> str:
    method = style.label(one.method)
    if one.by_model:
        return f"{one.model}, {method}"
    own = one.on_volumes or one.method == VOXEL_LINEAR
    return f"{method} (no network)" if own else f"{method} (another tool)"


def _forecasts(run: Run, found: list[Comparison]) -> list[str]:
    cases = sorted({(HEADLINE.index(one.region), one.n_scans_seen) for one in found})
    lines = []
    for region, seen in ((HEADLINE[number], seen) for number, seen in cases):
        here = [one for one in found if (one.region, one.n_scans_seen) == (region, seen)]
        images = [one for one in here if not one.on_volumes]
        alone = [one.error_pct.words() for one in here if one.method == ALONE]
        parts = [f"a copy of the last scan errs by {_span([one.copy_pct.value for one in here])} %"]
        parts += [f"{style.label(ALONE)}, which needs no network, by {words} %" for words in alone]
        for model in run.models:
            errors = [o.error_pct.value for o in images if o.by_model and o.model == model]
            parts += [f"forecasts of {model} by {_span(errors)} %"] if errors else []
        others = [one for one in images if not one.by_model]
        parts += [f"{_who(one)} by {one.error_pct.words()} %" for one in others]
        counts = f"{_better(images, 'difference_pct')} do better than the copy"
        if alone:
            counts += f", {_better(images, 'alone_difference_pct')} than {style.label(ALONE)}"
        scans = "1 scan" if seen == 1 else f"{seen} scans"
        lines.append(
            f"{style.label(region).capitalize()}, {scans} seen: {', '.join(parts)}. Of "
            f"{len(images)} forecasts through images, {counts} (95 % interval of the paired "
            "difference)."
        )
    return lines or ["No forecasts: nobody held out has enough visits of known age."]


def _better(found: list[Comparison], difference: str) -> int:
    known = [getattr(one, difference) for one in found]
    return [verdict(one) for one in known if one is not None].count("better")


def _span(values: list[float]) -> str:
    low, high = f"{min(values):.1f}", f"{max(values):.1f}"
    return low if low == high else f"{low} to {high}"


def _tasks(run: Run) -> list[str]:
    lines = []
    for task in run.tasks:
        table = task_section.task_metrics(run, task["name"])
        if table.empty or "value" not in table:
            continue
        metric = WANTED[task["kind"]]
        table = table[task_section.of_main_estimator(table)]
        rows = table[table["metric"] == metric].dropna(subset=["value"])
        if "autoencoder_split" in rows:
            held = [s for s in ("test", "apply") if s in set(rows["autoencoder_split"])]
            rows = rows[rows["autoencoder_split"] == (held[0] if held else "all")]
        lines += [_task_sentence(task["name"], metric, row) for row in rows.to_dict("records")]
    return lines


def _task_sentence(task: str, metric: str, row: dict) -> str:
    ends = [row.get("ci_low"), row.get("ci_high")]
    interval = "" if any(pd.isna(end) for end in ends) else f" ({ends[0]:.2g} to {ends[1]:.2g})"
    others = {"always the same answer": "baseline", "covariates alone": "confounds"}
    others |= {"latents less the covariates": "adjusted"}
    others |= {"regional volumes, which need no network": "volumes"}
    known = {words: row[name] for words, name in others.items() if pd.notna(row.get(name))}
    beside = "; ".join(f"{words} {value:.2g}" for words, value in known.items())
    split = row.get("autoencoder_split", "all")
    ending = f"; beside it {beside}" if beside else ""
    return (
        f"{task} from the latents of {row['model']}: {NAMES[metric]} {row['value']:.2g}{interval} "
        f"on {split} scans{ending}."
    )
