"""Makes a device profile of what a vendor or a network's community publishes."""

from __future__ import annotations

from gruenpuls.jobs.profile_import.proposal import Proposal, proposal
from gruenpuls.jobs.profile_import.survey import Survey, survey

__all__ = ["Proposal", "Survey", "proposal", "survey"]
