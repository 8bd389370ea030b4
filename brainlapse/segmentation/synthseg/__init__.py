"""FreeSurfer's SynthSeg: its command, its runs, the gates that its results pass."""
