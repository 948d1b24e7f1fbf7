"""Routes: is everything flowing?"""

from __future__ import annotations

from datetime import UTC, datetime

from tidegate.api.route import Routes
from tidegate.reads import service as services
from tidegate.reads import status as reads

routes = Routes("health")


@routes.read("/status", reads.status, answers=reads.Status)
def status() -> reads.Status:
    return reads.status(datetime.now(UTC))


@routes.read("/service", services.service, answers=services.Service)
def service() -> services.Service:
    return services.service()
