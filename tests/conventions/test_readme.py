"""The first page a visitor reads names every manual, and counts what there is."""

import re
from pathlib import Path

from alerts.rule_file import shipped_rules
from device_profiles.catalogue import Catalogue

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COUNTED = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine"}


def test_it_links_every_manual_and_no_other() -> None:
    linked = set(re.findall(r"\]\(docs/([\w.-]+\.md)\)", README))
    assert linked == {path.name for path in (ROOT / "docs").glob("*.md")}


def test_it_counts_devices_and_rules_as_they_are() -> None:
    rules = shipped_rules()
    on = sum(rule.enabled for rule in rules)
    assert f"It knows {len(Catalogue.shipped())} devices" in README
    assert f"{len(rules)} rules, {COUNTED.get(on, on)} of them on" in README
