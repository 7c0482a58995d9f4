"""Pages of lists."""

from rest_framework import pagination


class CursorPagination(pagination.CursorPagination):
    """Cursor pages in a stable order, newest first."""

    ordering = "-pk"
    page_size_query_param = "page_size"
    max_page_size = 200
