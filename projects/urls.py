"""Addresses of the pages of projects."""

from django.urls import path, re_path

from projects import item_urls
from projects.views import (
    board,
    board_commands,
    ceremonies,
    charts,
    commands,
    compare_scopes,
    exchange,
    matrix,
    portfolio,
    project,
    reports,
    scope_changes,
    scopes,
    sprints,
)

app_name = "projects"

urlpatterns = [
    *item_urls.urlpatterns,
    path("projects/", portfolio.project_list, name="project-list"),
    path("projects/portfolio.svg", portfolio.portfolio_picture, name="portfolio-picture"),
    path("projects/<slug:slug>/", project.project_detail, name="project"),
    path(
        "projects/<slug:slug>/compare-scopes/",
        compare_scopes.compare_scopes,
        name="compare-scopes",
    ),
    path("scopes/<int:pk>/", scopes.scope_detail, name="scope"),
    path("scopes/<int:pk>/attach/", scopes.attach_to_scope, name="scope-attach"),
    path("scopes/<int:pk>/changes/", scope_changes.changes_page, name="scope-changes"),
    path("scopes/<int:pk>/words/", scope_changes.edit_words, name="scope-words"),
    path("deviations/<int:pk>/explain/", scope_changes.explain, name="deviation-explain"),
    path("deviations/<int:pk>/decide/", scope_changes.decide, name="deviation-decide"),
    path("scopes/<int:pk>/submit/", commands.submit_scope, name="scope-submit"),
    path("scopes/<int:pk>/withdraw/", commands.withdraw_scope, name="scope-withdraw"),
    path("scopes/<int:pk>/matrix/", matrix.matrix_page, name="matrix"),
    path("scopes/<int:pk>/matrix/totals.svg", matrix.totals_chart, name="matrix-totals"),
    path("scopes/<int:pk>/matrix/flip.svg", matrix.flip_chart, name="matrix-flip"),
    path("projects/<slug:slug>/charts/", charts.project_charts, name="charts"),
    path("projects/<slug:slug>/charts/<slug:name>.svg", charts.project_chart, name="chart"),
    path(
        "projects/<slug:slug>/charts/<slug:name>.csv",
        charts.project_chart_table,
        name="chart-table",
    ),
    path("sprints/<int:pk>/report/", reports.sprint_report, name="sprint-report"),
    path("sprints/<int:pk>/charts/", charts.sprint_charts, name="sprint-charts"),
    path("sprints/<int:pk>/charts/<slug:name>.svg", charts.sprint_chart, name="sprint-chart"),
    path(
        "sprints/<int:pk>/charts/<slug:name>.csv",
        charts.sprint_chart_table,
        name="sprint-chart-table",
    ),
    path("sprints/<int:pk>/board/", board.sprint_board, name="board"),
    path("projects/<slug:slug>/board/", board.project_board, name="project-board"),
    path("projects/<slug:slug>/board/limits/", board_commands.set_limits, name="wip-limits"),
    path("projects/<slug:slug>/backlog/", board.backlog, name="backlog"),
    path("projects/<slug:slug>/backlog/add/", board_commands.add_item, name="backlog-add"),
    path("projects/<slug:slug>/import/", exchange.import_page, name="import"),
    path("projects/<slug:slug>/backlog.<slug:form>", exchange.export_file, name="backlog-export"),
    path("work-items/<int:pk>/runs/", board.item_runs, name="item-runs"),
    path("work-items/<int:pk>/runs/link/", board_commands.link_run, name="item-link-run"),
    path("work-items/<int:pk>/runs/unlink/", board_commands.unlink_run, name="item-unlink-run"),
    re_path(
        r"^sprints/(?P<pk>\d+)/(?P<verb>start|close|cancel)/$",
        sprints.sprint_command,
        name="sprint-command",
    ),
    path("work-items/<int:pk>/move/", board_commands.move_item, name="item-move"),
    path("sprints/<int:pk>/planning/", ceremonies.planning, name="planning"),
    path("sprints/<int:pk>/review/", ceremonies.review, name="sprint-review"),
    path("sprints/<int:pk>/retrospective/", ceremonies.retrospective, name="retrospective"),
    path("projects/<slug:slug>/meetings/", ceremonies.meetings, name="meetings"),
    re_path(
        r"^retrospective-actions/(?P<pk>\d+)/(?P<verb>close|drop)/$",
        ceremonies.end_action,
        name="retro-action",
    ),
    path("sprints/<int:pk>/closing/", sprints.closing, name="closing"),
    path("sprints/<int:pk>/reaffirm/", sprints.reaffirm_sprint, name="sprint-reaffirm"),
    path("work-items/<int:pk>/schedule/", commands.schedule_item, name="item-schedule"),
]
