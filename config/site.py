"""The admin site: sign-in for everyone, the overview, and the project's own name."""

from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.functional import SimpleLazyObject


class CountersignAdminSite(AdminSite):
    """Django's admin under Countersign's name; its sign-in page serves the other pages too."""

    site_header = "Countersign"
    site_title = "Countersign"
    index_title = "Overview"
    enable_nav_sidebar = True
    # People who review and sign need no access to the admin itself, but they sign in here.
    login_form = AuthenticationForm

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Let every person who is signed in sign out and change the password."""
        own: list[URLPattern | URLResolver] = [
            path("logout/", self.logout, name="logout"),
            path("password_change/", login_required(self.password_change), name="password_change"),
            path(
                "password_change/done/",
                login_required(self.password_change_done),
                name="password_change_done",
            ),
        ]
        return own + super().get_urls()

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Lead to the inbox afterwards, unless another page asked for the sign-in."""
        if request.method == "GET" and request.user.is_authenticated and not request.user.is_staff:
            return redirect(reverse("home"))
        wanted = request.GET.get("next") or request.POST.get("next") or reverse("home")
        return super().login(request, {**(extra_context or {}), "next": wanted})

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """Add the overview's figures; nothing is read before a template asks for them."""
        # Governance's models are not loaded yet when Django imports this module.
        from governance.services.inbox import overview

        figures = SimpleLazyObject(lambda: overview(request.user))
        return {**super().each_context(request), "overview": figures}
