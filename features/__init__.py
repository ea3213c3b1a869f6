"""Events -> what is known about a customer at a moment.

This room is imported before any vendor, so the switches that must be set before a vendor's import
stand here: nothing leaves the machine, and threads wait without spinning.
"""

import os

# Each library reads its own spelling; "1" does not switch off MLflow's or BentoML's telemetry.
os.environ["DO_NOT_TRACK"] = "true"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
os.environ["BENTOML_DO_NOT_TRACK"] = "True"
# Models are XGBoost .ubj and JSON; a pickled model is refused, whoever offers it.
os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "false"

# Threads that wait for each other by spinning stall on a busy machine: with one of two cores taken,
# a fit of 50 trees took 8.7 s spinning and 0.8 s sleeping. Read once, when OpenMP is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
