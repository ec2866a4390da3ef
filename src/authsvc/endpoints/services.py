"""How an endpoint gets at the services: they hang on the application's state."""

from typing import Annotated

from fastapi import Depends, Request

from authsvc.wiring import Services


def services_of(request: Request) -> Services:
    """Return the services of the application that *request* came to."""
    services: Services = request.app.state.services
    return services


ServicesOf = Annotated[Services, Depends(services_of)]
