from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("projects", "0003_move_scope_texts_to_rows")]
    operations = [
        migrations.AlterField(
            "scopingdocument",
            "schema_version",
            models.PositiveSmallIntegerField(default=2, editable=False),
        ),
        migrations.RemoveField("scopingdocument", "monitoring_plan_text"),
        migrations.RemoveField("scopingdocument", "open_questions_text"),
    ]
