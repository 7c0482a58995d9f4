"""Settings of the whole service, read top to bottom; every value may come from the environment."""

import os
import secrets
from pathlib import Path

import environ

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parent.parent
# Run-time files: databases, artifacts, keys. `demo` points this at var/demo.
HOME = Path(env.str("COUNTERSIGN_HOME", default=str(BASE_DIR / "var"))).resolve()


def _secret_key() -> str:
    """Return the key from the environment or from the key file, making the file on first use."""
    given: str = env.str("SECRET_KEY", default="")
    if given:
        return given
    path = HOME / "keys" / "secret_key"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    except OSError:
        # `up` names an unwritable home in one sentence; a process-local key keeps `check` usable.
        return secrets.token_urlsafe(48)
    key = secrets.token_urlsafe(48)
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return key


SECRET_KEY = _secret_key()
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# Absolute address used in messages that leave the browser: MLflow refusals, e-mail, exports.
DEFAULT_BASE_URL = "http://127.0.0.1:8000"
BASE_URL = env.str("BASE_URL", default=DEFAULT_BASE_URL).rstrip("/")

INSTALLED_APPS = [
    "config.apps.CountersignAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "axes",
    "csp",
    "django_q",
    "ledger.apps.LedgerConfig",
    "projects.apps.ProjectsConfig",
    "governance.apps.GovernanceConfig",
    "pipeline.apps.PipelineConfig",
    "config.apps.ConfigConfig",
]

MIDDLEWARE = [
    "config.middleware.ClientAddressMiddleware",
    "config.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
    "config.middleware.RefusalMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- Database -------------------------------------------------------------------------------------

SQLITE_OPTIONS = {
    # A writer takes the lock when its transaction begins, so two writers queue instead of failing.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    # recursive_triggers: without it INSERT OR REPLACE walks past the append-only triggers.
    "init_command": (
        "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
        "PRAGMA foreign_keys=ON;PRAGMA recursive_triggers=ON;"
    ),
}
DATABASES = {"default": env.db("DATABASE_URL", default=f"sqlite:///{HOME}/countersign.sqlite3")}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = SQLITE_OPTIONS
else:
    DATABASES["default"].update({"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- People ---------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "home"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "config.errors.locked_out"
CSRF_FAILURE_VIEW = "config.errors.csrf_failure"
SESSION_COOKIE_SECURE = env.bool("SECURE_COOKIES", default=False)
CSRF_COOKIE_SECURE = SESSION_COOKIE_SECURE
SESSION_COOKIE_AGE = 12 * 60 * 60
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", default=0)
SECURE_SSL_REDIRECT = env.bool("SSL_REDIRECT", default=False)
if env.bool("TLS_PROXY", default=False):
    # Only behind a proxy that sets this header itself; a client could claim TLS otherwise.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
# How many proxies in front add to X-Forwarded-For; with 0 the caller is whoever is connected.
PROXY_HOPS = env.int("PROXY_HOPS", default=0)
X_FRAME_OPTIONS = "DENY"

CONTENT_SECURITY_POLICY = {
    # The MLflow UI ships inline styles and scripts of its own; the gateway sets its policy itself.
    "EXCLUDE_URL_PREFIXES": ["/mlflow/"],
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
    },
}

# --- REST -----------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "config.api.authentication.KnoxTokenAuthentication",
        "config.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_FILTER_BACKENDS": [
        "django_filters.rest_framework.DjangoFilterBackend",
        "rest_framework.filters.OrderingFilter",
    ],
    "DEFAULT_PAGINATION_CLASS": "config.api.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "config.api.problems.exception_handler",
    "PAGE_SIZE": 50,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Countersign",
    "DESCRIPTION": "Scoped sprints, recorded reviews, governed model promotions.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    # One group of operations for each resource.
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "GateReviewStatusEnum": "governance.models.GateReview.Status",
        "JobStatusEnum": "pipeline.models.Job.Status",
        "PolicyVersionStatusEnum": "governance.models.PolicyVersion.Status",
        "RoleEnum": "projects.models.Stakeholder.Role",
        "ScopingDocumentStatusEnum": "projects.models.ScopingDocument.Status",
        "SignOffOutcomeEnum": "governance.models.SignOff.Outcome",
        "CeremonyKindEnum": "projects.models.Ceremony.Kind",
        "RetroNoteKindEnum": "projects.models.RetrospectiveNote.Kind",
        "SprintKindEnum": "projects.models.Sprint.Kind",
        "SprintStatusEnum": "projects.models.Sprint.Status",
        "TierEnum": "projects.models.Project.Tier",
        "WipLimitModeEnum": "projects.models.WipLimit.Mode",
        "WorkItemKindEnum": "projects.models.WorkItem.Kind",
        "WorkItemOutcomeEnum": "projects.models.WorkItem.Outcome",
        "WorkItemStatusEnum": "projects.models.WorkItem.Status",
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api.schema.add_problems",
    ],
}
REST_KNOX = {
    "TOKEN_TTL": None,  # set per token when it is made
    "AUTO_REFRESH": False,
    # What MLFLOW_TRACKING_TOKEN and every HTTP client send.
    "AUTH_HEADER_PREFIX": "Bearer",
}
KNOX_TOKEN_MODEL = "config.ApiToken"  # noqa: S105 - a model, not a secret
API_TOKEN_DAYS = env.int("API_TOKEN_DAYS", default=30)
API_TOKEN_MAX_DAYS = env.int("API_TOKEN_MAX_DAYS", default=365)

