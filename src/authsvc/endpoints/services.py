"""How an endpoint gets at the services: they hang on the application's state."""

from typing import Annotated

from fastapi import Depends, Request

from authsvc.stopping import Stop
from authsvc.wiring import Services


def services_of(request: Request) -> Services:
    """Return the services of the application that *request* came to."""
    services: Services = request.app.state.services
    return services


def stop_of(request: Request) -> Stop:
    """Return whether the application that *request* came to was told to stop."""
    stop: Stop = request.app.state.stop
    return stop


# Coroutines, though they wait for nothing: the framework calls a plain function in another thread.
async def _services(request: Request) -> Services:
    return services_of(request)


async def _stop(request: Request) -> Stop:
    return stop_of(request)


ServicesOf = Annotated[Services, Depends(_services)]
StopOf = Annotated[Stop, Depends(_stop)]
