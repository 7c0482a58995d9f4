"""The append-only log and its signed checkpoints."""

import json
from typing import Any

from django.db import models
from django.utils import timezone

from ledger import registry

NAME_LENGTH = 200


class LedgerEntry(models.Model):
    """One recorded act; `body` is the canonical JSON that was hashed, stored as it is.

    The other columns repeat the body so that the database can search them; `verify` compares them.
    The body holds only a salted reference to the actor's name, so that erasing name and salt (the
    one change that the triggers let through) leaves every proof valid.
    """

    seq = models.PositiveBigIntegerField(unique=True)
    recorded_at = models.DateTimeField()
    event = models.CharField(max_length=60)
    actor = models.CharField(max_length=100)
    actor_name = models.CharField(max_length=NAME_LENGTH, blank=True)
    actor_salt = models.BinaryField(max_length=16)
    method = models.CharField(max_length=20)
    subject = models.CharField(max_length=200)
    body = models.BinaryField()
    leaf_hash = models.BinaryField(max_length=32)
    previous_hash = models.BinaryField(max_length=32)
    entry_hash = models.BinaryField(max_length=32)

    class Meta:
        ordering = ["seq"]
        verbose_name_plural = "ledger entries"
        indexes = [
            models.Index(fields=["subject", "seq"]),
            models.Index(fields=["event", "seq"]),
            models.Index(fields=["actor", "seq"]),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.event} {self.subject}"

    @property
    def title(self) -> str:
        """Return what people call this event."""
        return registry.title(self.event)

    @property
    def document(self) -> dict[str, Any]:
        """Return the hashed body as an object; empty if someone made it unreadable."""
        try:
            document = json.loads(bytes(self.body))
        except ValueError:
            return {}
        return document if isinstance(document, dict) else {}

    @property
    def data(self) -> dict[str, Any]:
        """Return what the command recorded with the event."""
        data = self.document.get("data", {})
        return data if isinstance(data, dict) else {}


class LedgerHead(models.Model):
    """The one row that sequences appends: size, last hash and the compact Merkle range."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    size = models.PositiveBigIntegerField(default=0)
    last_hash = models.BinaryField(max_length=32)
    compact_range = models.JSONField(default=list, help_text="Hex hashes, largest subtree first.")

    def __str__(self) -> str:
        return f"head at {self.size}"


class Checkpoint(models.Model):
    """A signed note over the tree of the first `size` entries."""

    size = models.PositiveBigIntegerField(unique=True)
    root = models.BinaryField(max_length=32)
    note = models.TextField()
    made_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["size"]

    def __str__(self) -> str:
        return f"checkpoint at {self.size}"


class PersonalText(models.Model):
    """Personal words kept outside the hashed bytes; erasing a row leaves every proof valid."""

    reference = models.CharField(max_length=64, unique=True, help_text="SHA-256 of salt and text.")
    salt = models.BinaryField(max_length=16)
    text = models.TextField()

    def __str__(self) -> str:
        return self.reference
