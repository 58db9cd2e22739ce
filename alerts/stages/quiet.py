"""Quiet hours: what is no alarm waits until they are over."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from alerts.policy import Policy
from alerts.stages.case import Dropped, Errand, Reason, Sifted


def awake(errands: Sequence[Errand], policy: Policy, now: datetime, zone: tzinfo) -> Sifted[Errand]:
    """Return the errands that may disturb now: alarms, their all-clears, and whatever goes to machines."""
    until = policy.quiet_hours.until(now, zone) if policy.quiet_hours else None
    if until is None:
        return Sifted(errands)

    def may(errand: Errand) -> bool:
        receiver = policy.receivers.get(errand.receiver)
        return errand.case.alarm or (receiver is not None and receiver.always)

    return Sifted(
        [errand for errand in errands if may(errand)],
        [
            Dropped(errand.case, errand.receiver, Reason.QUIET_HOURS, until=until)
            for errand in errands
            if not may(errand)
        ],
    )
