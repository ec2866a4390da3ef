"""One file per URL: HTTP in, HTTP out, nothing decided. `ROUTERS` is the order of /docs."""

from authsvc.endpoints import (
    docs,
    introspect,
    login,
    logout,
    password,
    probes,
    refresh,
    revoke,
    sessions,
    token,
    verify,
    well_known,
)

ROUTERS = tuple(
    module.router
    for module in (
        login,
        token,
        refresh,
        logout,
        introspect,
        revoke,
        verify,
        sessions,
        password,
        well_known,
        probes,
        docs,
    )
)
