"""The life of the services: their stores are checked, what a first start needs is made, and all is closed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from authsvc.clock import Clock, SharedClock, system_clock
from authsvc.errors import OperatorError
from authsvc.settings import Settings
from authsvc.storage.patience import patiently
from authsvc.wiring import Services, build_services


@asynccontextmanager
async def open_services(
    settings: Settings, *, clock: Clock | None = None, wait_seconds: float = 0
) -> AsyncIterator[Services]:
    """Check the stores, make what a first start needs, and yield the services.

    Without *clock* theirs is that of Postgres, or this host's where the database is a file of it.

    Raises:
        OperatorError: the database is still away after *wait_seconds*, is behind its migrations or
            ahead of this version, its signing keys are of another secret, or Redis evicts.
    """
    services = build_services(
        settings, clock=clock or (system_clock if settings.is_embedded else SharedClock())
    )

    async def prepare() -> None:
        await services.stores.check()
        if services.timekeeper is not None:
            await services.timekeeper.begin()
        await services.key_rotation.ensure()
        await services.reload()
        if not services.keys.can_sign():
            raise OperatorError(
                "AUTHSVC_SECRET_KEYS: none of them decrypts the signing keys in the database. "
                "Add the secret that the service ran with before; it may stand behind the new one."
            )
        if services.stores.upkeep is not None:
            await services.stores.upkeep.try_to_look(seconds=30)
        await services.stores.guess_counters.look()

    try:
        await patiently(prepare, seconds=wait_seconds)
        services.stores.database.outages.forget()
        yield services
    finally:
        services.hasher.close()
        await services.stores.close()
