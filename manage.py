"""Run Countersign's management commands."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # OpenMP threads that wait shall sleep: spinning ones starve the web process beside them and
    # make training on a busy machine several times slower. Read when the library loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    execute_from_command_line(sys.argv)
