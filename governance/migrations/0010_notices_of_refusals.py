"""A notice may tell of a review that was refused, of which there is only the project."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def name_the_projects(apps, schema_editor):
    notices = apps.get_model("governance", "ReviewNotice").objects
    reviews = apps.get_model("governance", "GateReview").objects
    project = reviews.filter(pk=OuterRef("review")).values("project")
    notices.update(project=Subquery(project))


class Migration(migrations.Migration):
    dependencies = [("governance", "0009_nobody_can_sign"), ("projects", "__first__")]

    operations = [
        migrations.AddField(
            "reviewnotice",
            "project",
            models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.CASCADE, related_name="+",
                to="projects.project",
            ),
        ),
        migrations.RunPython(name_the_projects, migrations.RunPython.noop),
        migrations.AlterField(
            "reviewnotice",
            "project",
            models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+",
                to="projects.project",
            ),
        ),
        migrations.AlterField(
            "reviewnotice",
            "review",
            models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.CASCADE,
                related_name="notices", to="governance.gatereview",
            ),
        ),
    ]
