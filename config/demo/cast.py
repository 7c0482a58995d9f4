"""The people of the story, made as an administrator would make them."""

import secrets
from dataclasses import dataclass, field

from django.contrib.auth.models import Permission, User
from django.db import transaction

from config.demo.doors import Visitor
from projects.actors import person
from projects.models import Project, Stakeholder
from projects.services import projects

Role = Stakeholder.Role

#: username -> (first name, last name, roles). Lena and Sam wear two hats, as people do in small
#: teams; the separation rules have to find that out by themselves.
PEOPLE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "lena": ("Lena", "Lund", (Role.LEAD, Role.BUSINESS_OWNER)),
    "bruno": ("Bruno", "Baum", (Role.BUSINESS_OWNER,)),
    "dora": ("Dora", "Diaz", (Role.DATA_OWNER,)),
    "sam": ("Sam", "Sato", (Role.DATA_SCIENTIST, Role.VALIDATOR)),
    "mia": ("Mia", "Moreau", (Role.ML_ENGINEER,)),
    "vera": ("Vera", "Vance", (Role.VALIDATOR,)),
    "rita": ("Rita", "Rossi", (Role.RISK_OFFICER,)),
    "olga": ("Olga", "Orlova", (Role.OPERATIONS,)),
    "pia": ("Pia", "Pohl", (Role.PRIVACY_OFFICER,)),
    "cara": ("Cara", "Conti", (Role.SUBJECT_MATTER_EXPERT,)),
    "axel": ("Axel", "Adler", (Role.AUDITOR,)),
    "otto": ("Otto", "Olsen", ()),
}


#: Department by user name: whoever validates at high risk answers to another than the builders.
LINES = {
    **dict.fromkeys(("lena", "sam", "mia"), "Data science"),
    **dict.fromkeys(("bruno", "dora", "cara"), "Retail banking"),
    **dict.fromkeys(("vera", "rita", "pia"), "Risk control"),
    "olga": "IT operations",
    "axel": "Internal audit",
}


@dataclass
class Cast:
    """Everyone by name: their account, their password and their browser."""

    base_url: str
    passwords: dict[str, str] = field(default_factory=dict)
    browsers: dict[str, Visitor] = field(default_factory=dict)

    def password(self, username: str) -> str:
        return self.passwords[username]

    def __getitem__(self, username: str) -> Visitor:
        """Return the person's browser, signed in."""
        if username not in self.browsers:
            visitor = Visitor(self.base_url, username, self.passwords[username])
            self.browsers[username] = visitor.log_in()
        return self.browsers[username]


def make_people(base_url: str) -> Cast:
    """Create the accounts with random passwords, and an administrator who holds no role."""
    cast = Cast(base_url)
    for username, (first, last, _roles) in PEOPLE.items():
        cast.passwords[username] = _make_user(username, first, last).password_text
    cast.passwords["admin"] = _make_user("admin", "Ada", "Admin", is_superuser=True).password_text
    _grant("bruno", "add_project")
    # Axel audits the service, not one project: the ledger tells about all of them.
    _grant("axel", "view_ledgerentry", "view_checkpoint")
    return cast


def _grant(username: str, *codenames: str) -> None:
    granted = Permission.objects.filter(codename__in=codenames)
    User.objects.get(username=username).user_permissions.add(*granted)


@dataclass(frozen=True)
class _NewUser:
    user: User
    password_text: str


def _make_user(username: str, first: str, last: str, *, is_superuser: bool = False) -> _NewUser:
    password = f"{username}-{secrets.token_hex(4)}"
    user, _ = User.objects.update_or_create(
        username=username,
        defaults={
            "first_name": first,
            "last_name": last,
            "email": f"{username}@example.org",
            "is_staff": True,
            "is_superuser": is_superuser,
        },
    )
    user.set_password(password)
    user.save(update_fields=["password"])
    return _NewUser(user, password)


@transaction.atomic
def found_project(
    slug: str, name: str, summary: str, *, tier: str = Project.Tier.MEDIUM
) -> Project:
    """Let Bruno found the project and make Lena its lead; the two give everyone their roles.

    Nobody can give a role to themselves, so each of the two gets the second hat from the other.
    """
    users = {user.username: user for user in User.objects.filter(username__in=PEOPLE)}
    bruno, lena = (person(users[name], method="command") for name in ("bruno", "lena"))
    project = projects.create_project(actor=bruno, slug=slug, name=name, summary=summary, tier=tier)
    for username, (_first, _last, roles) in PEOPLE.items():
        giver = bruno if username == "lena" else lena
        terms = projects.RoleTerms(reporting_line=LINES.get(username, ""))
        for role in roles:
            projects.assign_role(project, actor=giver, user=users[username], role=role, terms=terms)
    return project
