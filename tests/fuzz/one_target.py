"""One target under Atheris, in a process of its own: `tests/fuzz/tokens.py` starts it."""

import asyncio
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["authsvc"]):
    from authsvc.tokens import strict_jwt
    from tests.fixtures.clock import ManualClock
    from tests.fixtures.forge import Forge, mirrored
    from tests.fixtures.stack import ISSUER, Stack, make_settings, migrate, running
    from tests.fuzz.rules import RULES_OF_BYTES, RULES_OF_TEXT
    from tests.fuzz.targets import JWT, SIGNED


def main(target: str) -> None:
    """Hand the fuzzer the function that it is to call."""
    if target in RULES_OF_BYTES:
        fuzz(RULES_OF_BYTES[target])
    elif target in RULES_OF_TEXT:
        rule = RULES_OF_TEXT[target]
        fuzz(lambda data: rule(data.decode("utf-8", "surrogateescape")))
    else:
        with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
            fuzz_tokens(target, Path(folder), runner)


def fuzz_tokens(target: str, folder: Path, runner: asyncio.Runner) -> None:
    """Fuzz a whole service's verifier, over a database of its own."""
    settings = make_settings(f"sqlite+aiosqlite:///{folder}/authsvc.db", None)
    runner.run(migrate(settings))
    opened = running(settings, ManualClock())
    instance: Stack = runner.run(opened.__aenter__())
    key = instance.services.keys.current()
    claims = {
        "iss": ISSUER,
        "sub": "c",
        "aud": ISSUER,
        "client_id": "c",
        "iat": 1,
        "exp": 4_000_000_000,
        "jti": "j",
    }
    forge = Forge(key, {"alg": key.algorithm, "typ": "at+jwt", "kid": key.kid}, claims)
    good = forge.token()

    async def judged(data: bytes) -> None:
        if target == SIGNED:
            header, _, payload = data.partition(b"\n")
            read = await strict_jwt.read_claims(
                forge.sealed(header.replace(b"KID", key.kid.encode()), payload), instance.services.keys
            )
            assert read is None or read == (key.kid, json.loads(payload))
            return
        text = data.decode("utf-8", "surrogateescape")
        # What the fuzzer makes of a few bytes is put into a good token, in the place that its first two name.
        place = int.from_bytes(data[:2], "big") % (len(good) + 1)
        changed = good[:place] + text[2:] + good[place + len(text[2:]) :] if target == JWT else text
        verdict = await instance.services.verifier.judge(changed)
        assert verdict is None or changed in {good, mirrored(good)}

    fuzz(lambda data: runner.run(judged(data)))


def fuzz(rule: Callable[[bytes], None]) -> None:
    """Call *rule* with one input after another, until the time is over or it raises."""
    atheris.Setup([sys.argv[0], *sys.argv[2:]], rule)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1])
