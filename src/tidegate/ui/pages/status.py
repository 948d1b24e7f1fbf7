"""The status page: everything at one glance, until there are more pages."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tidegate.reads.service import answered_within
from tidegate.reads.status import status as read_status

SECONDS_TO_ANSWER = 5.0


def status(request: HttpRequest) -> HttpResponse:
    """What flows, what runs, what needs a person."""
    try:
        with answered_within(SECONDS_TO_ANSWER):
            found = read_status(datetime.now(UTC))
    except DatabaseError:
        return render(request, "status/no_database.html", status=503)
    return render(request, "status/page.html", {"status": found, "now": found.at})
