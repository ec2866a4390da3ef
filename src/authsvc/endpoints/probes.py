"""GET /healthz, /readyz and /metrics."""

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from authsvc import metrics
from authsvc.endpoints.schemas import HealthResponse, ReadinessResponse
from authsvc.endpoints.services import ServicesOf, StopOf

router = APIRouter(tags=["operations"])


@router.get("/healthz", summary="Is the process alive", response_description="It is.")
async def healthz() -> HealthResponse:
    """Answer 200 as long as the process serves, whatever the stores do. Anyone may ask; no store is."""
    return HealthResponse()


@router.get(
    "/readyz",
    summary="Can it serve",
    response_model=ReadinessResponse,
    responses={
        200: {"description": "It can, perhaps not everything."},
        503: {
            "model": ReadinessResponse,
            "description": "Neither store answers, or the only one does not; or the instance is stopping.",
        },
    },
)
async def readyz(services: ServicesOf, stop: StopOf) -> Response:
    """Say how each store is. `degraded` still checks access tokens; without the database only JWTs.

    `stopping`: it was told to stop and still accepts, so that nothing is lost before others have noticed.
    Anyone may ask. Each store is asked once, for as long as its time-out at most. It changes nothing.
    """
    states = await services.stores.states()
    if stop.has_begun:
        status = "stopping"
    elif "away" not in states.values():
        status = "ready"
    elif states["database"] == "ok" or (states["redis"] == "ok" and services.issues_stateless):
        status = "degraded"
    else:
        status = "unready"
    reason = services.stores.redis_reason
    reasons = {} if reason is None else {"redis_reason": reason}
    return JSONResponse(
        {"status": status, **states, **reasons}, 200 if status in {"ready", "degraded"} else 503
    )


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={
        200: {
            "description": "The metrics in the text format of Prometheus.",
            "content": {"text/plain": {"schema": {"type": "string"}}},
        }
    },
)
async def read_metrics() -> Response:
    """Return the counts of this server, all its workers together. No secret and no name is in a label.

    Anyone who reaches the service may ask; keep it from outside at the proxy. No store is asked.
    """
    return Response(metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
