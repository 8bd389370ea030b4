"""The page on which one slides the age of a person's brain: NiiVue, embedded volumes, curves."""
