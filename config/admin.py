"""The queue's tables in the admin, to look at: a schedule names code, and would run it unasked."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.http import HttpRequest
from django_q.admin import FailAdmin, QueueAdmin, ScheduleAdmin, TaskAdmin
from django_q.models import Failure, OrmQ, Schedule, Success

if TYPE_CHECKING:
    Base = admin.ModelAdmin[Any]
else:
    Base = object


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
