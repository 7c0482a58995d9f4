"""Who is tried at every door: the cast, and one person in each of the roles that it leaves out."""

from projects.models import Stakeholder
from tests.factories import CAST

OTHERS = {
    "cara": Stakeholder.Role.SUBJECT_MATTER_EXPERT,
    "egon": Stakeholder.Role.EXECUTIVE,
    "emil": Stakeholder.Role.DATA_ENGINEER,
    "olga": Stakeholder.Role.OPERATIONS,
    "pia": Stakeholder.Role.PRIVACY_OFFICER,
}
MEMBERS = {**CAST, **OTHERS}
