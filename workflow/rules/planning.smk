"""What planning costs: work that Snakemake would do again for each of very many jobs.

Nothing here changes a plan: it is the garbage collector's rhythm, and answers that are kept because
the same question always has the same one. docs/adr/0008-planning.md.
"""

import functools
import gc

from snakemake import common as engine_common
from snakemake import rules as engine_rules
from snakemake import script as engine_scripts
from snakemake.output_index import OutputIndex

KEPT = 100_000  # files whose rules are remembered
SOURCES = {}

find_source = engine_scripts.get_source

# A plan is millions of objects that stay. By default Python goes through the new ones after every
# 700 and through all of them again and again.
gc.set_threshold(100_000, 20, 20)


@functools.wraps(find_source)
def find_source_once(path, sourcecache, basedir=None, *values, **named):
    """Look for a script once, not once per job: no path of a script has wildcards."""
    key = sourcecache.runtime_cache_path, str(path), str(basedir)
    if key not in SOURCES:
        SOURCES[key] = find_source(path, sourcecache, basedir, *values, **named)
    return SOURCES[key]


engine_scripts.get_source = find_source_once
OutputIndex.match_producers = functools.lru_cache(KEPT)(OutputIndex.match_producers)
engine_common.get_function_params = functools.lru_cache(1000)(
    engine_common.get_function_params
)
engine_rules.get_function_params = engine_common.get_function_params
