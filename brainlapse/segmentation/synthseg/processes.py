"""Run one process of the segmenter within its time limit and leave nothing running."""

from pathlib import Path

from brainlapse.programs import Program, ProgramFailed, run_program
from brainlapse.segmentation.errors import SegmentationFailed
from brainlapse.segmentation.settings import SegmentationSettings
from brainlapse.segmentation.synthseg.commands import (
    Job,
    build_command,
    build_environment,
    stop_command,
)


def run_process(job: Job, settings: SegmentationSettings, output_file: Path) -> None:
    """Run the segmenter on the scans of a job.

    Parameters
    ----------
    job
        Folders, threads and owner.
    settings
        Backend and time limit; the limit counts for each scan of the job.
    output_file
        Receives what the process prints.

    Raises
    ------
    SegmentationFailed
        If it cannot be started, runs past the time limit or ends with an exit code other than 0.
        No process and no container is left in any case.
    """
    program = Program(
        command=build_command(job, settings),
        folder=job.output_folder.parent,
        partial=job.output_folder,
        limit_s=settings.timeout_s * job.scans,
        environment=build_environment(settings),
        stop=stop_command(job, settings),
    )
    try:
        run_program(program, output_file)
    except ProgramFailed as error:
        raise SegmentationFailed(str(error)) from error
