"""Directory, port and environment of an instance."""

import os
import socket

import pytest

from config import instance
from config.instance import Address, InstanceError


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    return home


def test_a_port_in_use_is_refused_in_one_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InstanceError) as refusal:
            instance.require_free(Address("127.0.0.1", port))
    assert f"Cannot listen on 127.0.0.1:{port} (Address already in use)" in str(refusal.value)
    assert "--port" in str(refusal.value)


@pytest.mark.parametrize("address", [Address("127.0.0.1", 70000), Address("not a host", 80)])
def test_an_impossible_address_is_refused(address):
    with pytest.raises(InstanceError, match="Cannot listen on"):
        instance.require_free(address)


def test_a_home_below_a_file_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InstanceError, match=r"Cannot write to .* COUNTERSIGN_HOME"):
        instance.require_writable(tmp_path / "file" / "home")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_home_is_refused(home):
    home.chmod(0o500)
    with pytest.raises(InstanceError, match="Permission denied"):
        instance.require_writable(home)


def test_a_home_is_made_and_left_clean(home):
    instance.require_writable(home / "new")
    assert [path.name for path in (home / "new").iterdir()] == ["static"]


def test_two_instances_cannot_share_a_home(home):
    with (
        instance.claimed(home),
        pytest.raises(InstanceError, match="Another instance already runs"),
        instance.claimed(home),
    ):
        pass


def test_a_home_is_free_again_afterwards(home):
    for _ in range(2):
        with instance.claimed(home):
            pass


def test_a_demo_clears_what_an_earlier_demo_made(home):
    instance.clear_demo(home)
    (home / "countersign.sqlite3").write_text("old")
    (home / "artifacts" / "1").mkdir(parents=True)
    instance.clear_demo(home)
    assert {path.name for path in home.iterdir()} == {instance.DEMO_MARKER, "static"}


def test_a_demo_does_not_touch_what_it_did_not_make(home):
    (home / "precious.txt").write_text("mine")
    with pytest.raises(InstanceError, match="no demo made"):
        instance.clear_demo(home)
    assert (home / "precious.txt").read_text() == "mine"
    assert not (home / instance.DEMO_MARKER).exists()


def test_a_demo_does_not_follow_links_out_of_its_home(home, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious.txt").write_text("mine")
    instance.clear_demo(home)
    (home / "link").symlink_to(outside)
    instance.clear_demo(home)
    assert (outside / "precious.txt").exists()


def test_children_learn_where_they_listen(home):
    env = instance.environment(home, Address("127.0.0.1", 8171), workers=2, inherited={})
    assert env["BASE_URL"] == "http://127.0.0.1:8171"
    assert env["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:8171/mlflow"
    assert (env["COUNTERSIGN_HOME"], env["WORKERS"]) == (str(home), "2")


def test_what_was_set_by_hand_wins(home):
    given = {"BASE_URL": "https://ml.example", "COUNTERSIGN_HOME": "/elsewhere"}
    env = instance.environment(home, Address("0.0.0.0", 80), workers=1, inherited=given)  # noqa: S104
    assert env["BASE_URL"] == "https://ml.example"
    assert env["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:80/mlflow"
    assert env["COUNTERSIGN_HOME"] == str(home)


def test_a_persons_own_client_settings_do_not_reach_the_jobs(home):
    given = {"MLFLOW_TRACKING_URI": "http://elsewhere", "MLFLOW_TRACKING_TOKEN": "mine"}
    env = instance.environment(home, Address("127.0.0.1", 8171), workers=1, inherited=given)
    assert env["MLFLOW_TRACKING_URI"] == "http://127.0.0.1:8171/mlflow"
    assert "MLFLOW_TRACKING_TOKEN" not in env


def test_a_demo_inherits_no_place_of_a_real_instance():
    given = {"DATABASE_URL": "postgresql://real", "SECRET_KEY": "real", "PATH": "/bin"}
    assert instance.without_places(given) == {"PATH": "/bin"}


def test_every_place_in_the_settings_is_kept_from_the_demo():
    source = (instance.Path(instance.__file__).parent / "settings.py").read_text()
    named = {name for name in source.split('"') if name.isupper() and "_" in name}
    places = {name for name in named if name.endswith(("_URL", "_URI", "_FILE", "_ROOT", "_STORE"))}
    written = {
        name for name in places if f'env.str("{name}"' in source or f'env.db("{name}"' in source
    }
    assert written <= {*instance.PLACES, *instance.CLIENT_SETTINGS}


def test_an_ipv6_address_is_written_in_brackets():
    address = Address("::1", 8000)
    assert (address.url, address.bind) == ("http://[::1]:8000", "[::1]:8000")


def test_each_child_gets_a_log_file(home):
    sink = instance.log_files(home / "logs")
    sink("web", "one")
    sink("web", "two")
    assert (home / "logs" / "web.log").read_text() == "one\ntwo\n"
