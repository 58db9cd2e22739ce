"""The live connection of an open page: the replay clock each second, and word of what changed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Final

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from gruenpuls.console.sources import Sources
from gruenpuls.console.watch import Sighting, Watch
from gruenpuls.language.speech import LANGUAGES, Speech

_BEAT: Final = 1.0


def events_router(sources: Sources, watch: Watch) -> APIRouter:
    """Return the route of the live connection (Server-Sent Events)."""
    router = APIRouter()
    speeches = [Speech(code, sources.settings.zone) for code in LANGUAGES]

    @router.get("/events")
    async def events() -> StreamingResponse:
        return StreamingResponse(
            live_messages(sources, watch, speeches),
            media_type="text/event-stream",
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )

    return router


async def live_messages(sources: Sources, watch: Watch, speeches: list[Speech]) -> AsyncIterator[str]:
    """Yield what an open page is told, until the watch is stopped."""
    clock = ""
    before: Sighting | None = None
    while True:
        present = sources.present()
        if present.replay is not None:
            told = {speech.code: speech.moment(present.now) for speech in speeches}
            text = json.dumps({**told, "name": present.replay.name, "share": round(present.share, 4)})
            if text != clock:
                clock = text
                yield _message("clock", text)
        seen = await watch.sighting()
        if before is not None and seen is not before and seen.differs(before):
            yield _message("statuses", json.dumps(changed_statuses(before, seen)))
        elif before is None:
            yield ": here\n\n"
        before = seen
        if await watch.stopped_within(_BEAT):
            return


def changed_statuses(before: Sighting, now: Sighting) -> dict[str, str] | None:
    """Return the statuses that changed; None if there are other sites than before."""
    old, new = before.statuses, now.statuses
    if old.keys() != new.keys():
        return None
    return {key: status for key, status in new.items() if status != old[key]}


def _message(event: str, data: str) -> str:
    return f"event: {event}\ndata: {data}\n\n"
