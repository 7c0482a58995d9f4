from django.db import migrations


def move(apps, schema_editor):
    """Give drafts of the first schema their texts as rows; submitted versions keep their snapshot."""
    document = apps.get_model("projects", "ScopingDocument")
    signal = apps.get_model("projects", "MonitoringSignal")
    question = apps.get_model("projects", "OpenQuestion")
    for draft in document.objects.filter(status="draft").iterator():
        for line in _lines(draft.monitoring_plan_text):
            signal.objects.create(scope=draft, signal="performance", action=line)
        for line in _lines(draft.open_questions_text):
            question.objects.create(scope=draft, question=line)
        document.objects.filter(pk=draft.pk).update(schema_version=2)


def _lines(text):
    return [line.strip()[:300] for line in text.splitlines() if line.strip()]


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_scope_in_depth")]
    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
