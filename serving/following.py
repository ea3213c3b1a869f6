"""The champion in, without a restart: the new models beside the old ones, tried, then swapped.

New scores as well: a customer's former tier is that of the newest batch, and of no erased customer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import anyio

from features.errors import Unavailable
from features.workspace import Workspace
from serving.former import Former
from serving.loaded import Loaded
from training import champion

log = logging.getLogger(__name__)

SECONDS_BETWEEN_LOOKS = 10.0  # at which models are the champion


class Following:
    """What answers now, and whether the newest champion could take its place.

    loaded: what answers. refused: the sentence of the newest champion that could not; None when
    the last look found nothing wrong. note: told of every swap, `taken` or `refused`.
    """

    def __init__(self, space: Workspace, note: Callable[[str], None]) -> None:
        self._space, self._note = space, note
        self.loaded = Loaded.from_workspace(space)
        self.refused: str | None = None

    async def follow(self) -> None:
        """Look again and again; calls under way end with the models they began with."""
        while True:
            await anyio.sleep(SECONDS_BETWEEN_LOOKS)
            await self.look()

    async def look(self) -> None:
        """Take over another champion; one that is broken never replaces one that works."""
        try:
            await anyio.to_thread.run_sync(self._renew_former)
            if self._is_current():
                self.refused = None
                return
            self.loaded = await anyio.to_thread.run_sync(self._next)
        except Exception as error:  # whatever is wrong with it, the former one goes on
            if self.refused != str(error):
                log.error("the new champion is not taken, the former goes on: %s", error)
                self._note("refused")
            self.refused = str(error)
            return
        self.refused = None
        self._note("taken")
        log.info("the champion is now %s", self.loaded.models.versions)

    def _renew_former(self) -> None:
        """The tiers of the newest scores, where a batch or an erasure has changed those."""
        if not self.loaded.former.is_current(self._space):
            self.loaded = replace(self.loaded, former=Former.newest(self._space))

    def _next(self) -> Loaded:
        """The new champion with its store open, so that the first call need not wait for it."""
        loaded = Loaded.from_workspace(self._space)
        if lack := loaded.lacks():
            raise Unavailable(f"The new champion cannot answer yet: {lack}.")
        loaded.prepare()
        return loaded

    def _is_current(self) -> bool:
        promoted = champion.versions(self._space)
        labels = {name: f"{name}@{version}" for name, version in promoted.items()}
        return labels == self.loaded.models.versions
