"""The faults that are soon over, under a lighter load; all of them, at length: `make faults`."""

from pathlib import Path

import pytest

from tests.faults.faults import QUICK, Fault
from tests.faults.run import summary
from tests.faults.trial import LIGHT, try_fault
from tests.faults.world import World


# A trial has limits of its own, and the first makes the world.
@pytest.mark.timeout(240)
@pytest.mark.demand("F-01", "F-02", "F-03", "F-04", "F-07", "F-09", "F-10", "F-14")
@pytest.mark.parametrize("fault", [pytest.param(fault, id=fault.name) for fault in QUICK])
def test_every_promise_holds_through(
    world: World, fault: Fault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcomes = try_fault(world, fault, LIGHT, fault.quick_seconds)

    with capsys.disabled():
        print(f"\n{fault.name}: {fault.title}")
        for outcome in outcomes:
            outcome.record.write(tmp_path / f"{outcome.record.token_format}.jsonl")
            print(summary(outcome))
    assert [str(violation) for outcome in outcomes for violation in outcome.findings.wrong] == []
    assert all(outcome.is_enough for outcome in outcomes)
