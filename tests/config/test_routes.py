"""What holds for every address: who is let in, and which headers go out."""

from collections.abc import Iterator

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

pytestmark = pytest.mark.django_db

# Open to everyone: liveness, the API's own description, the way in. MLflow's doors answer in
# MLflow's words and have tests of their own.
OPEN = ("/healthz", "/readyz", "/api/schema/", "/api/docs/", "/admin/")
OTHER_DOORS = ("/mlflow/",)
SAMPLES = {
    "slug": "sample",
    "str": "sample",
    "path": "sample",
    "int": "1",
    "uuid": "00000000-0000-0000-0000-000000000000",
}


def walk(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """Give an address for every view: numbers for identifiers, `sample` for names."""
    for entry in resolver.url_patterns:
        address = prefix + _filled(entry)
        if isinstance(entry, URLPattern):
            yield address
        else:
            yield from walk(entry, address)


def _filled(entry: URLPattern | URLResolver) -> str:
    text = str(entry.pattern).lstrip("^").rstrip("$").replace("\\Z", "").replace("\\.", ".")
    for name, converter in entry.pattern.converters.items():
        kind = type(converter).__name__.removesuffix("Converter").lower()
        for written in (
            f"<{kind}:{name}>",
            f"<{kind.replace('string', 'str')}:{name}>",
            f"<{name}>",
        ):
            text = text.replace(written, SAMPLES.get(kind, "sample"))
    while "(?P<" in text:
        start = text.index("(?P<")
        depth = 0
        for end in range(start, len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if depth == 0:
                break
        text = text[:start] + "1" + text[end + 1 :]
    return text


def addresses(*, api: bool) -> list[str]:
    found = {address for address in walk(get_resolver()) if not address.startswith(OTHER_DOORS)}
    return sorted(a for a in found if a.startswith("/api/v1/") == api and not a.startswith(OPEN))


def test_there_are_addresses_to_walk():
    assert len(addresses(api=True)) > 40
    assert len(addresses(api=False)) > 5


def test_no_api_address_answers_a_stranger():
    answers = {a: Client().get(a) for a in addresses(api=True)}
    let_in = {a: r.status_code for a, r in answers.items() if r.status_code not in {401, 404, 405}}
    assert let_in == {}
    not_problems = {
        a for a, r in answers.items() if r["Content-Type"] != "application/problem+json"
    }
    assert not_problems == set()


def test_no_api_command_answers_a_stranger():
    answers = {a: Client().post(a).status_code for a in addresses(api=True)}
    assert {a: s for a, s in answers.items() if s not in {401, 404, 405}} == {}


def test_no_page_answers_a_stranger():
    answers = {a: Client().get(a) for a in addresses(api=False)}
    let_in = {
        a: r.status_code
        for a, r in answers.items()
        if r.status_code not in {302, 401, 404, 405}
        or (r.status_code == 302 and a != "/" and "/login/" not in r["Location"])
    }
    assert let_in == {}


PAGES = ["/inbox/", "/admin/", "/admin/login/", "/api/docs/", "/no-such-page/"]


@pytest.mark.parametrize("address", PAGES)
def test_every_page_forbids_inline_script_and_frames(lead, address):
    lead.is_staff = True
    lead.save(update_fields=["is_staff"])
    client = Client()
    if "login" not in address:
        client.force_login(lead)
    answer = client.get(address)
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] in {"same-origin", "unsafe-none"}


@pytest.mark.slow
def test_the_schema_is_valid_without_a_warning(tmp_path):
    file = tmp_path / "schema.yaml"
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(file))
    assert file.stat().st_size > 0


def test_the_schema_names_every_refusal_and_every_way_to_authenticate(client):
    answer = client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"})
    schema = answer.json()
    assert schema["openapi"].startswith("3.1")
    operations = [
        operation
        for methods in schema["paths"].values()
        for name, operation in methods.items()
        if name in {"get", "post", "put", "patch", "delete"}
    ]
    assert len(operations) > 50
    assert all("default" in operation["responses"] for operation in operations)
    assert {"apiToken", "session"} <= set(schema["components"]["securitySchemes"])


def test_the_api_docs_load_nothing_from_elsewhere(client):
    html = client.get("/api/docs/").content.decode()
    assert "<style" not in html
    assert "http://" not in html
    assert "https://" not in html
    assert client.get("/api/docs/?script=").status_code == 200
