"""The story that `manage.py demo` plays: the governed path on real data, through the real doors."""
