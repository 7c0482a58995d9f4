from django.db import migrations


def move(apps, schema_editor):
    """Give drafts of the first schema their texts as rows; submitted versions keep their snapshot."""
    using = schema_editor.connection.alias
    document = apps.get_model("projects", "ScopingDocument").objects.using(using)
    signal = apps.get_model("projects", "MonitoringSignal").objects.using(using)
    question = apps.get_model("projects", "OpenQuestion").objects.using(using)
    for draft in document.filter(status="draft").iterator():
        for line in _lines(draft.monitoring_plan_text):
            signal.create(scope=draft, signal="performance", action=line)
        for line in _lines(draft.open_questions_text):
            question.create(scope=draft, question=line)
        document.filter(pk=draft.pk).update(schema_version=2)


def _lines(text):
    return [line.strip()[:300] for line in text.splitlines() if line.strip()]


class Migration(migrations.Migration):
    dependencies = [("projects", "0002_scope_in_depth")]
    operations = [migrations.RunPython(move, migrations.RunPython.noop)]
