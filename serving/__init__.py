"""Models and features -> answers people use."""
