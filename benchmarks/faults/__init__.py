"""A campaign of faults: what is planted, how the run is judged, what comes out."""
