"""Run the browser's tests against an `authsvc dev` of their own: `make browser`.

`PICTURES=folder` keeps a picture of each step.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from authsvc import demo_credentials
from tests.clients.service import free_port, running_service

HERE = Path(__file__).parent
SECONDS = 180


def main() -> int:
    """Run them; return node's exit status, or 2 where something is missing."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None or shutil.which("npm") is None:
        print("Chromium or npm not found; on Debian: apt-get install chromium nodejs npm", file=sys.stderr)
        return 2
    if not (HERE / "node_modules").exists():
        print("npm ci: fetching playwright-core", flush=True)
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], cwd=HERE, check=True)
    app_port = free_port()
    origins = f"http://127.0.0.1:{app_port}"
    with running_service("jwt", AUTHSVC_CORS_ORIGINS=origins) as url:
        given = {
            name: str(value) for name, value in vars(demo_credentials).items() if name.startswith("DEMO_")
        }
        given |= {"AUTHSVC_URL": url, "APP_PORT": str(app_port), "CHROMIUM": chromium}
        tests = [str(path) for path in sorted(HERE.glob("*.test.mjs"))]
        command = ["node", "--test", "--test-reporter=spec", "--test-concurrency=1", *tests]
        return subprocess.run(command, env=os.environ | given, timeout=SECONDS, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
