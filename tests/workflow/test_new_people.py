"""Someone new joins a finished cohort: their own jobs, and what is made of everyone."""

import re
import shutil

import pytest

from tests.integration.cohorts import CLINIC, add_person

DATE = re.compile(r"^\[\w{3} \w{3} +\d+ [\d:]+ \d{4}\]$", flags=re.MULTILINE)
RULE = re.compile(r"^ *(?:local)?(?:rule|checkpoint) (\w+):$", flags=re.MULTILINE)
WILDCARDS = re.compile(r"^ *wildcards: (.*)$", flags=re.MULTILINE)
NEW = "sub-new"


def planned_jobs(output):
    """Rule and wildcards of every job that a dry run would run."""
    jobs = []
    for text in DATE.split(output)[1:]:
        if rule := RULE.search(text):
            found = WILDCARDS.search(text)
            pairs = found[1].split(", ") if found else []
            jobs.append((rule[1], dict(pair.split("=", 1) for pair in pairs)))
    return jobs


@pytest.fixture
def joined(snakemake, finished_run):
    """Plan of the finished run after someone new was preprocessed; they leave again after it."""
    arguments = ("--cores", 2, "--configfile", finished_run.config)
    clinic = finished_run.folder / CLINIC
    add_person(clinic, NEW)
    try:
        snakemake(finished_run.folder, "preprocess", *arguments)
        yield planned_jobs(snakemake(finished_run.folder, "-n", *arguments).stdout)
    finally:
        shutil.rmtree(clinic / NEW)
        snakemake(finished_run.folder, "preprocess", *arguments)
        shutil.rmtree(finished_run.results / f"preprocess/clinic/{NEW}", ignore_errors=True)
        again = snakemake(finished_run.folder, "-n", *arguments).stdout
        assert planned_jobs(again) == []


@pytest.mark.slow
def test_a_new_person_makes_their_own_block_again(joined):
    """Images and rates of others stay, though the file of all latents and the volumes change."""
    blocks = {(job[0], job[1]["dataset"], job[1]["block"]) for job in joined if "block" in job[1]}
    again = {
        *("encode_scans", "reconstruct_scans", "judge_mean_image", "segment_decoded"),
        "compare_regions",
    }
    assert blocks == {(rule, "clinic", "block-0") for rule in again}
    assert {job[1]["subject"] for job in joined if "subject" in job[1]} == {NEW}
    rules = {job[0] for job in joined}
    assert {"gather_latents", "segment_real", "reduce_latents", "collect_volumes"} <= rules
    kept = {
        *("mask_brain", "train_autoencoder", "fit_rates", "forecast_scans"),
        *("interpolate_scans", "simulate_dataset"),
    }
    assert rules & kept == set()
