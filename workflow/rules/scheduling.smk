"""How often Snakemake looks for jobs to start.

After every look Snakemake starts a timer for the next one, and every finished job is a reason to
look: after N jobs, N timers start each other again each second, and every look goes over all jobs
that are ready. One waiting timer does the same.
"""

import threading

from snakemake.scheduling.job_scheduler import JobScheduler

WAITING = threading.Lock()


def look_again(self, delay_s):
    """Let the scheduler look again after a while, unless it is going to anyway."""
    if not WAITING.acquire(blocking=False):
        return

    def look():
        WAITING.release()
        self._open_jobs.release()

    timer = threading.Timer(delay_s, look)
    timer.daemon = True  # nothing waits for it at the end
    timer.start()


JobScheduler._schedule_reevalutation = look_again
