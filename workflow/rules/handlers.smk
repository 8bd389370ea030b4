"""What happens before the first job of a run, and after the last."""

from brainlapse import ownership
from brainlapse.cohort.people.targets import warn_of_missing_columns
from brainlapse.configuration.judges import shared_judges

GIVEN = {Path(path).resolve() for path in workflow.config_settings.configfiles}


onstart:
    check_records()
    if not looks_only(workflow.dag):
        if Path(OUT, "config.yaml").resolve() not in GIVEN:
            # a person's file keeps its remarks
            runtime.write_yaml(f"{OUT}/config.yaml", config)
        warn_of_missing_columns(config["tasks"], config["datasets"])
        for sentence in shared_judges(config):
            runtime.log.warning(sentence)


onerror:
    if not looks_only(workflow.dag):
        print(f"What is done so far: python -m brainlapse.figures.page {OUT}")


onsuccess:
    if not looks_only(workflow.dag):
        ownership.remove_finished(OUT)
        ownership.sweep(OUT)
        if Path(OUT, "report", "index.html").exists():
            print(f"Open {OUT}/report/index.html")
