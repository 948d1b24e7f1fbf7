"""The guide to metrics, the example alerts and what is really exposed name the same things."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.database import database, migrated_database
from tidegate.config import PREFIX, Settings
from tidegate.reads.metrics import exposition

__all__ = ["database", "migrated_database"]

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "guide" / "observe.md").read_text(encoding="utf-8")
ALERTS: list[dict[str, Any]] = yaml.safe_load((DOCS / "alerts.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]


def exposed() -> dict[str, str]:
    """The names that a query may use, and their kinds; of families without a sample too."""
    suffix = {"counter": "_total", "info": "_info"}
    families = text_string_to_metric_families(exposition()[0].decode())
    return {f"{family.name}{suffix.get(family.type, '')}": family.type for family in families}


def test_the_guide_lists_every_metric_and_no_other(database: object):
    rows = re.findall(r"^\| `(tidegate_\w+)` \|", GUIDE, re.MULTILINE)

    assert len(rows) == len(set(rows))
    assert set(rows) == set(exposed())


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert["alert"])
def test_an_alert_asks_for_metrics_that_exist_and_says_what_to_do(database: object, alert: dict[str, Any]):
    asked = re.findall(r"tidegate_\w+", alert["expr"])

    assert asked
    assert set(asked) <= set(exposed())
    assert alert.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert alert["annotations"].keys() == {"summary", "next_step"}
    assert alert["expr"].count("(") == alert["expr"].count(")")
    assert re.fullmatch(r"\d+[smhd]", alert.get("for", "1m"))
    assert alert["labels"]["severity"] in ("critical", "warning", "info")


def test_alerts_ask_for_labels_that_metrics_have(database: object):
    """A query that groups by a label nobody sets is never true."""
    labels = {
        name: {word.strip() for word in words.split(",")}
        for name, words in re.findall(r"^\| `(tidegate_\w+)` \|([^|]*)\|", GUIDE, re.MULTILINE)
    }
    for alert in ALERTS:
        has = set[str]().union(*(labels[name] for name in re.findall(r"tidegate_\w+", alert["expr"])))
        used = {word.strip() for group in re.findall(r"by \(([^)]*)\)", alert["expr"]) for word in group.split(",")}
        used |= set(re.findall(r"{(\w+)=", alert["expr"]))
        used |= set(re.findall(r"\$labels\.(\w+)", str(alert["annotations"])))
        assert used <= has, alert["alert"]


def test_what_is_kept_stands_there_with_its_days():
    guide = (DOCS / "guide" / "provenance.md").read_text(encoding="utf-8")
    told = dict(re.findall(r"^\| `TIDEGATE_(KEEP_\w+_DAYS)` \| (\d+) \|", guide, re.MULTILINE))

    fields = {name.upper(): str(field.default) for name, field in Settings.model_fields.items() if "keep_" in name}
    assert told == fields
    assert PREFIX == "TIDEGATE_"
