"""How Dependency-Track cuts its lists: numbered pages, with the total in a header that every list has."""

from dataclasses import dataclass, replace

from tidegate_sdk import Ask, PageNumber, Walk

TOTAL = "X-Total-Count"


@dataclass(frozen=True, slots=True)
class Numbered:
    """Numbered pages of so many rows. Where one page holds everything nothing can hide between two: it is *whole*."""

    per: int

    def walk(self, first: Ask) -> Walk:
        """Asks page after page until as many rows came as the header declares."""
        pages = PageNumber(TOTAL, page="pageNumber", size="pageSize", per=self.per, in_headers=True)
        proof = yield from pages.walk(first)
        return replace(proof, kind="whole") if proof.pages == 1 else proof
