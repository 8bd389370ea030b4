"""The results as BIDS derivatives: names, links, sidecars, tables that load as they are."""
