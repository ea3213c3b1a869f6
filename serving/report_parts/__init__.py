"""The parts of the report; `serving.report` puts them in order."""
