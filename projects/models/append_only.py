"""Rows that are written once: what is recorded does not change afterwards."""

from typing import Any, NoReturn, TypeVar

from django.db import models

from projects.errors import RuleViolated

Row = TypeVar("Row", bound=models.Model)


def _refuse(model: type[models.Model]) -> NoReturn:
    raise RuleViolated(
        f"A {model._meta.verbose_name} is written once; it is neither changed nor removed.",
        code="append_only",
    )


class AppendOnlyQuerySet(models.QuerySet[Row]):
    """Rows that can be read and added."""

    def update(self, **kwargs: Any) -> int:
        _refuse(self.model)

    def delete(self) -> tuple[int, dict[str, int]]:
        _refuse(self.model)


class AppendOnly(models.Model):
    """A row that refuses to be saved a second time or deleted.

    `ledger.triggers.keep_append_only` has the database refuse the same to everybody else.
    """

    objects = AppendOnlyQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            _refuse(type(self))
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        _refuse(type(self))
