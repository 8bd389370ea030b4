"""The training itself: one explicit loop over small steps, its loss and its memory."""
