"""What is told of the monitors of a model version."""

from datetime import timedelta

import pytest
from django.utils import timezone

from pipeline.models import DriftReport, Monitor
from pipeline.subjects import ModelVersionResolver

pytestmark = pytest.mark.django_db


def monitors_of(version):
    return ModelVersionResolver().resolve(version.ref).attributes["monitors"]


def report(monitor, version, days_ago):
    now = timezone.now()
    return DriftReport.objects.create(
        monitor=monitor,
        version=version,
        window_start=now - timedelta(days=days_ago + 30),
        window_end=now - timedelta(days=days_ago),
        row_count=1,
        labelled_count=0,
        features={},
        limits={},
        created_at=now - timedelta(days=days_ago),
    )


@pytest.fixture
def version(world):
    return world.version()


def test_a_version_that_nobody_watches_has_no_monitors(version):
    assert monitors_of(version) == []


def test_a_monitor_tells_when_it_last_reported_on_this_very_version(world, version):
    monitor = Monitor.objects.create(deployment=world.deployment(version), window_days=7)
    other = world.version(2)
    report(monitor, other, days_ago=0)
    (one,) = monitors_of(version)
    assert (one["ref"], one["window_days"], one["last_report_at"]) == (monitor.ref, 7, None)
    report(monitor, version, days_ago=9)
    newest = report(monitor, version, days_ago=3)
    (one,) = monitors_of(version)
    assert one["last_report_at"] == newest.created_at.isoformat()
    assert monitors_of(other) == []


def test_a_monitor_that_was_switched_off_watches_nothing(world, version):
    monitor = Monitor.objects.create(deployment=world.deployment(version))
    assert len(monitors_of(version)) == 1
    Monitor.objects.filter(pk=monitor.pk).update(is_active=False)
    assert monitors_of(version) == []
