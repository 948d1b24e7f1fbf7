"""A report of 500 MB is read whole within the worker's 150 MB."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SIZE = 500_000_000
BAR = 150 * 1024  # kilobytes
READ = """
import asyncio, sys
from pathlib import Path
from tests.connectors.report_folder.reading import tool
from tidegate_sdk import Family, Vep

async def main():
    count = 0
    async with tool(Path(sys.argv[1])).open() as session:
        async for family in session.families(Vep(id="svc", name="svc")):
            assert isinstance(family, Family), family
            reading = session.read(family.list)
            async for batch in reading:
                count += len(batch)
            assert reading.outcome.complete, reading.outcome.why
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(count, status["VmHWM"].split()[0])

asyncio.run(main())
"""


def write(path: Path, size: int = SIZE) -> int:
    """Results first, rules behind them, as ruff writes; returns the number of results."""
    code = "".join(f"    line_{number} = call(argument_{number})\\n" for number in range(200))
    flow = [{"location": {"physicalLocation": {"artifactLocation": {"uri": "a.py"}}}} for _ in range(5)]
    tail = json.dumps({"contextRegion": {"snippet": {"text": "CODE"}}, "steps": flow}).replace("CODE", code)
    rule = {"id": "R1", "fullDescription": {"text": "d" * 5_000}}
    count = 0
    with path.open("w") as file:
        written = file.write('{"runs": [{"results": [')
        while written < size:
            place = f'{{"artifactLocation": {{"uri": "src/{count % 500}.py"}}, "region": {{"startLine": {count + 1}}}}}'
            written += file.write(
                f'{"," if count else ""}{{"ruleId": "R1", "ruleIndex": 0, "message": {{"text": "In call_{count}"}}, '
                f'"locations": [{{"physicalLocation": {place}}}], "properties": {tail}}}'
            )
            count += 1
        rules = json.dumps([rule | {"id": f"R{number}"} for number in range(1, 500)])
        file.write(f'], "tool": {{"driver": {{"name": "Big", "rules": {rules}}}}}}}], "version": "2.1.0"}}')
    return count


@pytest.fixture
def big(tmp_path: Path):
    """A folder with one report; given back at once, since pytest keeps the folders of its last runs."""
    (tmp_path / "svc").mkdir()
    yield tmp_path
    (tmp_path / "svc/big.sarif").unlink()


@pytest.mark.timeout(300)
def test_a_report_of_500_mb_is_read_whole_within_150_mb(big: Path):
    expected = write(big / "svc/big.sarif")

    count, kilobytes = peak_of_reading(big)

    assert count == expected
    assert kilobytes < BAR


def test_the_peak_is_the_readers_own_whatever_started_it(big: Path):
    write(big / "svc/big.sarif", size=1_000_000)
    ballast = b"x" * (2 * BAR * 1024)

    _, kilobytes = peak_of_reading(big)

    assert kilobytes < BAR, f"beside {len(ballast)} bytes of ours"


def peak_of_reading(root: Path) -> tuple[int, int]:
    """How many findings a process of its own reads there, and the most memory it ever held, in kilobytes.

    VmHWM begins anew with each exec. `ru_maxrss` does not: a child's begins with what its parent held when it forked,
    so below a large pytest it says nothing about the child.
    """
    command = [sys.executable, "-c", READ, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
    count, kilobytes = map(int, done.stdout.split())
    return count, kilobytes
