"""CPU seconds and memory of tasks at a large cohort's size, each in a process of its own.

    python -m benchmarks.tasks_at_size --subjects 1700 --elements 38400

Latents are drawn with the spectrum of smooth brains (variance falling as 1 / component). Each task
runs on one thread, as its rule does, with the estimators named; tasks are independent jobs, so that
on 8 cores eight of them run side by side. Volumes stand beside, as in a run.
"""

import argparse
import multiprocessing
import resource
import time

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from brainlapse.analysis.settings import AnalysisSettings, TaskSettings
from brainlapse.analysis.tasks.evaluation import evaluate_task

FACTORS = 200  # in which people differ
STRUCTURES = 32


def draw(subjects: int, elements: int) -> tuple[np.ndarray, pd.DataFrame, pd.DataFrame]:
    """Latents (N, 1, 1, 1, E), their index and volumes; sex and age are in some of the factors."""
    random = np.random.default_rng(0)
    factors = random.standard_normal((subjects, FACTORS), dtype=np.float32)
    maps = random.standard_normal((FACTORS, elements), dtype=np.float32)
    maps /= np.sqrt(np.arange(1, FACTORS + 1, dtype=np.float32))[:, None]
    latents = factors @ maps
    latents += random.standard_normal((subjects, elements), dtype=np.float32)
    index = pd.DataFrame(
        {
            "dataset": "drawn",
            "subject": [f"sub-{number:05d}" for number in range(subjects)],
            "session": None,
            "scan": [f"sub-{number:05d}" for number in range(subjects)],
            "split": random.choice(["train", "validation", "test"], subjects, p=[0.7, 0.1, 0.2]),
            "age_years": 60 + 10 * factors[:, 3] + random.normal(0, 3, subjects),
            "diagnosis": np.where(factors[:, 5] + random.normal(size=subjects) > 0, "a", "b"),
            "sex": np.where(factors[:, 9] > 0, "F", "M"),
        }
    )
    volumes = pd.DataFrame(random.normal(size=(subjects, STRUCTURES)))
    return latents[:, None, None, None], index, volumes.add_prefix("structure ")


def measure(estimator: str, subjects: int, elements: int) -> None:
    """Evaluate one task and print what it took."""
    kind = "regression" if estimator in ("ridge", "svr") else "classification"
    target = "age_years" if kind == "regression" else "diagnosis"
    task = TaskSettings(
        name="task", target=target, kind=kind, estimators=[estimator], covariates=["sex"]
    )
    with threadpool_limits(1):
        cohort = draw(subjects, elements)
        before = time.process_time()
        result = evaluate_task(*cohort[:2], task, AnalysisSettings(), 0, cohort[2])
        seconds = time.process_time() - before
    memory_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    main = result.metrics[result.metrics["autoencoder_split"] == "all"].iloc[0]
    found = f"{main['metric']} {main['value']:.3f}"
    print(f"{estimator}\t{seconds:.0f} CPU s\t{memory_gb:.1f} GB\t{found}", flush=True)


def main() -> None:
    """Print a row per estimator."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=1700)
    parser.add_argument("--elements", type=int, default=38400)
    names = ["logistic", "linear_svm", "rbf_svm", "random_forest", "knn", "mlp", "ridge", "svr"]
    parser.add_argument("--estimators", nargs="+", default=names)
    arguments = parser.parse_args()
    fresh = multiprocessing.get_context("spawn")
    for estimator in arguments.estimators:
        size = (arguments.subjects, arguments.elements)
        process = fresh.Process(target=measure, args=(estimator, *size))
        process.start()
        process.join()


if __name__ == "__main__":
    main()
