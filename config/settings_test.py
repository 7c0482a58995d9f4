"""What the tests change, and nothing else."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

TEST_HOME = Path(tempfile.mkdtemp(prefix="countersign-test-"))
# Forked children leave through os._exit and so keep their parent's files.
atexit.register(shutil.rmtree, TEST_HOME, ignore_errors=True)
os.environ["COUNTERSIGN_HOME"] = str(TEST_HOME)
os.environ["SECRET_KEY"] = "only-for-tests"  # noqa: S105

from config.settings import *  # noqa: E402, F403
from config.settings import BASE_DIR, DATABASES, Q_CLUSTER, env  # noqa: E402

if url := env.str("COUNTERSIGN_TEST_DATABASE_URL", default=""):
    DATABASES["default"] = env.db_url_config(url)
else:
    # A file, not memory: races need several connections to one database.
    DATABASES["default"]["TEST"] = {"NAME": str(TEST_HOME / "test.sqlite3")}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
Q_CLUSTER["workers"] = 1
(TEST_HOME / "static").mkdir()
# Every test client would look through all static files before its first request.
WHITENOISE_AUTOREFRESH = True
AXES_ENABLED = False
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Anchors outlive the flush between tests; tests of anchors name their own.
LEDGER_ANCHORS = []
# A short way to production; the policies that ship have tests of their own.
POLICY_DIR = BASE_DIR / "tests" / "policies"
