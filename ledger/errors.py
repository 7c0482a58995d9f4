"""Mistakes of the calling code, not of a user: none of these reaches a door in a correct build."""


class LedgerError(Exception):
    """The ledger refuses to record something as it was asked to."""

    code = "ledger_error"


class UnknownEvent(LedgerError):
    """The event was not registered, so nobody could look up what it means."""

    code = "unknown_event"


class OutsideTransaction(LedgerError):
    """An entry must commit together with the change it records."""

    code = "outside_transaction"


class BrokenHead(LedgerError):
    """The head row does not fit the entries; nothing may be appended until that is understood."""

    code = "broken_head"


class NothingToExport(LedgerError):
    """The ledger has no entry."""

    code = "nothing_to_export"
