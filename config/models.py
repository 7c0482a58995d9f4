"""What the house itself stores: API tokens."""

import uuid

from django.db import models
from knox.models import AbstractAuthToken


class ApiToken(AbstractAuthToken):  # type: ignore[misc]  # knox has no types
    """Knox's hashed token with a name, so that its holder can tell which one to revoke.

    `public_id` names the token in addresses and in the ledger; the hash and the first characters
    of the secret stay out of both.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=100, default="", blank=True)

    class Meta:
        verbose_name = "API token"
        ordering = ["-created"]

    def __str__(self) -> str:
        return self.name or str(self.public_id)
