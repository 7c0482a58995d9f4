"""The same story on PostgreSQL and Redis: both databases, the queue, the gateway."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.conftest import wait_until
from tests.e2e.test_story import REFUSALS, ROOT, chapters_of, environment

POSTGRESQL = os.environ.get("CI_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("CI_REDIS_URL", "redis://127.0.0.1:6379/15")
DATABASES = ("countersign_story", "countersign_story_mlflow")

pytestmark = pytest.mark.slow


@pytest.fixture
def databases():
    """Two empty databases, gone afterwards; both addresses."""
    psycopg = pytest.importorskip("psycopg", reason="the extra `postgres` is not installed")
    try:
        server = psycopg.connect(POSTGRESQL, autocommit=True, connect_timeout=3)
    except psycopg.OperationalError:
        pytest.skip("no PostgreSQL answers; set CI_POSTGRES_URL")
    with server:
        for name in DATABASES:
            server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
            server.execute(f"CREATE DATABASE {name}")
        yield [POSTGRESQL.rpartition("/")[0] + f"/{name}" for name in DATABASES]
        for name in DATABASES:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def queue():
    """An empty queue on Redis."""
    redis = pytest.importorskip("redis", reason="the extra `redis` is not installed")
    client = redis.Redis.from_url(REDIS, socket_connect_timeout=3)
    try:
        client.delete("django_q:countersign:q")
    except redis.ConnectionError:
        pytest.skip("no Redis answers; set CI_REDIS_URL")
    return REDIS


def manage(command: list[str], env: dict[str, str], log: Path) -> subprocess.Popen[str]:
    with log.open("w") as out:
        return subprocess.Popen(
            [sys.executable, "manage.py", *command],
            cwd=ROOT,
            env=env,
            stdout=out,
            stderr=subprocess.STDOUT,
            text=True,
        )


def test_the_story_holds_on_postgresql_and_redis(databases, queue, tmp_path, free_port):
    env = {
        **environment(tmp_path / "home"),
        "DATABASE_URL": databases[0],
        "MLFLOW_DATABASE_URI": databases[1],
        "REDIS_URL": queue,
        "BASE_URL": f"http://127.0.0.1:{free_port}",
    }
    log, told = tmp_path / "up.log", tmp_path / "story.log"
    up = manage(["up", "--port", str(free_port)], env, log)
    try:
        wait_until(lambda: "answers at" in log.read_text() or up.poll() is not None, seconds=180)
        assert up.poll() is None, log.read_text()
        assert manage(["play_demo"], env, told).wait(timeout=900) == 0, told.read_text()
        assert chapters_of(told.read_text())[1] == REFUSALS
        checked = manage(["verify_ledger"], env, tmp_path / "verify.log")
        assert checked.wait(timeout=120) == 0, (tmp_path / "verify.log").read_text()
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(timeout=30)
