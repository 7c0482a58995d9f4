"""Tables of others in the admin: accounts with a record of every change, the queue to look at."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest
from django_q.admin import FailAdmin, QueueAdmin, ScheduleAdmin, TaskAdmin
from django_q.models import Failure, OrmQ, Schedule, Success

from ledger import services as ledger
from projects.actors import person

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
    Accounts = UserAdmin[User]
else:
    Base = object
    Accounts = UserAdmin


class AccountAdmin(Accounts):
    """Django's form for accounts, with a ledger entry for each use of it.

    Whoever may set a password can sign in as that person: nothing here can prevent that, so it
    must not happen without a trace. Accounts are switched off, never deleted.
    """

    def user_change_password(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        # Password and entry together or not at all; Django's own view commits one by one.
        with transaction.atomic():
            return super().user_change_password(request, *args, **kwargs)

    def log_addition(self, request: HttpRequest, obj: User, message: Any) -> Any:
        _record("account.added", obj, request, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: User, message: Any) -> Any:
        _record("account.changed", obj, request, message)
        return super().log_change(request, obj, message)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@transaction.atomic
def _record(event: str, user: User, request: HttpRequest, message: Any) -> None:
    """Record what the form says was changed, by the names of the fields alone."""
    parts = [part for part in message if isinstance(part, dict)] if message else []
    fields = {name for part in parts for said in part.values() for name in said.get("fields", [])}
    ledger.append(
        event,
        subject=f"user:{user.pk}",
        actor=person(request.user, method="session"),  # type: ignore[arg-type] # signed in
        data={"fields": sorted(fields)},
    )


admin.site.unregister(User)
admin.site.register(User, AccountAdmin)


class LookOnly(Base):
    """No adding, no changing, no deleting, no running again: jobs have commands for that."""

    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


_SHOWN = ((Schedule, ScheduleAdmin), (Success, TaskAdmin), (Failure, FailAdmin), (OrmQ, QueueAdmin))
for _model, _stock in _SHOWN:
    if admin.site.is_registered(_model):  # with Redis there is no table of waiting tasks
        admin.site.unregister(_model)
        admin.site.register(_model, type(f"LookOnly{_stock.__name__}", (LookOnly, _stock), {}))
