"""Start the HTTP service in the environment it needs."""

from __future__ import annotations

import ipaddress
import os
import sys
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from features.errors import UserError
from features.workspace import Workspace
from serving.keys import Keys, refuse_open_to_network
from training import champion

_ROOT = Path(__file__).resolve().parents[1]  # the folder that holds the package `serving`
# The importing of feast names folders of this process; BentoML must name its own.
_NOT_INHERITED = ("PROMETHEUS_MULTIPROC_DIR", "PROMETHEUS_MULTIPROCESS_DIR")


def serve(
    workspace: Workspace,
    host: str = "127.0.0.1",
    port: int = 3000,
    now: datetime | None = None,
    workers: int = 1,
) -> NoReturn:
    """Become the service of a workspace, until it is stopped; does not return.

    This process is replaced, so that whoever stops it stops the service. host: the address to
    listen on; the default is reached from this machine only. now: the moment to stand at, naive
    UTC; default: the clock. workers: processes that answer, one for each core is plenty.
    Raises UserError when the workspace has no champion, the host is no IP address, or it is reached
    from elsewhere and there are no API keys.
    """
    champion.versions(workspace)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise UserError(
            f"The service was to listen on {host!r}, which is no IP address. "
            "Use 127.0.0.1 for this machine only, or 0.0.0.0 for the network."
        ) from None
    refuse_open_to_network(host, Keys.from_environment(workspace))
    sys.stdout.flush()
    os.execve(sys.executable, command(host, port), environment(workspace, port, now, workers))


def command(host: str, port: int) -> list[str]:
    """The command line that starts BentoML."""
    return [
        sys.executable, "-m", "bentoml", "serve", "serving.service:Holdfast",
        "--working-dir", str(_ROOT), "--host", host, "--port", str(port),
    ]  # fmt: skip


def environment(
    workspace: Workspace, port: int, now: datetime | None, workers: int = 1
) -> dict[str, str]:
    """The environment of the service; telemetry is off because `features` has set it so here."""
    inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
    root = workspace.root.absolute()
    return inherited | {
        "HOLDFAST_HOME": str(root),
        # One per port: a service that starts wipes the metrics of all others in its BENTOML_HOME.
        "BENTOML_HOME": str(root / "bentoml" / str(port)),
        "HOLDFAST_WORKERS": str(workers),
        "OMP_NUM_THREADS": "1",  # a worker scales by more workers, not by threads
        **({"HOLDFAST_NOW": now.isoformat()} if now else {}),
    }