# --- Background work ------------------------------------------------------------------------------

REDIS_URL = env.str("REDIS_URL", default="")
Q_CLUSTER = {
    "name": "countersign",
    "workers": env.int("WORKERS", default=1),
    "timeout": 900,
    # Longer than any task may take: a shorter value would start a second copy beside the first.
    "retry": 1200,
    "max_attempts": 3,
    "ack_failures": True,
    "poll": 0.2,
    "catch_up": False,
    "save_limit": 500,
    "label": "Queue",
    **({"redis": REDIS_URL} if REDIS_URL else {"orm": "default"}),
}

# --- Wiring: upper layers plug into lower ones by dotted path; see config/checks.py ---------------

SPRINT_GUARDS = [
    "projects.guards.require_kind",
    "governance.guards.require_approved_scope",
    "governance.guards.require_approved_data",
    "governance.guards.require_experiment_review",
    "governance.guards.require_validated_version",
    "governance.guards.require_live_version",
]
# Told when a project takes another risk tier, in the same transaction.
TIER_LISTENERS = ["governance.services.rerouting.reroute_reviews"]
# What upper layers tell the pages of a project; see projects/facts.py.
RUN_SOURCE = "pipeline.facts.runs_of"
RUN_REFRESHER = "pipeline.facts.refresh_runs"
RUN_TIER = "pipeline.facts.tie_run"
RUN_UNTIER = "pipeline.facts.untie_run"
DEPLOYMENT_SOURCE = "pipeline.facts.deployments_of"
GATE_SOURCE = "governance.facts.gates_of"
FINDING_SOURCE = "governance.facts.findings_of"
SURVIVAL_SOURCE = "governance.services.carrying.survivals_of"
SIGNER_SOURCE = "governance.services.eligibility.signers_lacking"
# The same for many projects at once, in as many queries as for one.
PORTFOLIO_SOURCES = {
    "gates": "governance.facts.gates_of_all",
    "findings": "governance.facts.findings_of_all",
    "waivers": "governance.facts.live_waivers_of_all",
    "deployments": "pipeline.facts.deployments_of_all",
}
# Names under which people commit code that are not the address of their account here:
# `sam@home.example=sam,bot@ci.example=mia`.
COMMIT_IDENTITIES = {
    name.casefold(): user for name, user in env.dict("COMMIT_IDENTITIES", default={}).items()
}
SUBJECT_RESOLVERS = {
    "scoping_document": "governance.subjects.ScopingDocumentResolver",
    "dataset_version": "pipeline.subjects.DatasetVersionResolver",
    "model_version": "pipeline.subjects.ModelVersionResolver",
}

# --- MLflow ---------------------------------------------------------------------------------------

# Database that MLflow's own tables live in, as SQLAlchemy spells it, without our scheme.
MLFLOW_DATABASE_URI = env.str("MLFLOW_DATABASE_URI", default=f"sqlite:///{HOME}/mlflow.sqlite3")
ARTIFACT_ROOT = Path(env.str("ARTIFACT_ROOT", default=str(HOME / "artifacts")))
# Content-addressed copies of everything that was ever put up for review.
CONTENT_STORE = Path(env.str("CONTENT_STORE", default=str(HOME / "content")))
# The policies that `prepare` installs, `<name>.yaml`, where there is none of that name yet.
POLICY_DIR = Path(env.str("POLICY_DIR", default=str(BASE_DIR / "fixtures" / "policies")))
# Published readiness policies, `<number>.yaml`; the highest number judges.
READINESS_POLICY_DIR = Path(
    env.str("READINESS_POLICY_DIR", default=str(BASE_DIR / "fixtures" / "policies" / "readiness"))
)
# The largest file that may be attached to a work item or a scoping document.
ATTACHMENT_MAX_BYTES = env.int("ATTACHMENT_MAX_BYTES", default=10 * 1024 * 1024)
# Where jobs and the demo reach the gateway; the mounted one unless told otherwise.
MLFLOW_TRACKING_URI = env.str("MLFLOW_TRACKING_URI", default=f"{BASE_URL}/mlflow")

# --- Ledger ---------------------------------------------------------------------------------------

LEDGER_ORIGIN = env.str("LEDGER_ORIGIN", default="countersign.local/ledger")
LEDGER_KEY_FILE = Path(env.str("LEDGER_KEY_FILE", default=str(HOME / "keys" / "ledger_ed25519")))
LEDGER_ANCHORS = env.list("LEDGER_ANCHORS", default=["ledger.anchors.append_to_file"])
LEDGER_ANCHOR_FILE = HOME / "anchors" / "checkpoints.txt"

# --- The rest -------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "config" / "static"]
WHITENOISE_USE_FINDERS = True
# A scoping document with all its rows is one form of thousands of fields.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024
# Without a mail server messages are written to files, where they can be looked at.
EMAIL_BACKEND = env.str("EMAIL_BACKEND", default="django.core.mail.backends.filebased.EmailBackend")
EMAIL_FILE_PATH = HOME / "mail"
EMAIL_HOST = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", default="Countersign <countersign@localhost>")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="WARNING")},
}
