"""Addresses of work items, of what is attached, and of notices."""

from django.urls import path

from projects.views import attachments, item_commands, items, notices

urlpatterns = [
    path("projects/<slug:slug>/work-items/new/", items.new_item, name="item-new"),
    path("work-items/<int:pk>/", items.item_page, name="item"),
    path("work-items/<int:pk>/edit/", item_commands.edit_item, name="item-edit"),
    path("work-items/<int:pk>/conclude/", item_commands.conclude_item, name="item-conclude"),
    path("work-items/<int:pk>/comment/", item_commands.comment_on_item, name="item-comment"),
    path("work-items/<int:pk>/stop/", item_commands.stop_item, name="item-stop"),
    path("work-items/<int:pk>/extend/", item_commands.extend_item, name="item-extend"),
    path("work-items/<int:pk>/depend/", item_commands.depend_item, name="item-depend"),
    path("work-items/<int:pk>/watch/", item_commands.watch_item, name="item-watch"),
    path("work-items/<int:pk>/attach/", attachments.attach_to_item, name="item-attach"),
    path("attachments/<int:pk>/", attachments.download, name="attachment"),
    path("notices/", notices.notice_list, name="notices"),
    path("notices/read/", notices.read_notices, name="notices-read"),
]
