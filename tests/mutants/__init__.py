"""Small edits that break a promise, and the runner that shows that a test notices each of them.

Every `*.toml` here holds entries such as this one:

    [[mutant]]
    name = "overlap-never-ends"
    promise = "P3"
    breaks = "The predecessor of a refresh token is accepted for ever."
    file = "src/authsvc/grants/refresh_verdict.py"
    old = "if now < overlap_ends_at:"
    new = "if True:"
    test = "tests/api/test_refresh.py::test_the_predecessor_after_the_overlap_ends_the_session"
    neighbour = "tests/api/test_refresh.py::test_the_predecessor_inside_the_overlap_is_answered_again"

`old` must stand exactly once in `file`. With the edit made, `test` must fail by an assertion of its own and
`neighbour` must pass. A test named without `[parameters]` means all of them: one must fail, none may crash.
"""
