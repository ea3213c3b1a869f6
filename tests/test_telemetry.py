"""Nothing leaves the machine: each library's own word that it does not phone home."""

import subprocess
import sys

ASK = {
    "mlflow": (
        "import training.registry\n"
        "from mlflow.telemetry.utils import is_telemetry_disabled\n"
        "assert is_telemetry_disabled()"
    ),
    "bentoml": (
        "import serving.service\n"
        "from bentoml._internal.utils.analytics.usage_stats import do_not_track\n"
        "assert do_not_track()"
    ),
}
# Both libraries are silent under CI and pytest anyway, which would hide a mistake.
HIDES = ("CI", "PYTEST_CURRENT_TEST", "PYTEST_VERSION", "PYTEST_XDIST_WORKER", "DO_NOT_TRACK",
         "MLFLOW_DISABLE_TELEMETRY", "BENTOML_DO_NOT_TRACK")  # fmt: skip


def test_libraries_say_they_do_not_report(monkeypatch):
    for name in HIDES:
        monkeypatch.delenv(name, raising=False)
    for code in ASK.values():
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
