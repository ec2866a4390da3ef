"""What the service is made of: `audit` asks for known holes in it, `sbom` writes it down.

The tools are in an environment of their own, `.venv/.audit`, which `requirements-audit.lock` pins. An audit
that could not ask says "not run" and fails; it never says that all is well.
"""

import filecmp
import json
import shutil
import subprocess
import sys
from pathlib import Path

HOME = Path(".venv/.audit")
TOOLS = Path("requirements-audit.lock")
LOCK = Path("requirements.lock")
SBOM = Path("build/sbom.cdx.json")
FOUND, NOT_RUN = 1, 2


def main(purpose: str) -> int:
    """Do one of the two."""
    return {"audit": audit, "sbom": write_sbom}[purpose]()


def audit() -> int:
    """Ask for the known vulnerabilities of everything that is locked for running the service."""
    if reason := make_tools():
        return not_run(reason)
    options = (
        "--strict",
        "--disable-pip",
        "--require-hashes",
        "--progress-spinner",
        "off",
        "--format",
        "json",
    )
    done = run(str(HOME / "bin/pip-audit"), *options, "--requirement", str(LOCK))
    try:
        answer = json.loads(done.stdout)
    except json.JSONDecodeError:  # it prints its findings, or fails
        return not_run(last_line(done.stderr))
    return report(answer["dependencies"])


def report(dependencies: list[dict[str, object]]) -> int:
    """Print what is known of each package; exit status 1 if that is anything at all."""
    skipped = [one for one in dependencies if "skip_reason" in one]
    if skipped or len(dependencies) < locked():
        return not_run(f"only {len(dependencies) - len(skipped)} of {locked()} packages were looked up")
    holes = [(one["name"], one["version"], hole) for one in dependencies for hole in list_of(one["vulns"])]
    for name, version, hole in holes:
        fixed = ", ".join(hole["fix_versions"]) or "no version yet"
        print(f"{name} {version}: {hole['id']}, fixed in {fixed}")
    print(f"audit: {len(dependencies)} packages looked up, {len(holes)} known vulnerabilities")
    return FOUND if holes else 0


def write_sbom() -> int:
    """Write the bill of materials in the form of CycloneDX; the same lock gives the same bytes."""
    if reason := make_tools():
        print(f"sbom: not written: {reason}")
        return NOT_RUN
    SBOM.parent.mkdir(exist_ok=True)
    options = ("--pyproject", "pyproject.toml", "--output-reproducible", "--of", "JSON", "-o", str(SBOM))
    done = run(str(HOME / "bin/cyclonedx-py"), "requirements", str(LOCK), *options)
    if done.returncode:
        print(f"sbom: not written: {last_line(done.stderr)}")
        return NOT_RUN
    components = len(json.loads(SBOM.read_text(encoding="utf-8"))["components"])
    print(f"sbom: {components} packages in {SBOM}")
    return 0


def make_tools() -> str:
    """Install the tools as they are locked, and say why not if it fails."""
    stamp = HOME / TOOLS.name
    if stamp.exists() and filecmp.cmp(stamp, TOOLS, shallow=False):
        return ""
    print("Installing the tools for it …", flush=True)
    made = run(sys.executable, "-m", "venv", "--clear", str(HOME))
    pip = (str(HOME / "bin/python"), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes")
    if made.returncode == 0:
        made = run(*pip, "--requirement", str(TOOLS))
    if made.returncode:
        return f"its tools cannot be installed: {last_line(made.stderr)}"
    shutil.copy(TOOLS, stamp)
    return ""


def not_run(reason: str) -> int:
    """Say that nothing is known."""
    print(f"audit: not run: {reason}")
    return NOT_RUN


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program to its end."""
    return subprocess.run(command, capture_output=True, text=True, check=False)


def locked() -> int:
    """Say how many packages the lock holds for a machine like this one at least."""
    lines = LOCK.read_text(encoding="utf-8").splitlines()
    return sum("==" in line and " ; " not in line for line in lines)


def list_of(value: object) -> list[dict[str, list[str]]]:
    """Return a list out of JSON."""
    return value if isinstance(value, list) else []


def last_line(text: str) -> str:
    """Return the last thing that a program said."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
