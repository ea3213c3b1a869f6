"""API keys: who may ask the service, and for what.

A file keeps the SHA-256 digest of each key, never the key: {"name": {"role": ..., "sha256": ...}}.
A plain digest is right here, where a password would need a slow one: a key is 256 random bits,
which nobody finds by trying. The file is the one that HOLDFAST_API_KEYS_FILE names, by default
`keys.json` in the workspace; HOLDFAST_API_KEYS may hold keys too, as name:role:key,name:role:key.
"""

from __future__ import annotations

import fcntl
import hashlib
import hmac
import ipaddress
import json
import logging
import os
import re
import secrets
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from features.errors import UserError
from features.workspace import Workspace

log = logging.getLogger(__name__)

ADMIN = "admin"  # may do everything, erase a customer included
SCORER = "scorer"  # may ask for scores and profiles
WRITER = "writer"  # may hand in events
ROLES = (SCORER, WRITER, ADMIN)

KEY_BYTES = 32  # of randomness: 256 bits
SHORTEST_KEY = 32  # characters; 128 bits in hexadecimal, for keys that another program has made
SECONDS_BETWEEN_LOOKS = 1.0  # at whether the file has changed
_PREFIX = "holdfast_"  # by which a key that has strayed into a repository is recognized
_NAME = re.compile(r"[\w.-]{1,100}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Holder:
    """One who holds a key: a name, a role, and the SHA-256 digest of the key."""

    name: str
    role: str
    digest: bytes


class Keys:
    """The holders of a file and of a variable together; a changed file is read again by itself.

    Once there has been a key the service stays closed: a file that vanishes lets nobody in.
    Raises UserError when the file or the variable cannot be read.
    """

    def __init__(self, file: Path, variable: str = "") -> None:
        self._file = file
        self._fixed = _of_variable(variable)
        self._seen = _identity(file)
        self._holders = _together(_of_file(file), self._fixed)
        self._open = self._seen is None and not self._fixed
        self._next_look = time.monotonic() + SECONDS_BETWEEN_LOOKS

    @classmethod
    def from_environment(cls, workspace: Workspace) -> Keys:
        """The keys that the environment names, or the workspace has.

        Raises UserError when HOLDFAST_API_KEYS_FILE names a file that is not there, and there are
        no other keys: a container says so that it is to have some.
        """
        named = os.environ.get("HOLDFAST_API_KEYS_FILE")
        variable = os.environ.get("HOLDFAST_API_KEYS", "")
        if named and not variable and not Path(named).is_file():
            raise UserError(
                f"HOLDFAST_API_KEYS_FILE names {named}, which does not exist, and there are no "
                "other keys. Make a key, which makes the file, or unset the variable."
            )
        return cls(default_file(workspace), variable)

    def are_none(self) -> bool:
        """Whether there has never been a key, so that everybody may ask for everything."""
        self._look()
        return self._open

    def holder(self, key: str) -> Holder | None:
        """Who holds this key; None when nobody does. Takes as long for a wrong key as for any."""
        self._look()
        digest, found = _digest(key), None
        for one in self._holders:  # all of them: the time tells nothing of where a key stands
            if hmac.compare_digest(one.digest, digest):
                found = one
        return found

    def _look(self) -> None:
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + SECONDS_BETWEEN_LOOKS
        identity = _identity(self._file)
        if identity == self._seen:
            return
        self._seen, self._open = identity, False
        try:
            self._holders = _together(_of_file(self._file), self._fixed)
            log.info("API keys were read again: %d holders", len(self._holders))
        except UserError as error:  # a slip of the hand must neither open nor close the service
            log.error("%s Until then the former keys go on.", error)


def default_file(workspace: Workspace) -> Path:
    """Where the keys of a workspace stand: what HOLDFAST_API_KEYS_FILE names, or `keys.json`."""
    return Path(os.environ.get("HOLDFAST_API_KEYS_FILE") or workspace.root / "keys.json")


def make(file: Path, name: str, role: str) -> str:
    """A new key, added to a file; it is returned once and kept nowhere.

    Raises UserError for a name that has a key already or cannot be one, and for an unknown role.
    """
    _check(f"The key of {name!r}", name, role)
    key = _PREFIX + secrets.token_urlsafe(KEY_BYTES)
    with _changing(file) as holders:
        if name in holders:
            raise UserError(
                f"{name} has a key in {file} already, and a lost one cannot be shown again. "
                "Revoke it first, or choose another name."
            )
        holders[name] = Holder(name, role, _digest(key))
    return key


def revoke(file: Path, name: str) -> None:
    """Remove the key of a holder from a file.

    Raises UserError when the file has none of that name.
    """
    with _changing(file) as holders:
        if name not in holders:
            raise UserError(
                f"{name} was to lose its key, but {file} has none of that name. "
                f"It has: {', '.join(holders) or 'nobody'}."
            )
        del holders[name]


def refuse_open_to_network(host: str, keys: Keys) -> None:
    """Allow a service without keys on this machine only.

    host: the IP address to listen on.
    Raises UserError when it is reached from elsewhere and there are no keys.
    """
    if keys.are_none() and not ipaddress.ip_address(host).is_loopback:
        raise UserError(
            f"The service was to listen on {host}, where others reach it, and has no API keys. "
            "Make one first, or listen on 127.0.0.1."
        )


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _check(whose: str, name: object, role: object) -> None:
    if not (isinstance(name, str) and _NAME.fullmatch(name)):
        raise UserError(
            f"{whose} cannot be kept: a name is 1 to 100 letters, digits, dots, dashes or "
            "underscores. Choose such a name."
        )
    if role not in ROLES:
        raise UserError(f"{whose} has the role {role!r}. Use one of {', '.join(ROLES)}.")


def _of_variable(text: str) -> dict[str, Holder]:
    """The holders of HOLDFAST_API_KEYS; its errors say which entry, and never show a key."""
    found: dict[str, Holder] = {}
    for position, entry in enumerate((part.strip() for part in text.split(",")), start=1):
        if not entry:
            continue
        whose = f"Entry {position} of HOLDFAST_API_KEYS"
        name, role, key = [*entry.split(":", 2), "", ""][:3]
        if len(key) < SHORTEST_KEY:
            raise UserError(
                f"{whose} cannot be used: an entry is name:role:key, with a key of at least "
                f"{SHORTEST_KEY} characters. Write it so, with a key made at random."
            )
        _check(whose, name, role)
        if name in found:
            raise UserError(f"{whose} names {name} again. Give each key a name of its own.")
        found[name] = Holder(name, role, _digest(key))
    return found


def _of_file(file: Path) -> dict[str, Holder]:
    """The holders of a file; nobody when it is not there."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        entries = {name: (entry["role"], entry["sha256"]) for name, entry in content.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(
            f"The API keys in {file} cannot be read ({type(error).__name__}). "
            "Restore the file, or remove it and make new keys."
        ) from None
    for name, (role, digest) in entries.items():
        _check(f"The key of {name!r} in {file}", name, role)
        if not (isinstance(digest, str) and _DIGEST.fullmatch(digest)):
            raise UserError(
                f"The key of {name!r} in {file} is no SHA-256 digest of 64 hexadecimal digits. "
                "Revoke it and make a new one."
            )
    return {name: Holder(name, role, bytes.fromhex(sha)) for name, (role, sha) in entries.items()}


def _together(of_file: Mapping[str, Holder], fixed: Mapping[str, Holder]) -> tuple[Holder, ...]:
    twice = sorted(set(of_file) & set(fixed))
    if twice:
        raise UserError(
            f"{twice[0]} has a key in the file and one in HOLDFAST_API_KEYS. "
            "Give each key a name of its own."
        )
    return (*of_file.values(), *fixed.values())


def _identity(file: Path) -> tuple[int, int, int] | None:
    """What changes when a file is written or replaced; None when there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


@contextmanager
def _changing(file: Path) -> Iterator[dict[str, Holder]]:
    """The holders of a file, to be changed; they take the file's place whole when the block ends.

    Two who change it at once wait for each other: a lock is held on the folder.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        holders = _of_file(file)
        yield holders
        _replace(file, holders)
        os.fsync(folder)
    finally:
        os.close(folder)


def _replace(file: Path, holders: Mapping[str, Holder]) -> None:
    content = {one.name: {"role": one.role, "sha256": one.digest.hex()} for one in holders.values()}
    # Such a file is made with mode 600: its owner alone reads and writes it.
    descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            json.dump(content, stream, indent=2)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(file)
    finally:
        Path(temporary).unlink(missing_ok=True)
