"""The ground that reviews stand on: content store, lineage, sprint guards, resolvers."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from governance import guards, subjects
from governance.models import GateReview, LineageEdge, LineageNode
from governance.services import lineage, reviews
from governance.services.lineage import Node
from governance.services.lineage_picture import picture
from projects import content_store
from projects.actors import system
from projects.errors import InvalidInput, NotFound, Unavailable
from projects.models import Project, ScopingDocument, Sprint
from projects.services.scope_changes import frozen_criteria_hash
from tests.factories import SprintFactory, session_actor
from tests.governance import fakes


@pytest.fixture
def store(settings: Any, tmp_path: Any) -> Any:
    settings.CONTENT_STORE = tmp_path
    return tmp_path


def test_content_is_stored_once_under_its_digest(store: Any) -> None:
    digest = content_store.put(b"bytes")
    assert content_store.put(b"bytes") == digest
    assert content_store.read(digest) == b"bytes"
    assert [path.name for path in store.rglob("*") if path.is_file()] == [digest]


def test_changed_content_is_not_handed_out(store: Any) -> None:
    digest = content_store.put(b"bytes")
    content_store.path(digest).write_bytes(b"bytez")
    with pytest.raises(Unavailable) as error:
        content_store.read(digest)
    assert error.value.code == "content_damaged"


def test_absent_content_is_not_found(store: Any) -> None:
    with pytest.raises(NotFound):
        content_store.read("a" * 64)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "a" * 63, f"{'a' * 64}\n"])
def test_only_digests_name_content(store: Any, name: str) -> None:
    with pytest.raises(InvalidInput) as error:
        content_store.path(name)
    assert error.value.code == "not_a_digest"


def test_a_store_that_cannot_be_written_says_so(settings: Any, tmp_path: Any) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("in the way")
    settings.CONTENT_STORE = blocked
    with pytest.raises(Unavailable) as error:
        content_store.put(b"bytes")
    assert error.value.code == "content_store_unwritable"


def node(project: Project, kind: str, number: int) -> LineageNode:
    return lineage.record_node(Node(kind, f"{kind}:{number}", f"{kind} {number}"), project=project)


@pytest.mark.django_db
def test_recording_twice_is_recording_once(project: Project) -> None:
    one, same = (node(project, "run", 1) for _ in range(2))
    other = node(project, "dataset", 1)
    for _ in range(2):
        lineage.record_edge(other, one, "trained")
    assert one == same
    assert (LineageNode.objects.count(), LineageEdge.objects.count()) == (2, 1)


@pytest.mark.django_db
def test_tracing_follows_arrows_and_never_turns_round(
    project: Project, django_assert_max_num_queries: Any
) -> None:
    data, run, other, model, review = (
        node(project, kind, number)
        for kind, number in (
            ("dataset", 1),
            ("run", 1),
            ("run", 2),
            ("model_version", 1),
            ("gate_review", 1),
        )
    )
    for source, target in ((data, run), (data, other), (run, model), (model, review)):
        lineage.record_edge(source, target, "led_to")
    with django_assert_max_num_queries(10):
        graph = lineage.trace(model)
    assert graph.nodes == [data, run, model, review]
    assert len(graph.edges) == 3
    assert lineage.trace(model, direction="up").nodes == [data, run, model]
    assert lineage.trace(model, direction="down").nodes == [model, review]


@pytest.mark.django_db
def test_what_led_to_it_comes_with_who_decided_on_that(project: Project) -> None:
    data, run, review, signer, sibling = (
        node(project, kind, 1) for kind in ("dataset", "run", "gate_review", "sign_off", "finding")
    )
    lineage.record_edge(data, run, "trained_on")
    lineage.record_edge(data, review, "judged_by")
    lineage.record_edge(review, signer, "signed_by")
    lineage.record_edge(data, sibling, "found_wanting")
    assert lineage.trace(run).nodes == [data, run, review, signer]


@pytest.mark.django_db
def test_a_circle_in_the_graph_is_walked_once(project: Project) -> None:
    one, two = node(project, "run", 1), node(project, "run", 2)
    lineage.record_edge(one, two, "led_to")
    lineage.record_edge(two, one, "led_to")
    assert lineage.trace(one).nodes == [one, two]


@pytest.mark.django_db
def test_unknown_kinds_and_refs_are_refused(project: Project) -> None:
    with pytest.raises(InvalidInput):
        node(project, "planet", 1)
    with pytest.raises(NotFound):
        lineage.model_version_node("model_version:99")


@pytest.mark.django_db
def test_the_path_of_a_promotion_can_be_traced_from_its_model(applied: Any) -> None:
    graph = lineage.trace(lineage.model_version_node(fakes.MODEL), direction="down")
    kinds = sorted(one.kind for one in graph.nodes)
    assert kinds == ["gate_review", "model_version", "promotion", "sign_off", "sign_off"]


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["experiment", "build", "release"])
def test_building_sprints_need_an_approved_scope(project: Project, kind: str) -> None:
    sprint = SprintFactory(project=project, kind=kind)
    (reason,) = guards.require_approved_scope(sprint)
    assert "needs an approved scope" in reason


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["discovery", "research_spike", "monitor"])
def test_looking_around_needs_none(project: Project, kind: str) -> None:
    sprint = SprintFactory(project=project, kind=kind, dataset_refs=["dataset_version:9"])
    assert guards.require_approved_scope(sprint) == []
    assert guards.require_approved_data(sprint) == []


@pytest.mark.django_db
def test_a_suspended_scope_stops_the_next_sprint(
    scope_review: GateReview, sign: Any, business_owner: User, data_owner: User
) -> None:
    sprint = SprintFactory(project=scope_review.project, kind=Sprint.Kind.EXPERIMENT)
    sign(scope_review, business_owner, "business_owner")
    sign(scope_review, data_owner, "data_owner")
    assert guards.require_approved_scope(sprint) == []
    reviews.suspend_review(scope_review, actor=system("governance"), reason="Changed law.")
    (reason,) = guards.require_approved_scope(sprint)
    assert "suspended" in reason


@pytest.mark.django_db
def test_a_sprint_works_on_released_data_only(
    data_review: GateReview, sign: Any, data_owner: User, lead: User
) -> None:
    refs = [fakes.DATASET, "dataset_version:9"]
    sprint = SprintFactory(project=data_review.project, dataset_refs=refs)
    who = "it takes data owner (Dora), lead (Lena)."
    assert guards.require_approved_data(sprint) == [
        f"The data gate of bank-marketing v1 is not passed; {who}",
        f"The data gate of dataset_version:9 is not passed; no review of it is open; {who}",
    ]
    sign(data_review, data_owner, "data_owner")
    sign(data_review, lead, "lead")
    assert len(guards.require_approved_data(sprint)) == 1


@pytest.mark.django_db
def test_a_scope_resolves_to_its_hash_readiness_and_authors(
    submitted_scope: ScopingDocument, lead: User
) -> None:
    facts = subjects.resolve("scoping_document", submitted_scope.ref)
    assert facts.bindings == {
        "scope": submitted_scope.content_hash,
        "criteria": frozen_criteria_hash(submitted_scope),
    }
    assert facts.authors == {"scope": frozenset({lead.pk})}
    assert facts.attributes["readiness_score"] >= facts.attributes["threshold"]
    assert facts.attributes["review_tier"] == "medium"


@pytest.mark.django_db
@pytest.mark.parametrize("ref", ["scoping_document:999", "scoping_document:x", "run:1", ""])
def test_references_to_nothing_are_not_found(ref: str) -> None:
    with pytest.raises(NotFound):
        subjects.resolve("scoping_document", ref)


@pytest.mark.django_db
def test_only_known_kinds_are_judged(lead: User) -> None:
    with pytest.raises(InvalidInput) as error:
        subjects.resolve("planet", "planet:1")
    assert error.value.code == "unknown_subject_kind"
    assert session_actor(lead).method == "session"


@pytest.mark.parametrize("key", ["7", "10"])
def test_a_reference_is_read(key: str) -> None:
    assert subjects.primary_key(f"model_version:{key}", "model_version") == int(key)


@pytest.mark.parametrize(
    "ref",
    [
        "model_version:07",
        "model_version:\u0667",
        "model_version:+7",
        "model_version: 7",
        "model_version:7:",
        "model_version:",
        "model_version",
        "7",
        "dataset_version:7",
    ],
)
def test_a_subject_has_one_spelling_only(ref: str) -> None:
    with pytest.raises(NotFound) as error:
        subjects.primary_key(ref, "model_version")
    assert error.value.code == "no_such_subject"


@pytest.mark.django_db
def test_many_pieces_of_evidence_are_drawn_as_one_box(project: Project) -> None:
    model, plan = node(project, "model_version", 1), node(project, "finding", 1)
    lineage.record_edge(model, plan, "found_wanting")
    for number in range(1, 4):
        lineage.record_edge(model, node(project, "evidence", number), "examined_in")
    drawing = picture(lineage.trace(model), start=model)
    assert sorted(box.label for box in drawing.boxes) == [
        "3 pieces of evidence",
        "finding 1",
        "model_version 1",
    ]
    assert len(drawing.curves) == 2
