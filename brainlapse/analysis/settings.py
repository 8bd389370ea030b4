"""Settings of the latent-space analyses and of the prediction tasks."""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from brainlapse.analysis.norms.settings import NormSettings
from brainlapse.settings import Settings

HEAD_SIZE = "intracranial_ml"
"""Covariate of tasks that is taken from `preprocess/qc.tsv` where no table of the user has it."""

Classifier = Literal[
    "logistic", "linear_svm", "rbf_svm", "random_forest", "knn", "mlp", "gradient_boosting"
]
Regressor = Literal["ridge", "svr", "mlp", "gradient_boosting"]


def _check_each_once(names: list[str] | None) -> list[str] | None:
    if names is not None and len(set(names)) < len(names):
        message = f"expected each once, found {', '.join(names)}"
        raise ValueError(message)
    return names


class AnalysisSettings(Settings):
    """Principal components, cross-validation and its uncertainty."""

    components: int = Field(
        10, ge=1, le=1000, description="Principal components written to pca.tsv"
    )
    umap: bool = Field(
        False,
        description="Also lay the scans on a map of neighbours (UMAP) of those components, fitted "
        "to training scans; a minute per autoencoder",
    )
    walk_components: int = Field(
        3,
        ge=0,
        le=100,
        description="Principal components along which the mean training latent is decoded; 0: none",
    )
    walk_sd: float = Field(
        2.0,
        gt=0,
        le=10,
        description="How far walks along components and the maps of tasks go to each side "
        "[standard deviations]",
    )
    error_maps: bool = Field(
        False,
        description="Also map, voxel by voxel, where held-out scans are given back worse than "
        "those of validation people (with fewer than 10: of training people); a file per scan",
    )
    folds: int = Field(5, ge=2, le=50, description="Cross-validation folds, whole subjects each")
    task_components: int = Field(
        20, ge=1, le=1000, description="Principal components that a task's model sees at most"
    )
    tune: bool = Field(
        True,
        description="Choose penalty and number of components by inner folds of each training "
        "fold; false: the fixed penalties below, and all components",
    )
    inner_folds: int = Field(
        5, ge=2, le=50, description="Inner folds of the tuning, whole subjects each"
    )
    logistic_inverse_penalty: float = Field(
        1.0,
        gt=0,
        le=1e6,
        description="Inverse L2 penalty of the logistic regression where it is not tuned",
    )
    ridge_penalty: float = Field(
        1.0, gt=0, le=1e6, description="L2 penalty of the ridge regression where it is not tuned"
    )
    classifiers: Annotated[list[Classifier], AfterValidator(_check_each_once)] = Field(
        ["logistic"],
        min_length=1,
        description="Estimators of classifications; figures and findings show the first",
    )
    regressors: Annotated[list[Regressor], AfterValidator(_check_each_once)] = Field(
        ["ridge"],
        min_length=1,
        description="Estimators of regressions; figures and findings show the first",
    )
    bootstrap_samples: int = Field(
        1000, ge=0, le=100000, description="Resamplings of subjects behind the 95 % intervals"
    )
    permutations: int = Field(
        0,
        ge=0,
        le=100000,
        description="Permutations of the targets, by person, behind p_value of the ROC AUC or the "
        "absolute error of the first estimator; each fits and tunes every fold again; 0: none",
    )
    volumes_beside: bool = Field(
        True,
        description="Put what regional volumes alone reach beside every task; false: tasks don't "
        "wait until the real scans are segmented",
    )
    min_subjects: int = Field(
        4,
        ge=2,
        le=1000,
        description="Fewest subjects, in each class or in a regression, for a task to be tried",
    )
    norms: NormSettings = Field(
        default_factory=NormSettings, description="Regional volumes of controls over age"
    )


class TaskSettings(Settings):
    """One thing to predict from the latent codes."""

    name: str = Field(
        description="Name of the task, used as a folder name [letters, digits, hyphens]",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$",
    )
    target: str = Field(
        min_length=1, description="Column of cohort/scans.tsv or of your tables to predict"
    )
    kind: Literal["classification", "regression"] = Field(
        description="Classification of groups, or regression of a number"
    )
    classes: list[str] | None = Field(
        None,
        min_length=2,
        description="Classes compared, scans of others are left out; none: every class found",
    )
    positive: str | None = Field(
        None,
        description="Class whose probability is the score of a two-class task; none: the last in "
        "alphabetical order",
    )
    datasets: list[str] | None = Field(None, min_length=1, description="Datasets used; none: all")
    train_datasets: list[str] | None = Field(
        None,
        min_length=1,
        description="Datasets the models are fitted on; all others of the task are judged. None: "
        "cross-validation",
    )
    leave_out: str | None = Field(
        None,
        min_length=1,
        description="Column whose values are held out one after another, the models fitted on the "
        "rest: dataset, site or any other. None: folds that are balanced at random",
    )
    covariates: list[str] = Field(
        [],
        description="Columns of the confounds baseline, a model that sees only these, for "
        "instance age_years, sex and intracranial_ml, the size of the head (of "
        "preprocess/qc.tsv, where no table of yours has such a column)",
    )
    estimators: Annotated[list[Classifier | Regressor] | None, AfterValidator(_check_each_once)] = (
        Field(
            None,
            min_length=1,
            description="Estimators of this task; none: those of analysis.classifiers or "
            "analysis.regressors",
        )
    )

    @model_validator(mode="after")
    def _check_fields_agree(self) -> "TaskSettings":
        if self.target in self.covariates:
            message = f"task {self.name}: covariates must not hold the target {self.target!r}"
            raise ValueError(message)
        if self.kind == "regression" and (self.classes or self.positive):
            message = f"task {self.name}: classes and positive belong to a classification"
            raise ValueError(message)
        self._check_splits()
        known = get_args(Classifier if self.kind == "classification" else Regressor)
        for name in self.estimators or []:
            if name not in known:
                message = (
                    f"task {self.name}: estimators has {name!r}, expected for a {self.kind} some "
                    f"of {', '.join(known)}"
                )
                raise ValueError(message)
        if self.classes and self.positive and self.positive not in self.classes:
            message = (
                f"task {self.name}: positive is {self.positive!r}, expected one of {self.classes}"
            )
            raise ValueError(message)
        return self

    def _check_splits(self) -> None:
        if self.train_datasets and self.leave_out:
            message = f"task {self.name}: expected train_datasets or leave_out, found both"
            raise ValueError(message)
        if self.leave_out == self.target:
            message = f"task {self.name}: leave_out is the target {self.target!r}"
            raise ValueError(message)
        fitted, used = set(self.train_datasets or []), set(self.datasets or [])
        if fitted and used and not fitted < used:
            message = (
                f"task {self.name}: train_datasets, expected some and not all of datasets, "
                f"{self.datasets}, found {self.train_datasets}"
            )
            raise ValueError(message)
