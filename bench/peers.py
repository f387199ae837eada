#!/usr/bin/env python3
"""What the peers do, each call in a process of its own: peers.py NAME JSON-ARGUMENTS.

Prints one JSON object; `seconds` is the work itself, without the start of Python.
"""
import json
import sys
import time

TRANSFORMED = """
SELECT id, upper(country) AS country, amount * quantity AS total, quantity, round(amount, 2) AS amount,
       day, day + 30 AS due, name
FROM (SELECT id, country, amount, quantity, day::DATE AS day, trim(name) AS name, flag FROM {source})
"""
PREDICATES = ["id % 250 <> 0", "quantity < 997", "total IS NOT NULL"]
COLUMNS = {"id": "BIGINT", "country": "VARCHAR", "amount": "DOUBLE", "quantity": "INTEGER",
           "day": "DATE", "name": "VARCHAR", "flag": "BOOLEAN", "note": "VARCHAR"}


def generate(connection, rows: int, csv: str, parquet: str) -> None:
    """8 columns of rows of which the predicates refuse about one in a hundred."""
    rows_sql = f"""SELECT i AS id, ['de', 'fr', 'us', 'jp', 'br'][(i * 7 % 5 + 1)::INT] AS country,
        CASE WHEN i % 337 = 5 THEN NULL ELSE (hash(i) % 1000000) / 100 END AS amount,
        (hash(i + 1) % 1000)::INTEGER AS quantity, DATE '2020-01-01' + (i % 1500)::INTEGER AS day,
        ' name ' || (hash(i + 2) % 100000) AS name, i % 3 = 0 AS flag, 'n' || i % 100 AS note
        FROM range({rows}) t(i)"""
    connection.execute(f"COPY ({rows_sql}) TO '{parquet}' (FORMAT parquet)")
    connection.execute(f"COPY (FROM '{parquet}') TO '{csv}' (FORMAT csv, HEADER)")


def duckdb_copy(source: str, target: str, codec: str, row_group: int, file_bytes: int,
                memory: str, threads: int) -> dict:
    import duckdb
    begin = time.perf_counter()
    connection = duckdb.connect(config={"threads": threads, "memory_limit": memory})
    if source.endswith(".csv"):
        relation = f"read_csv('{source}', auto_detect = false, header = true, delim = ',', columns = {COLUMNS})"
    else:
        relation = f"read_parquet('{source}')"
    connection.execute(
        f"COPY (SELECT * FROM ({TRANSFORMED.format(source=relation)}) WHERE {' AND '.join(PREDICATES)}) "
        f"TO '{target}' (FORMAT parquet, COMPRESSION '{codec}', ROW_GROUP_SIZE {row_group}, "
        f"FILE_SIZE_BYTES {file_bytes}, RETURN_STATS)").fetchall()
    return {"seconds": time.perf_counter() - begin}


def delta_merge(table: str, changes: str) -> dict:
    import deltalake
    import pyarrow.parquet as pq
    opened = deltalake.DeltaTable(table)
    source = pq.read_table(changes)
    begin = time.perf_counter()
    (opened.merge(source, "s.id = t.id", source_alias="s", target_alias="t")
     .when_matched_update_all().when_not_matched_insert_all().execute())
    return {"seconds": time.perf_counter() - begin}


def laktory_by_hand(folder: str) -> dict:
    import duckdb
    begin = time.perf_counter()
    connection = duckdb.connect()
    data = f"{folder}/data"
    run = connection.execute
    run("SET TimeZone = 'UTC'")
    run(f"COPY (FROM read_json('{data}/stock_prices.json', format = 'newline_delimited')) TO '{data}/brz_stock_prices.parquet'")
    run(f"""COPY (SELECT DISTINCT ON (symbol, created_at) * FROM (
        SELECT CAST(data.created_at AS TIMESTAMPTZ) AT TIME ZONE 'UTC' AS created_at, data.symbol AS name, data.symbol AS symbol,
        data.open AS open, data.close AS close, data.high AS high, data.low AS low, data.volume AS volume
        FROM '{data}/brz_stock_prices.parquet')) TO '{data}/slv_stock_prices.parquet'""")
    run(f"COPY (FROM read_json('{data}/stock_metadata.json', format = 'newline_delimited')) TO '{data}/brz_stock_metadata.parquet'")
    run(f"""CREATE VIEW slv_stock_metadata AS SELECT * EXCLUDE (data), data.symbol::VARCHAR AS symbol, data.currency::VARCHAR AS currency,
        make_timestamp(data.firstTradeDate) AS first_traded FROM '{data}/brz_stock_metadata.parquet'""")
    run(f"""COPY (SELECT *, date_trunc('day', created_at) AS day_id FROM '{data}/slv_stock_prices.parquet'
        JOIN (SELECT symbol, currency, first_traded FROM slv_stock_metadata) USING (symbol)) TO '{data}/slv_stocks.parquet'""")
    run(f"""COPY (SELECT symbol, day_id, count(symbol) AS "count", min(low) AS low, max(high) AS high, min(open) AS open, max(close) AS close
        FROM '{data}/slv_stocks.parquet' GROUP BY symbol, day_id) TO '{data}/gld_stocks_prices_by_1d.parquet'""")
    rows = connection.execute(f"SELECT count(*), sum(\"count\") FROM '{data}/gld_stocks_prices_by_1d.parquet'").fetchone()
    seconds = time.perf_counter() - begin
    assert (rows[0], int(rows[1])) == (1004, 7012), rows
    return {"seconds": seconds}


PEERS = {"duckdb_copy": duckdb_copy, "delta_merge": delta_merge, "laktory_by_hand": laktory_by_hand}

if __name__ == "__main__":
    print(json.dumps(PEERS[sys.argv[1]](**json.loads(sys.argv[2]))))
