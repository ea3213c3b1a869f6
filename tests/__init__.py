"""The tests; packages, so that two rooms may have files of one name."""
