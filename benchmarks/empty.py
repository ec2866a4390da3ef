"""The reference of starts: a FastAPI application with one answer. Run as a program."""

import sys

import uvicorn
from fastapi import FastAPI

if __name__ == "__main__":
    application = FastAPI()

    @application.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Say that it is there."""
        return {"status": "ok"}

    uvicorn.run(application, port=int(sys.argv[1]), log_level="warning", access_log=False)
