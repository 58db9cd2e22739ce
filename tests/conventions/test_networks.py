"""The manuals count and name the networks whose messages are understood."""

import re
from pathlib import Path

from ingest.envelopes.recognise import _NETWORKS

ROOT = Path(__file__).parents[2]
COUNTED = {9: "nine", 10: "ten", 11: "eleven", 12: "twelve", 13: "thirteen", 14: "fourteen"}
FORMS = {name for name, _ in _NETWORKS.values()} - {"plain JSON"}
NETWORKS = {re.sub(r" v\d$|, \w+$", "", form) for form in FORMS}


def text(*path: str) -> str:
    return " ".join(ROOT.joinpath(*path).read_text(encoding="utf-8").split())


def test_everybody_counts_them_alike() -> None:
    networks = f"{COUNTED[len(NETWORKS)]} networks"
    assert f"Envelopes of {networks} and plain JSON" in text("CHANGELOG.md")
    forms = COUNTED[len(FORMS)].capitalize()
    assert f"{forms} forms of {networks}, and plain JSON, are told apart" in text("docs", "architecture.md")


def test_the_operators_guide_names_each_that_may_post() -> None:
    webhooks = text("docs", "operating.md").partition("## Webhooks ")[2].partition(" ## ")[0]
    assert {network for network in NETWORKS if network not in webhooks} == set()
