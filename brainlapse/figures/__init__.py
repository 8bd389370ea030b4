"""Pictures, figures and the page that shows a run to a person."""
