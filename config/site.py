"""The admin site: names, index and the pages that hang on it."""

from django.contrib.admin import AdminSite


class CountersignAdminSite(AdminSite):
    """Django's admin under Countersign's name."""

    site_header = "Countersign"
    site_title = "Countersign"
    index_title = "Overview"
    enable_nav_sidebar = True
