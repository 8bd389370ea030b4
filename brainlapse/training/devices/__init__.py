"""Where a training runs: devices, processes, nodes, and how they are started."""
