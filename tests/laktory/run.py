#!/usr/bin/env python3
"""The Laktory project of the corpus, unchanged: its numbers, and a second run."""
import pathlib
import shutil
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from harness import environment  # noqa: E402
from harness.process import Failure, lakemill, must, rows  # noqa: E402
from harness.suite import Suite  # noqa: E402

FILES = ["brz_stock_prices", "slv_stock_prices", "brz_stock_metadata", "slv_stocks",
         "gld_stocks_prices_by_1d"]


def copy(folder: pathlib.Path) -> pathlib.Path:
    target = folder / "local-pipeline"
    shutil.copytree(environment.corpus() / "laktory/local-pipeline", target)
    for path in target.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    target.chmod(0o755)
    return target


def must_be(got, expected, what: str) -> None:
    if got != expected:
        raise Failure(f"{what}\n  got      {got}\n  expected {expected}")


def check_numbers(project: pathlib.Path) -> None:
    def shape(name: str) -> tuple[int, int]:
        file = f"data/{name}.parquet"
        count = rows(f"SELECT count(*) AS n FROM '{file}'", project)[0][0]
        columns = rows(f"SELECT * FROM '{file}' LIMIT 1", project)[0]
        return int(count), len(columns)

    must_be(shape("brz_stock_prices"), (7012, 5), "bronze prices")
    must_be(shape("slv_stock_prices"), (7012, 8), "silver prices")
    must_be(shape("slv_stocks")[0], 7012, "joined")
    gold = "data/gld_stocks_prices_by_1d.parquet"
    must_be(shape("gld_stocks_prices_by_1d"), (1004, 7), "gold")
    total = rows(f'SELECT sum("count")::BIGINT AS n FROM \'{gold}\'', project)
    must_be(int(total[0][0]), 7012, "sum of count")
    extremes = rows(
        f"SELECT symbol, round(min(low), 6) AS low, round(max(high), 6) AS high "
        f"FROM '{gold}' GROUP BY symbol ORDER BY symbol", project)
    must_be([[s, float(low), float(high)] for s, low, high in extremes],
            [["AAPL", 124.169998, 198.229996], ["AMZN", 81.43, 189.769897],
             ["GOOGL", 84.860001, 178.25], ["MSFT", 219.350006, 433.600006]],
            "lows and highs")
    created = rows("SELECT count(*) AS n FROM 'data/slv_stocks.parquet' "
                   "WHERE created_at::VARCHAR LIKE '2024-04-09 17:30:00%'", project)
    if int(created[0][0]) == 0:  # 13:30-04:00 is 17:30 UTC: the offset is not dropped
        raise Failure("created_at lost its offset")


def main() -> None:
    environment.corpus()
    suite = Suite("laktory")

    @suite.case("runs unchanged and gives the numbers of its data")
    def unchanged(folder: pathlib.Path) -> None:
        project = copy(folder)
        must(lakemill("run", "pipeline.yaml", cwd=project))
        check_numbers(project)

    @suite.case("a second run writes nothing")
    def twice(folder: pathlib.Path) -> None:
        project = copy(folder)
        must(lakemill("run", "pipeline.yaml", cwd=project))
        before = {name: (project / f"data/{name}.parquet").stat() for name in FILES}
        must(lakemill("run", "pipeline.yaml", cwd=project))
        check_numbers(project)
        for name in FILES:
            after = (project / f"data/{name}.parquet").stat()
            if (after.st_ino, after.st_mtime_ns) != (before[name].st_ino, before[name].st_mtime_ns):
                raise Failure(f"{name} was written again")

    @suite.case("validate, plan and graph accept it")
    def accepted(folder: pathlib.Path) -> None:
        project = copy(folder)
        must(lakemill("validate", "pipeline.yaml", cwd=project))
        must(lakemill("plan", "pipeline.yaml", cwd=project))
        must(lakemill("graph", "pipeline.yaml", cwd=project))
        if (project / "data/brz_stock_prices.parquet").exists():
            raise Failure("plan wrote a table")

    suite.run()


if __name__ == "__main__":
    main()
