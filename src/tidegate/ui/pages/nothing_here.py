"""What is shown where there is no page, or where one broke."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """There is no page of that address; which one was asked for is not repeated."""
    return render(request, "not_found.html", status=404)


def broken(request: HttpRequest) -> HttpResponse:
    """A page met something it was not made for; the log says what."""
    return render(request, "broken.html", status=500)
