"""What a step learns from: scans held ready, batches of them, random changes."""
