"""What is shown where there is no page, or where one broke."""

from __future__ import annotations

import sys

from django.db import Error as DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """There is no page of that address; which one was asked for is not repeated."""
    return render(request, "not_found.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """A page met something it was not made for, and the log says what; or the database does not answer just now."""
    if isinstance(sys.exc_info()[1], DatabaseError):
        return render(request, "status/no_database.html", status=503)
    return render(request, "broken.html", status=500)


def forged(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form that did not come from one of our pages, or from one that was opened long ago."""
    return render(request, "forged.html", status=403)
