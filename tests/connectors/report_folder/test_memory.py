"""A report of 500 MB is read whole within the worker's 150 MB."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SIZE = 500_000_000
READ = """
import asyncio, resource, sys
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
    print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)

asyncio.run(main())
"""


def write(path: Path) -> int:
    """Results first, rules behind them, as ruff writes; returns the number of results."""
    code = "".join(f"    line_{number} = call(argument_{number})\\n" for number in range(200))
    flow = [{"location": {"physicalLocation": {"artifactLocation": {"uri": "a.py"}}}} for _ in range(5)]
    tail = json.dumps({"contextRegion": {"snippet": {"text": "CODE"}}, "steps": flow}).replace("CODE", code)
    rule = {"id": "R1", "fullDescription": {"text": "d" * 5_000}}
    count = 0
    with path.open("w") as file:
        size = file.write('{"runs": [{"results": [')
        while size < SIZE:
            place = f'{{"artifactLocation": {{"uri": "src/{count % 500}.py"}}, "region": {{"startLine": {count + 1}}}}}'
            size += file.write(
                f'{"," if count else ""}{{"ruleId": "R1", "ruleIndex": 0, "message": {{"text": "In call_{count}"}}, '
                f'"locations": [{{"physicalLocation": {place}}}], "properties": {tail}}}'
            )
            count += 1
        rules = json.dumps([rule | {"id": f"R{number}"} for number in range(1, 500)])
        file.write(f'], "tool": {{"driver": {{"name": "Big", "rules": {rules}}}}}}}], "version": "2.1.0"}}')
    return count


@pytest.mark.timeout(300)
def test_a_report_of_500_mb_is_read_whole_within_150_mb(tmp_path: Path):
    (tmp_path / "svc").mkdir()
    expected = write(tmp_path / "svc/big.sarif")

    command = [sys.executable, "-c", READ, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3])

    assert done.returncode == 0, done.stderr
    count, kilobytes = map(int, done.stdout.split())
    assert count == expected
    assert kilobytes < 150 * 1024
