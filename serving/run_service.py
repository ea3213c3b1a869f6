"""Start the HTTP service in the environment it needs."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
import sys
from datetime import datetime
from pathlib import Path
from typing import NoReturn

from features.errors import UserError
from features.moment import is_earlier
from features.store_settings import settings
from features.workspace import Workspace
from serving import standing
from serving.kept_answers import days_kept
from serving.keys import Keys, refuse_open_to_network
from serving.rate_limit import rate_from_environment
from training import champion

_ROOT = Path(__file__).resolve().parents[1]  # the folder that holds the package `serving`
# The importing of feast names folders of this process; BentoML must name its own.
_NOT_INHERITED = ("PROMETHEUS_MULTIPROC_DIR", "PROMETHEUS_MULTIPROCESS_DIR")

# Why a port cannot be listened on, and what to do, by the code of the system.
_NOT_HAD = {
    errno.EADDRINUSE: "something listens there already. Choose another --port, or end the other.",
    errno.EACCES: "only an administrator may. Choose a --port from 1024 on.",
    errno.EADDRNOTAVAIL: "this machine has no such address. Choose another --host.",
}


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
    Raises UserError when the workspace has no champion, the host is no IP address, is reached
    from elsewhere and there are no API keys, or cannot be listened on at this port; and for a
    setting of the environment that cannot be read, and a moment before that of the online store.
    """
    champion.versions(workspace)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise UserError(
            f"The service was to listen on {host!r}, which is no IP address. "
            "Use 127.0.0.1 for this machine only, or 0.0.0.0 for the network."
        ) from None
    _read_settings(workspace)
    refuse_open_to_network(host, Keys.from_environment(workspace))
    if now := now or standing.chosen():
        _refuse_later_features(workspace, now)
    _refuse_taken(host, port)
    sys.stdout.flush()
    os.execve(sys.executable, command(host, port), environment(workspace, port, now, workers))


def _read_settings(workspace: Workspace) -> None:
    """Read what each worker will read: one that cannot, is started again and again."""
    rate_from_environment()
    days_kept()
    settings(workspace)


def _refuse_later_features(workspace: Workspace, now: datetime) -> None:
    """Raise UserError when the online store was loaded for a later moment than the chosen one."""
    from features.store import FeatureStore  # takes seconds; only who chose a moment needs it

    newest = FeatureStore(workspace).newest_online()
    if newest and is_earlier(now, newest):
        raise UserError(
            f"The service was to stand at {now:%Y-%m-%d %H:%M}, and the online store knows what "
            f"had happened by {newest:%Y-%m-%d %H:%M}. Leave --as-of out, or give it that moment "
            f"or a later one; for scores of an earlier one: holdfast score --as-of {now:%Y-%m-%d}."
        )


def _refuse_taken(host: str, port: int) -> None:
    """Raise UserError when nobody can listen on this port now."""
    family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
    try:
        with socket.socket(family) as tried:
            # As BentoML does it: connections that have just ended are no hindrance.
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind((host, port))
    except OSError as error:
        other = f"{error.strerror}. Choose another --host or --port."
        why = _NOT_HAD.get(error.errno or 0, other)
        raise UserError(f"The service was to listen on port {port} of {host}, but {why}") from None


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
        **({standing.VARIABLE: now.isoformat()} if now else {}),
    }
