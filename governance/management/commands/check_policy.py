"""`manage.py check_policy FILE`: say what is wrong with a policy's text before it is a draft."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from governance.services.policy_texts import read_text


class Command(BaseCommand):
    """Print every problem as `FILE:LINE:COLUMN`, as compilers do; end with 1 if there is one."""

    help = "Check the YAML of a policy; - reads it from the standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", metavar="FILE")

    def handle(self, *args: Any, file: str, **options: Any) -> None:
        problems = read_text(_text_of(file)).problems
        for one in problems:
            key = f"{one.path}: " if one.path else ""
            place = f"{file}:{one.line}:{one.column}"
            self.stdout.write(f"{place}: {key}{one.message}. {one.hint}")
        if problems:
            raise CommandError(f"{len(problems)} problem(s) in {file}.", returncode=1)
        self.stdout.write(f"{file} is a policy that can be used.")


def _text_of(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"Cannot read {file}: {error}.", returncode=2) from error
