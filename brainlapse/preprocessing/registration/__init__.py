"""From a brain to the template: where it starts, the levels, how well it lies."""
