"""The segmenter that comes along, behind the command line of SynthSeg."""
