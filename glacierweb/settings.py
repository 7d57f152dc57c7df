"""Settings from the environment; a wrong value stops the start with a sentence. `.env.example` lists them all."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from urllib.parse import urlparse

import environ
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from glacierweb import gdal_drivers
from glacierweb.static_version import version_of

BASE_DIR = Path(__file__).resolve().parent.parent
_reader = environ.Env()
if (BASE_DIR / ".env").is_file():
    _reader.read_env(BASE_DIR / ".env")


def env(name: str, default: str) -> str:
    """Text."""
    return os.environ.get(name, default)


def env_bool(name: str, default: str) -> bool:
    """on/off, true/false, yes/no or 1/0."""
    value = os.environ.get(name, default).lower()
    if value not in {"on", "off", "true", "false", "yes", "no", "1", "0"}:
        raise ImproperlyConfigured(f"{name}={value}: use on or off")
    return value in {"on", "true", "yes", "1"}


def env_int(name: str, default: str) -> int:
    """A whole number."""
    value = os.environ.get(name, default)
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value}: use a whole number") from None


def env_list(name: str, default: str) -> list[str]:
    """Words separated by commas."""
    return [word.strip() for word in os.environ.get(name, default).split(",") if word.strip()]


def env_json(name: str, default: str) -> dict:
    """A JSON object; an empty text is the default, as compose files pass on what is not set."""
    value = os.environ.get(name) or default
    try:
        found = json.loads(value)
    except json.JSONDecodeError as error:
        raise ImproperlyConfigured(f"{name} is not JSON ({error}); write an object such as {default}") from None
    if not isinstance(found, dict):
        raise ImproperlyConfigured(f"{name} must be a JSON object such as {default}")
    return found


def env_secret(name: str, debug: bool) -> str:
    """A secret; outside of debugging there is no default."""
    value = os.environ.get(name, "")
    if value:
        return value
    if debug or "test" in Path(sys.argv[0]).name:
        return "not-a-secret-only-for-debugging"
    raise ImproperlyConfigured(f"{name} is not set: put a long random text there (bin/up makes one under var/)")


DEBUG = env_bool("DEBUG", "off")
HTTPS = env_bool("HTTPS", "on")
SECRET_KEY = env_secret("SECRET_KEY", DEBUG)
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", "")
DATA_ROOT = Path(env("DATA_ROOT", str(BASE_DIR / "var" / "data"))).resolve()
BACKUP_ROOT = Path(env("BACKUP_ROOT", str(BASE_DIR / "var" / "backups"))).resolve()
STAC_CATALOGUES = env_json("STAC_CATALOGUES", "{}")
BASEMAPS = env_json("BASEMAPS", "{}")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.gis",
    "csp",
    "rest_framework",
    "rest_framework.authtoken",
    "rest_framework_gis",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "leaflet",
    "glacierweb",
    "inventory",
    "predictions",
    "workers",
]

MIDDLEWARE = [
    "glacierweb.middleware.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "glacierweb.middleware.PublicCorsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "glacierweb.throttles.TileThrottleMiddleware",
    "glacierweb.reads.PublicReadMiddleware",
    "glacierweb.middleware.ProblemMiddleware",
]

ROOT_URLCONF = "glacierweb.urls"
WSGI_APPLICATION = "glacierweb.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
            ],
        },
    },
]


def database(name: str, default: str) -> dict:
    """A PostGIS database from its URL; connections fail within seconds instead of hanging.

    The planner thinks PostGIS functions so costly that it compiles queries for longer than they run: not here.
    """
    found = environ.Env.db_url_config(env(name, default), engine="django.contrib.gis.db.backends.postgis")
    found.setdefault("OPTIONS", {}).update(
        {
            "connect_timeout": 2,
            "options": f"-c jit=off -c lock_timeout={env_int('DATABASE_LOCK_TIMEOUT_MS', '10000')}",
        }
    )
    found["CONN_MAX_AGE"] = 60
    found["CONN_HEALTH_CHECKS"] = True
    found["TEST"] = {"NAME": env("GLACIERWEB_TEST_DB", "test_glacierweb")}
    return found


DATABASES = {"default": database("DATABASE_URL", "postgis://glacierweb@localhost:5432/glacierweb")}
# The address of the role that can only SELECT. Tests have a database of their own, which it would not lead to.
DATABASE_READ_URL = "" if "PYTEST_VERSION" in os.environ else env("DATABASE_READ_URL", "")
if DATABASE_READ_URL:
    DATABASES["reads"] = database("DATABASE_READ_URL", "")
    DATABASES["reads"]["OPTIONS"]["options"] = ""  # the role has its own limits
DATABASE_ROUTERS = ["glacierweb.reads.PublicReads"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = env("REDIS_URL", "redis://localhost:6379/0")
if urlparse(REDIS_URL).scheme not in {"redis", "rediss", "redis+socket", "unix"}:
    raise ImproperlyConfigured(f"REDIS_URL={REDIS_URL}: use redis://[:password@]host:port/number")

# The database is the queue's truth, Redis only carries the news: nothing is kept in a result backend, every socket
# gives up within seconds, and a message that stays unacknowledged longer than the hard limit comes back at once.
TASK_HARD_LIMIT_S = env_int("TASK_HARD_LIMIT_S", "14400")
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_TIMEOUT = 2
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 2,
    "socket_connect_timeout": 2,
    "socket_keepalive": True,
    "visibility_timeout": TASK_HARD_LIMIT_S + 3600,
    "unacked_restore_throttle": 1,
    "max_retries": 1,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0.2, "interval_step": 0.2, "interval_max": 1}
CELERY_IMPORTS = ["glacierweb.delivery"]
TASKS_MODULE = "workers.tasks"  # loaded in the worker's child when its first run arrives
RUN_KINDS = ("find_scenes", "fetch_scene", "segment", "area_series", "forecast", "train", "evaluate", "flow", "track")
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = TASK_HARD_LIMIT_S
CELERY_TASK_SOFT_TIME_LIMIT = TASK_HARD_LIMIT_S - 60
CELERY_TASK_DEFAULT_QUEUE = "io"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TIMEZONE = "UTC"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

# Debugging serves what lies there now; otherwise the address says which version, and browsers never ask again.
STATIC_VERSION = version_of(BASE_DIR / "static", BASE_DIR / "package-lock.json", BASE_DIR / "requirements.lock")
STATIC_URL = "/static/" if DEBUG else f"/static/{STATIC_VERSION}/"
WHITENOISE_IMMUTABLE_FILE_TEST = "(?!)" if DEBUG else "."
STATIC_ROOT = Path(env("STATIC_ROOT", str(BASE_DIR / "var" / "static")))
STATICFILES_DIRS: list[Path | tuple[str, Path]] = [BASE_DIR / "static"]
NPM_PACKAGES = ["maplibre-gl", "@maplibre/maplibre-gl-leaflet", "echarts", "topojson-client", "world-atlas"]
STATICFILES_DIRS += [
    (f"npm/{package}", BASE_DIR / "node_modules" / package)
    for package in NPM_PACKAGES
    if (BASE_DIR / "node_modules" / package).is_dir()
]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/admin/"
LOGOUT_REDIRECT_URL = "/"
LOGIN_TRIES_PER_MINUTE = env_int("LOGIN_TRIES_PER_MINUTE", "5")
READS_PER_MINUTE = {
    "searches": env_int("SEARCHES_PER_MINUTE", "60"),
    "items": env_int("ITEMS_PER_MINUTE", "600"),
    "tiles": env_int("TILES_PER_MINUTE", "6000"),
}
TRAININGS_PER_DAY = env_int("TRAININGS_PER_DAY", "20")
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$", r"^metrics$"]  # asked from inside, past the proxy
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
BEHIND_PROXY = env_bool("BEHIND_PROXY", "off")
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

_basemap_hosts = sorted({f"https://{urlparse(layer['url']).netloc}" for layer in BASEMAPS.values()})
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", "blob:", *_basemap_hosts],
        "connect-src": [SELF, *_basemap_hosts],
        "worker-src": [SELF],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["glacierweb.permissions.ReadOrStaff"],
    "DEFAULT_THROTTLE_CLASSES": ["glacierweb.throttles.ReadThrottle"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": [
        "glacierweb.json_bodies.BoundedJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_PAGINATION_CLASS": "glacierweb.paging.KeysetPagination",
    "DEFAULT_SCHEMA_CLASS": "glacierweb.api_schema.ResourceSchema",
    "EXCEPTION_HANDLER": "glacierweb.problems.exception_handler",
    "URL_FORMAT_OVERRIDE": None,
    "PAGE_SIZE": 100,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "glacierweb",
    "DESCRIPTION": "Glacier outlines, scenes, predicted masks, area series and snow-and-ice forecasts.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "glacierweb.api_schema.with_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "RunState": "glacierweb.models.Run.State",
        "SceneState": "inventory.models.Scene.State",
        "VersionState": "predictions.models.ModelVersion.State",
    },
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
}

# The check asks for a newer GDAL against hostile spatial references. None reaches Django's: what people bring is read
# by pyogrio and rasterio, which carry their own, and only EPSG codes and checked geometry go on from there.
SILENCED_SYSTEM_CHECKS = ["gis.W001"]

LEAFLET_CONFIG = {"RESET_VIEW": False, "DEFAULT_CENTER": (46.0, -30.0), "DEFAULT_ZOOM": 9, "TILES": []}

LOG_LEVEL = env("LOG_LEVEL", "INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "glacierweb.logs.JsonFormatter"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
    "filters": {"skipped_drivers": {"()": "glacierweb.logs.SkippedDrivers"}},
    "root": {"handlers": ["stderr"], "level": LOG_LEVEL},
    # GDAL tells of every driver on its skip list that it does not have; what fails to open says so itself.
    "loggers": {
        "rasterio._env": {"level": "ERROR"},
        "django.contrib.gis": {"filters": ["skipped_drivers"]},
        "numexpr": {"level": "WARNING"},
    },
}

# No file that somebody brings may make GDAL open another file, a network address or a script.
for _name, _value in {
    "GDAL_SKIP": gdal_drivers.skipped(),
    "CPL_LOG": os.devnull,  # what GDAL would print at its start; errors of calls are raised and logged all the same
    "GDAL_VRT_ENABLE_PYTHON": "NO",
    "GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR",
    "CPL_VSIL_CURL_ALLOWED_EXTENSIONS": ".none",
    "GDAL_CACHEMAX": "256",
    "GDAL_PAM_ENABLED": "NO",
    "PROJ_NETWORK": "OFF",
}.items():
    os.environ.setdefault(_name, _value)

RESEND_AFTER_S = env_int("RESEND_AFTER_S", "30")
