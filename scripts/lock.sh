#!/bin/sh
# Writes the three locks; with --check it only says whether they are what pyproject.toml asks for.
# Locked versions stay while they fit: `scripts/lock.sh -P NAME` moves one to its newest, `-U` moves all.
set -eu

compile() { # LOCK [OPTION…]
    lock=$1
    shift
    .venv/bin/uv pip compile --quiet --system-certs --universal --python-version 3.11 \
        --generate-hashes --no-emit-index-url --no-header "$@" --output-file "$lock"
}

service() { # LOCK [OPTION…]
    # The build requirements are locked too, so that `pip install -e .` fetches nothing unpinned.
    printf '%s\n' 'editables>=0.5' 'hatchling>=1.27' | compile "$@" pyproject.toml -
}

write() { # FOLDER [OPTION…]
    folder=$1
    shift
    service "$folder/requirements.lock" "$@" && service "$folder/requirements-dev.lock" --group dev "$@" &&
        compile "$folder/requirements-audit.lock" --group audit "$@"
}

check() {
    # `make run` installs requirements.lock, `make test` the other over it: the second must contain the first.
    if grep -v '^ *#' requirements.lock | grep -vxFf requirements-dev.lock; then
        echo 'locks: requirements-dev.lock lacks these lines of requirements.lock: run `make lock`'
        return 1
    fi
    fresh=$(mktemp -d)
    trap 'rm -rf "$fresh"' EXIT
    cp requirements.lock requirements-dev.lock requirements-audit.lock "$fresh"
    if ! UV_HTTP_TIMEOUT=10 UV_HTTP_RETRIES=1 write "$fresh" 2>"$fresh/error"; then
        if grep -q 'Failed to fetch' "$fresh/error"; then
            cause=$(sed -n 's/^ *cause: //p' "$fresh/error" | tail -n 1)
            echo "locks: not run (the package index cannot be reached: $cause)"
            return
        fi
        cat "$fresh/error"
        return 1
    fi
    for lock in requirements.lock requirements-dev.lock requirements-audit.lock; do
        diff -u "$lock" "$fresh/$lock" || { echo "locks: $lock is out of date: run \`make lock\`"; return 1; }
    done
    echo 'locks: up to date'
}

cd "$(dirname "$0")/.."
# With the rest of the environment: an account without a home has nowhere else for it.
export UV_CACHE_DIR="${UV_CACHE_DIR:-.venv/.uv}"
if [ "${1:-}" = --check ]; then check; else write . "$@"; fi
