"""The account and the clients of `authsvc dev`: fixed and published. Never for production."""

from uuid import UUID

DEMO_ACCOUNT_ID = UUID("00000000-0000-7000-8000-00000000de30")
DEMO_USERNAME = "demo"
DEMO_PASSWORD = "correct horse battery staple"  # noqa: S105 - published on purpose
DEMO_PUBLIC_CLIENT_ID = "demo-app"
DEMO_INTROSPECTING_CLIENT_ID = "demo-service"
DEMO_INTROSPECTING_CLIENT_SECRET = "demo-service-secret"  # noqa: S105 - published on purpose
