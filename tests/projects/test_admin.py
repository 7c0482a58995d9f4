"""The admin of projects, through its door."""

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from ledger.models import LedgerEntry
from projects.models import Project, ScopingDocument, Stakeholder
from projects.services import projects, scoping
from tests import factories
from tests.factories import UserFactory, session_actor


@pytest.fixture(autouse=True)
def members(project):
    """Let everybody on the project open the admin, as being given a role does."""
    group = Group.objects.get(name="Stakeholders")
    for stakeholder in project.stakeholders.select_related("user"):
        stakeholder.user.groups.add(group)


@pytest.fixture
def draft(project, lead):
    return factories.write_scope(project, lead)


def form_of(response):
    """Return what a browser would send back if nothing was typed."""
    page = response.context_data
    forms = [page["adminform"].form]
    for inline in page["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    data = {}
    for form in forms:
        for bound in form:
            value = bound.value()
            if value is True:
                data[bound.html_name] = "on"
            elif value is not None and value is not False:
                data[bound.html_name] = value
            if bound.field.show_hidden_initial:
                data[bound.html_initial_name] = bound.value()
    return data


def change_url(document):
    return reverse("admin:projects_scopingdocument_change", args=[document.pk])


def messages_of(response):
    return " ".join(str(message) for message in response.context["messages"])


def saved_events(document):
    return LedgerEntry.objects.filter(subject=document.ref, event="scope.draft_saved")


def test_saving_a_draft_records_the_editor(draft, data_scientist, client_for):
    browser = client_for(data_scientist)
    data = form_of(browser.get(change_url(draft)))
    before = scoping.content_of(draft)
    response = browser.post(change_url(draft), {**data, "title": "A better title"})
    assert response.status_code == 302, response.context_data["errors"]
    draft = ScopingDocument.objects.get(pk=draft.pk)
    assert scoping.content_of(draft) == {**before, "title": "A better title"}
    assert data_scientist in draft.editors.all()
    assert saved_events(draft).count() == 2


def test_draft_with_gaps_is_saved(project, lead, client_for):
    browser = client_for(lead)
    url = reverse("admin:projects_scopingdocument_add")
    data = form_of(browser.get(url))
    response = browser.post(url, {**data, "project": project.pk, "title": "Only a title"})
    assert response.status_code == 302, response.context_data["errors"]
    draft = ScopingDocument.objects.get()
    assert (draft.version, draft.created_by, draft.status) == (1, lead, "draft")
    assert saved_events(draft).count() == 1


@pytest.mark.slow
def test_edit_of_a_draft_that_somebody_saved_meanwhile_is_refused(draft, lead, client_for):
    browser = client_for(lead)
    data = form_of(browser.get(change_url(draft)))
    scoping.write_draft(
        draft.project,
        actor=session_actor(lead),
        content={**factories.scope_content_of(), "title": "First"},
        document=draft,
    )
    response = browser.post(change_url(draft), {**data, "title": "Second"})
    assert "Somebody else saved this draft" in response.content.decode()
    assert "Second" in response.content.decode()
    draft.refresh_from_db()
    assert draft.title == "First"


@pytest.mark.slow
def test_wrong_row_is_explained_and_nothing_saved(draft, lead, client_for):
    browser = client_for(lead)
    data = form_of(browser.get(change_url(draft)))
    data |= {"title": "Changed", "estimates-0-optimistic_days": "99"}
    response = browser.post(change_url(draft), data)
    assert "they must rise" in response.content.decode()
    draft.refresh_from_db()
    assert draft.title != "Changed"
    assert saved_events(draft).count() == 1


def test_submitted_document_is_read_only(submitted_scope, lead, client_for):
    browser = client_for(lead)
    response = browser.get(change_url(submitted_scope))
    assert response.status_code == 200
    assert not response.context_data["has_change_permission"]
    refused = browser.post(change_url(submitted_scope), {"title": "Slipped in"})
    assert refused.status_code == 403
    submitted_scope.refresh_from_db()
    assert submitted_scope.title != "Slipped in"


def test_submit_button_lists_every_blocker(project, lead, client_for):
    blog = factories.write_scope(project, lead, factories.scope_content_of("term-deposit-blog"))
    url = reverse("admin:projects_scopingdocument_submit", args=[blog.pk])
    told = messages_of(client_for(lead).post(url, follow=True))
    assert "duration" in told
    assert "Record a baseline" in told
    blog.refresh_from_db()
    assert blog.status == "draft"


def test_save_and_submit_keeps_the_edit_and_submits(draft, lead, client_for):
    browser = client_for(lead)
    data = form_of(browser.get(change_url(draft)))
    browser.post(change_url(draft), {**data, "title": "Final", "_save_and_submit": "1"})
    draft.refresh_from_db()
    assert (draft.title, draft.status) == ("Final", "submitted")
    assert draft.snapshot["title"] == "Final"


@pytest.mark.parametrize("verb", ["submit", "withdraw", "copy"])
def test_commands_take_no_get(draft, lead, client_for, verb):
    url = reverse(f"admin:projects_scopingdocument_{verb}", args=[draft.pk])
    assert client_for(lead).get(url).status_code == 405


def test_new_version_starts_from_an_old_one(submitted_scope, lead, client_for):
    url = reverse("admin:projects_scopingdocument_copy", args=[submitted_scope.pk])
    client_for(lead).post(url)
    copy = ScopingDocument.objects.get(version=2)
    assert copy.parent == submitted_scope
    assert scoping.content_of(copy) == scoping.content_of(submitted_scope)


def test_insider_without_the_role_reads_but_cannot_edit(draft, business_owner, client_for):
    response = client_for(business_owner).get(change_url(draft))
    assert response.status_code == 200
    assert not response.context_data["has_change_permission"]


def test_stranger_in_the_group_sees_no_rows(draft, outsider, client_for):
    outsider.groups.add(Group.objects.get(name="Stakeholders"))
    browser = client_for(outsider)
    listed = browser.get(reverse("admin:projects_scopingdocument_changelist"))
    assert not listed.context_data["cl"].result_list
    # Django answers a missing row in the admin by going back to its first page.
    assert browser.get(change_url(draft)).status_code == 302
    for verb in ("submit", "withdraw", "copy"):
        url = reverse(f"admin:projects_scopingdocument_{verb}", args=[draft.pk])
        assert browser.post(url).status_code == 404


def test_administrator_browses_but_may_not_act(draft, superuser, client_for):
    browser = client_for(superuser)
    response = browser.get(change_url(draft))
    assert response.status_code == 200
    assert not response.context_data["has_change_permission"]
    url = reverse("admin:projects_scopingdocument_submit", args=[draft.pk])
    assert "it takes the role of lead" in messages_of(browser.post(url, follow=True))
    draft.refresh_from_db()
    assert draft.status == "draft"


def roles_form(browser, project, user, role):
    url = reverse("admin:projects_project_change", args=[project.pk])
    data = form_of(browser.get(url))
    row = int(data["stakeholders-TOTAL_FORMS"]) - 1
    blank = f"stakeholders-{row}-"
    data |= {f"{blank}user": user.pk, f"{blank}role": role, f"{blank}valid_from": "2026-01-01"}
    data[f"{blank}reporting_line"] = "Operations"
    return url, data


def test_lead_gives_a_role_in_the_admin(project, lead, outsider, client_for):
    browser = client_for(lead)
    url, data = roles_form(browser, project, outsider, Stakeholder.Role.OPERATIONS)
    assert browser.post(url, data).status_code == 302
    assert project.stakeholders.get(user=outsider).reporting_line == "Operations"
    entry = LedgerEntry.objects.get(event="stakeholder.assigned")
    assert entry.subject == project.ref


def test_nobody_gives_a_role_to_themselves(project, lead, client_for):
    browser = client_for(lead)
    url, data = roles_form(browser, project, lead, Stakeholder.Role.VALIDATOR)
    response = browser.post(url, data)
    assert "Nobody gives a role to themselves" in response.content.decode()
    assert not project.stakeholders.filter(user=lead, role="validator").exists()


def test_others_cannot_give_roles(project, data_scientist, client_for):
    url = reverse("admin:projects_project_change", args=[project.pk])
    response = client_for(data_scientist).get(url)
    assert not response.context_data["has_change_permission"]


def test_administrator_creates_a_project_and_leads_it(superuser, client_for):
    url = reverse("admin:projects_project_add")
    data = {"name": "Churn", "slug": "churn", "summary": "", "tier": "low"}
    assert client_for(superuser).post(url, data).status_code == 302
    project = Project.objects.get(slug="churn")
    assert project.stakeholders.get().role == Stakeholder.Role.LEAD
    assert LedgerEntry.objects.filter(event="project.created", subject=project.ref).exists()


@pytest.mark.parametrize("name", ["sprint", "workitem", "stakeholder", "project"])
def test_lists_open_for_stakeholders(project, lead, client_for, name):
    response = client_for(lead).get(reverse(f"admin:projects_{name}_changelist"))
    assert response.status_code == 200


def test_sprint_shows_no_editable_field(project, lead, client_for):
    sprint = factories.SprintFactory(project=project)
    response = client_for(lead).get(reverse("admin:projects_sprint_change", args=[sprint.pk]))
    assert response.status_code == 200
    assert not response.context_data["has_change_permission"]


def test_being_given_a_role_opens_the_admin(project, lead):
    newcomer = UserFactory(username="nell", is_staff=False)
    projects.assign_role(project, actor=session_actor(lead), user=newcomer, role="operations")
    newcomer = type(newcomer).objects.get(pk=newcomer.pk)
    assert newcomer.is_staff
    assert newcomer.has_perm("projects.view_project")
    assert not newcomer.has_perm("projects.add_project")


def test_history_is_drawn_from_the_ledger(submitted_scope, lead, client_for):
    url = reverse("admin:projects_scopingdocument_history", args=[submitted_scope.pk])
    page = client_for(lead).get(url).content.decode()
    assert "scope.draft_saved" in page
    assert "scope.submitted" in page


@pytest.mark.parametrize(
    "address", ["projects/sprint", "governance/finding", "pipeline/modelversion"]
)
def test_filters_name_no_project_of_strangers(client_for, lead, project, address):
    mine = [factories.StakeholderFactory(user=lead).project for _ in range(2)]
    secret = factories.ProjectFactory(name="Secret merger")
    page = client_for(lead).get(f"/admin/{address}/").content.decode()
    assert all(one.name in page for one in mine)
    assert secret.name not in page


def test_an_administrator_filters_by_every_project(client_for, project):
    secret = factories.ProjectFactory(name="Secret merger")
    admin = UserFactory(is_superuser=True, is_staff=True)
    assert secret.name in client_for(admin).get("/admin/projects/sprint/").content.decode()
