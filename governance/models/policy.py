"""Policies as text and the environments they guard."""

from typing import TYPE_CHECKING, Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.errors import RuleViolated

if TYPE_CHECKING:
    from projects.actors import Actor


class PolicyQuerySet(models.QuerySet["Policy"]):
    """Policies; they hold for everyone, so everyone signed in may read them."""

    def visible_to(self, actor: "Actor") -> "PolicyQuerySet":
        return self.all()


#: What a published version says and by whom; only its status moves on, to retired.
FROZEN = frozenset({"policy", "number", "text", "digest", "note", "created_by", "created_at"})
_COLUMNS = FROZEN | {"policy_id", "created_by_id"}


def _refuse_change() -> NoReturn:
    raise RuleViolated(
        "A published policy version never changes and is never deleted; write the next version.",
        code="policy_version_immutable",
    )


class PolicyVersionQuerySet(models.QuerySet["PolicyVersion"]):
    """Versions of policies by state."""

    def update(self, **values: Any) -> int:
        """Change rows; what published and retired versions say is refused."""
        if _COLUMNS & values.keys() and self.exclude(status=PolicyVersion.Status.DRAFT).exists():
            _refuse_change()
        return super().update(**values)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Delete drafts; published and retired versions are refused."""
        if self.exclude(status=PolicyVersion.Status.DRAFT).exists():
            _refuse_change()
        return super().delete()

    def visible_to(self, actor: "Actor") -> "PolicyVersionQuerySet":
        return self.all()

    def published(self) -> "PolicyVersionQuerySet":
        return self.filter(status=PolicyVersion.Status.PUBLISHED)


class EnvironmentQuerySet(models.QuerySet["Environment"]):
    """Environments; everyone signed in may read them, and only a policy changes them."""

    def visible_to(self, actor: "Actor") -> "EnvironmentQuerySet":
        return self.all()

    def gate_of(self, name: str) -> str:
        """Return the gate of the environment of this name; empty where there is none."""
        return self.filter(name=name).values_list("gate", flat=True).first() or ""

    def update(self, **values: Any) -> int:
        raise _set_by_policy()

    def delete(self) -> tuple[int, dict[str, int]]:
        raise _set_by_policy()

    def declare(self, name: str, **values: Any) -> int:
        """Write what a published policy says; only `services.policy_publishing` calls it."""
        return models.QuerySet.update(self.filter(name=name), **values)


def _set_by_policy() -> RuleViolated:
    return RuleViolated(
        "Environments are declared by the standard policy; publish a version of it that says so.",
        code="set_by_policy",
    )


class Policy(models.Model):
    """A named set of gates, such as `standard`; its versions hold the text."""

    name = models.SlugField(unique=True)
    title = models.CharField(max_length=200)

    objects = PolicyQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.title


class PolicyVersion(models.Model):
    """One version of a policy's YAML; immutable once published.

    The ORM refuses the change here, and triggers refuse it to whoever goes past the ORM; the
    digests that reviews bind and the ledger hold the proof.
    """

    class Status(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        RETIRED = "retired"
        DISCARDED = "discarded"

    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    status = models.CharField(
        max_length=10, choices=Status.choices, default=Status.DRAFT, editable=False
    )
    text = models.TextField(help_text="YAML; see the policy schema in the documentation.")
    digest = models.CharField(max_length=64, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    editors = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        related_name="+",
        editable=False,
        help_text="Everybody who wrote on the draft; none of them may sign it or publish it.",
    )
    note = models.TextField(blank=True, help_text="What changes, and why.")
    published_at = models.DateTimeField(null=True, blank=True, editable=False)
    version_lock = models.PositiveIntegerField(default=0, editable=False)

    objects = PolicyVersionQuerySet.as_manager()

    class Meta:
        ordering = ["policy", "-number"]
        permissions = [("publish_policyversion", "May publish a version of a policy")]
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="policy_version_number_once"),
            models.UniqueConstraint(
                fields=["policy"],
                condition=Q(status="published"),
                name="policy_version_one_published",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.policy.name} v{self.number}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save a draft; a version that is stored as published or retired is refused."""
        if not self._state.adding and self._is_frozen():
            _refuse_change()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        """Delete a draft; a version that is stored as published or retired is refused."""
        if self._is_frozen():
            _refuse_change()
        return super().delete(*args, **kwargs)

    def _is_frozen(self) -> bool:
        stored = type(self)._default_manager.filter(pk=self.pk)
        return stored.exclude(status=self.Status.DRAFT).exists()

    @property
    def ref(self) -> str:
        return f"policy_version:{self.pk}"


class Environment(models.Model):
    """Where a model version may be promoted to: an MLflow alias with gates and a mode."""

    class Mode(models.TextChoices):
        ENFORCE = "enforce"
        WARN = "warn"
        OBSERVE = "observe"

    name = models.SlugField(unique=True)
    alias = models.SlugField(unique=True, help_text="MLflow alias that stands for it.")
    mode = models.CharField(
        max_length=10, choices=Mode.choices, default=Mode.ENFORCE, editable=False
    )
    gate = models.SlugField(help_text="Gate of the policy that a promotion here must pass.")
    rank = models.PositiveSmallIntegerField(default=0)

    objects = EnvironmentQuerySet.as_manager()

    class Meta:
        ordering = ["rank", "name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise _set_by_policy()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise _set_by_policy()

    @property
    def ref(self) -> str:
        return f"environment:{self.pk}"
