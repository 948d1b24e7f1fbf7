"""Whether the vendor still names a VEP that it answered for with nothing: an empty answer alone closes nothing."""

from __future__ import annotations

from tidegate_sdk import NO_PRODUCT, Odd, Vep

from .vendor import Vendor


class Witness:
    """Asks the Tool's own question, or looks into the list of VEPs, which is read at most once an Operation."""

    def __init__(self, vendor: Vendor) -> None:
        self._vendor = vendor
        self._named: frozenset[str] | None = None

    def still_names(self, vep: Vep) -> bool:
        """True where the vendor, asked in this Operation, names the VEP. Raises ConnectorError if it cannot be asked.

        Findings without a product are witnessed by the account's own answer: the login of this Operation.
        """
        if vep.id == NO_PRODUCT:
            return True
        talk = self._vendor.tool.witness(vep)
        if talk is not None:
            return self._vendor.call(self._vendor.session.talk(talk))
        if self._named is None:
            self._named = self._vendor.call(self._names())
        return vep.id in self._named

    async def _names(self) -> frozenset[str]:
        named: set[str] = set()
        reading = self._vendor.session.read(self._vendor.tool.veps())
        async for batch in reading:
            named.update(row.id for row in batch if not isinstance(row, Odd))
        if reading.outcome.error is not None:
            raise reading.outcome.error
        return frozenset(named)
