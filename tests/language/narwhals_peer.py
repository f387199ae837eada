#!/usr/bin/env python3
"""Compares our expressions and methods with the real Narwhals over Polars.

Needs the packages narwhals, polars, duckdb (1.5.6) and pytz, and the program
lakemill_compile_cases as the first argument. A second argument is a file to which the
peer's answers are written: narwhals_cases.jsonl, which narwhals_test.cpp reads. Each case is run by the peer on a frame in
memory, and its SQL by DuckDB on the same rows; rows are compared without order, except
where a case says so.

Not compared, because we differ on purpose (language.md section 10, expression_sql.h):
what divides by zero, the type of counts, the order of rows, and 'x' + col, which
Narwhals turns into col + 'x'.
"""

import datetime
import decimal
import json
import math
import subprocess
import sys

import duckdb
import narwhals as nw
import polars as pl

DATE = datetime.date
TIME = datetime.datetime

ROWS = {
    "k": ["a", "b", "a", "b", "a", None],
    "o": [1, 2, 3, 4, 5, 6],
    "i": [-7, 7, 3, None, 0, 3],
    "j": [2, 2, -2, 1, 5, None],
    "f": [-2.5, 0.5, 2.5, None, 1.25, 3.0],
    "s": ["ab", "é,b", None, "x,y-z", "  pad ", "-5"],
    "b": [True, False, None, True, False, True],
    "t": [TIME(2020, 1, 5, 10, 23, 45, 678901), TIME(2020, 1, 6), None,
          TIME(1969, 12, 31, 23), TIME(2024, 2, 29, 12, 30), TIME(2021, 7, 14, 1, 2, 3)],
    "d": [DATE(2020, 1, 5), DATE(2020, 1, 6), None, DATE(1969, 12, 31), DATE(2024, 2, 29),
          DATE(2021, 7, 14)],
    "l": [[1, 2, None], [], None, [3, 3], [5], [4, 1]],
    "r": [{"x": 1, "y": "p"}, {"x": 2, "y": None}, None, {"x": None, "y": "q"},
          {"x": 5, "y": "r"}, {"x": 6, "y": "s"}],
}
DELTA = {"k": "string", "o": "long", "i": "long", "j": "long", "f": "double",
         "s": "string", "b": "boolean", "t": "timestamp_ntz", "d": "date",
         "l": {"type": "array", "elementType": "long", "containsNull": True},
         "r": {"type": "struct", "fields": [
             {"name": "x", "type": "long", "nullable": True, "metadata": {}},
             {"name": "y", "type": "string", "nullable": True, "metadata": {}}]}}
OTHER = {"k": ["a", "b", "c"], "o": [1, 2, 9], "w": [10, 20, 30]}

# Each gives a column as long as the frame, or one value; "c" is nw.col.
SELECTS = """
c('i') + c('j') | c('i') - 1 | c('i') * 2.5 | c('f') / 4 | 2 - c('i') | -c('i')
c('i') // 3 | c('i') % 3 | c('i') // c('j') | c('i') % c('j') | c('f') // 2 | c('f') % 2
c('i') ** 2 | c('j') ** 3 | c('f') ** 2 | c('i') == 3 | c('i') != 3 | c('i') < c('j') | c('f') >= 2.5
5 < c('i') | (c('i') > 0) & c('b') | (c('i') > 0) | c('b') | ~c('b') | c('b') ^ (c('i') > 0)
c('s') + 'x' | c('i').abs() | c('f').abs() | c('f').round() | c('f').round(1)
c('f').ceil() | c('f').floor() | c('i').ceil() | (c('f') / 2).round(1) | c('f').sqrt() | c('i').sqrt()
c('f').log() | c('f').log(10) | c('f').log(2) | c('f').exp() | c('f').sin() | c('f').cos() | c('j').log(base=3)
c('i').is_null() | c('f').is_nan() | c('f').is_finite() | c('i').is_in([3, None]) | c('i').is_in([])
c('s').is_in(['ab', '-5']) | ~c('i').is_in([3]) | c('i').is_between(0, 3) | c('i').is_between(0, 3, closed='left')
c('i').is_between(0, 3, 'right') | c('i').is_between('j', 7, closed='none') | c('i').is_close(3)
c('i').fill_null(0) | c('s').fill_null('none') | c('f').fill_nan(0.0) | c('i').clip(0, 5) | c('i').clip(None, 2)
c('i').clip(lower_bound=1) | c('i').clip('j', 5) | c('f').clip(-1.5, 2) | c('i').cast(nw.Float64) | c('f').cast(nw.Int64)
c('i').cast(nw.String) | c('f').cast(nw.String) | c('b').cast(nw.String) | c('b').cast(nw.Int8) | c('i').cast(nw.Boolean)
c('i').cast(nw.Datetime()) | c('i').cast(nw.Date) | c('t').cast(nw.Int64) | c('d').cast(nw.Int32) | c('d').cast(nw.Datetime)
c('i').cast(nw.Datetime('ms')) | c('t').cast(nw.Date) | c('f').cast(nw.Decimal(10, 2)) | c('i').cast(nw.Int8)
c('i').replace_strict([3, 7], ['a', 'b'], default='z') | c('i').replace_strict({3: 'a', 7: 'b'}, default=None)
c('i').alias('z') | c('i').name.suffix('_x') | c('i').name.to_uppercase() | nw.lit(5) + c('i') | nw.col('i', 'j') * 2
nw.when(c('i') > 0).then('j') | nw.when(c('i') > 0).then(1).otherwise(2) | nw.when(c('i') > 0, c('b')).then(1)
nw.when(c('i') > 3).then(nw.lit('big')).when(c('i') > 0).then(nw.lit('small')).otherwise(nw.lit('none'))
nw.concat_str('s', 'i', separator='-') | nw.concat_str(['s', 'k'], separator='-', ignore_nulls=True) | nw.concat_str('i', 'b')
nw.coalesce('i', 'j') | nw.coalesce('i', nw.lit(0)) | nw.sum_horizontal('i', 'j') | nw.mean_horizontal('i', 'j')
nw.min_horizontal('i', 'j') | nw.max_horizontal(c('i'), 5) | nw.any_horizontal('b', c('i') > 0, ignore_nulls=False)
nw.all_horizontal('b', c('i') > 0, ignore_nulls=True) | nw.all_horizontal('b', c('i') > 0, ignore_nulls=False)
nw.format('{}-{}', 'i', 's') | nw.struct('i', 's') | nw.lit([1, 2]).list.len() + c('i')
c('s').str.to_uppercase() | c('s').str.to_lowercase() | c('s').str.to_titlecase() | c('s').str.len_chars()
c('s').str.contains(',') | c('s').str.contains('.', literal=True) | c('s').str.contains('^[a-z]') | c('s').str.starts_with('a')
c('s').str.ends_with('b') | c('s').str.replace('[a-z]', 'Z') | c('s').str.replace_all('([a-z])', '<$1>')
c('s').str.replace_all('.', 'Z', literal=True) | c('s').str.replace(',', '$1', literal=True) | c('s').str.replace_all('b', 'a\\\\b')
c('s').str.replace_all('([a-z])', '${1}0') | c('s').str.strip_chars() | c('s').str.strip_chars('ab') | c('s').str.slice(1)
c('s').str.slice(1, 2) | c('s').str.slice(-1) | c('s').str.slice(-4, 3) | c('s').str.head(2) | c('s').str.tail(2) | c('s').str.split(',')
c('s').str.zfill(6) | c('s').str.pad_start(4, '_') | c('s').str.pad_end(4, '_')
nw.lit('2024-02-29 12:30:05').str.to_datetime('%Y-%m-%d %H:%M:%S') | nw.lit('2024-02-29').str.to_date('%Y-%m-%d')
nw.lit('29/02/24').str.to_date('%d/%m/%y') | nw.lit('2024-02-29').str.to_date()
c('t').dt.year() | c('t').dt.month() | c('t').dt.day() | c('t').dt.hour() | c('t').dt.minute() | c('t').dt.second()
c('t').dt.millisecond() | c('t').dt.microsecond() | c('t').dt.nanosecond() | c('t').dt.weekday() | c('t').dt.ordinal_day()
c('t').dt.date() | c('d').dt.year() | c('d').dt.weekday() | c('t').dt.truncate('1d') | c('t').dt.truncate('1h')
c('t').dt.truncate('15m') | c('t').dt.truncate('2d') | c('t').dt.truncate('1mo') | c('t').dt.truncate('2mo') | c('t').dt.truncate('1q')
c('t').dt.truncate('1y') | c('t').dt.truncate('3h') | c('d').dt.truncate('1mo') | c('d').dt.truncate('2d')
c('t').dt.offset_by('1mo') | c('t').dt.offset_by('-2h') | c('d').dt.offset_by('1d') | c('d').dt.offset_by('1y')
c('t').dt.to_string('%Y/%m/%d %H:%M:%S') | c('t').dt.to_string('%Y-%m-%dT%H:%M:%S%.6f') | c('t').dt.to_string('%j %b %a %-d')
c('d').dt.to_string('%Y%m%d') | c('t').dt.timestamp() | c('t').dt.timestamp('ms') | c('d').dt.timestamp('ms')
(c('t') - c('t').min()).dt.total_seconds() | (c('t').min() - c('t')).dt.total_minutes() | (c('d') - c('d').min()).dt.total_minutes()
c('t').dt.convert_time_zone('Europe/Paris').dt.hour() | c('t').dt.replace_time_zone('Europe/Paris').dt.timestamp()
c('r').struct.field('x') | c('r').struct.field('y') | c('r').struct.field('x') + 1 | c('l').list.len() | c('l').list.contains(1)
c('l').list.sum() | c('l').list.mean() | c('l').list.min() | c('l').list.max() | c('l').list.median() | c('l').list.sort()
c('l').list.sort(descending=True) | c('l').list.sort(nulls_last=True)
c('i').sum() | c('f').sum() | c('b').sum() | c('i').min() | c('s').max() | c('i').mean() | c('i').median() | c('i').count()
c('i').len() | nw.len() | c('i').null_count() | c('i').n_unique() | c('k').n_unique() | c('b').any() | c('b').all()
c('i').std() | c('i').var() | c('i').std(ddof=0) | c('i').var(ddof=2) | c('i').skew() | c('i').kurtosis()
c('i').quantile(0.3, 'linear') | c('i').quantile(0.3, 'lower') | c('i').quantile(0.3, 'higher') | c('i').quantile(0.3, 'nearest')
c('i').quantile(0.5, 'midpoint') | c('i').first(order_by='o') | c('i').last(order_by='o') | c('s').first(order_by='i')
nw.sum('i') | nw.mean('i', 'j') | nw.col('i', 'j').sum() | nw.corr('i', 'j') | (c('i') > 0).sum() | c('i').max() - c('i').min()
c('i') - c('i').mean() | c('i') / c('i').sum() | c('i') > c('i').mean() | c('i').is_unique() | c('i').is_duplicated()
c('i').sum().over('k') | c('i').count().over('k') | c('i').n_unique().over('k') | (c('i') - c('i').mean()).over('k')
c('i').max().over('k', 'b') | c('i').cum_sum().over(order_by='o') | c('i').cum_count().over('k', order_by='o')
c('i').cum_max().over('k', order_by='o') | c('i').cum_min().over(order_by='o') | c('i').cum_sum(reverse=True).over(order_by='o')
c('i').cum_prod().over(order_by='o') | c('i').shift(1).over(order_by='o') | c('i').shift(-1).over('k', order_by='o')
c('i').diff().over(order_by='o') | c('i').rolling_sum(2).over(order_by='o') | c('i').rolling_mean(3, min_samples=1).over(order_by='o')
c('i').rolling_std(3, min_samples=2, center=True).over(order_by='o') | c('i').fill_null(strategy='forward').over(order_by='o')
c('i').fill_null(strategy='backward', limit=1).over(order_by='o') | c('i').rank() | c('i').rank('min') | c('i').rank('max', descending=True)
c('i').rank('dense') | c('i').rank().over('k') | c('i').is_first_distinct().over(order_by='o') | c('i').is_last_distinct().over(order_by='o')
c('i').first().over('k', order_by='o') | c('i').last().over('k', order_by='o')
""".strip().splitlines()

METHODS = [
    ("select", ["k", "c('i').sum()"], {}),
    ("select", ["c('i').sum()", "c('j').max()"], {}),
    ("select", ["nw.lit(1)"], {}),
    ("select", [["k", "o"]], {"z": "c('i') + 1"}),
    ("with_columns", [], {"i": "c('i') * 2", "z": "c('i') + 1", "y": "o"}),
    ("with_columns", ["nw.col('i', 'j').fill_null(0)"], {}),
    ("with_columns", ["nw.len()"], {}),
    ("filter", ["c('i') > 0"], {}),
    ("filter", ["c('i') > 0", "c('b')"], {}),
    ("filter", ["b"], {}),
    ("filter", ["c('i') > c('i').mean()"], {}),
    ("filter", [], {"k": "a"}),
    ("rename", [{"i": "ii", "k": "kk"}], {}),
    ("drop", ["i", "j"], {}),
    ("drop", [["i", "j"]], {}),
    ("drop", ["i", "nope"], {"strict": False}),
    ("unique", [], {"subset": ["k", "b"], "keep": "none"}),
    ("unique", ["k"], {"keep": "first", "order_by": "o"}),
    ("unique", ["k"], {"keep": "last", "order_by": "o"}),
    ("drop_nulls", [], {}),
    ("drop_nulls", ["i"], {}),
    ("sort", ["i"], {}),
    ("sort", ["k", "i"], {"descending": [True, False], "nulls_last": True}),
    ("head", [2], {}),
    ("join", ["{other}"], {"on": "k"}),
    ("join", ["{other}", "k", "left"], {}),
    ("join", ["{other}"], {"left_on": ["k"], "right_on": ["k"], "how": "full"}),
    ("join", ["{other}"], {"how": "cross"}),
    ("join", ["{other}"], {"on": ["k", "o"], "how": "semi"}),
    ("join", ["{other}"], {"on": ["k", "o"], "how": "anti"}),
    ("join", ["{other}"], {"left_on": "o", "right_on": "o", "suffix": "_2"}),
    ("explode", ["l"], {}),
    ("unpivot", [], {"on": ["i", "j"], "index": ["o"]}),
    ("unpivot", [["i", "j"]], {"variable_name": "n", "value_name": "v"}),
    ("with_row_index", [], {"name": "n", "order_by": "i"}),
    ("group_by", ["k"], {"aggs": ["c('i').sum()", "c('f').mean().alias('m')", "nw.len()"]}),
    ("group_by", ["k", "b"], {"aggs": ["c('i').n_unique()", "c('s').max()"]}),
    ("group_by", ["k"], {"aggs": ["c('i').first(order_by='o')", "(c('i') + 1).max().alias('z')"],
                         "drop_null_keys": True}),
    ("group_by", ["k"], {"aggs": ["nw.col('i', 'j').sum()"]}),
]


def frame(rows):
    return nw.from_native(pl.DataFrame(rows, strict=False))


def delta_schema(types):
    return {"type": "struct",
            "fields": [{"name": n, "type": t, "nullable": True, "metadata": {}}
                       for n, t in types.items()]}


def python(text):
    scope = {"nw": nw, "c": nw.col}
    return eval(text, scope) if isinstance(text, str) and "(" in text else text


def peer(name, args, kwargs):
    df, other = frame(ROWS), frame(OTHER)

    def value(argument):
        if isinstance(argument, list):
            return [value(item) for item in argument]
        return other if argument == "{other}" else python(argument)

    args = [value(a) for a in args]
    kwargs = {k: value(v) for k, v in kwargs.items()}
    if name == "group_by":
        aggs = kwargs.pop("aggs")
        return df.group_by(*args, **kwargs).agg(*aggs).to_native()
    if name == "unique":
        args = [[args[0]]] if args else args
    return getattr(df, name)(*args, **kwargs).to_native()


def plain(value):
    """The text of a value, the same in narwhals_test.cpp."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, decimal.Decimal)):
        number = f"{float(value):.9g}"
        return "0" if number == "-0" else number
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {plain(v)}" for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(plain(v) for v in value) + "]"
    if isinstance(value, TIME):
        if value.tzinfo is not None:
            value = value.astimezone(datetime.timezone.utc).replace(tzinfo=None)
        return value.strftime("%Y-%m-%d %H:%M:%S.%f")
    return str(value)


def compile_all(program, requests):
    lines = "\n".join(json.dumps(request) for request in requests)
    done = subprocess.run([program], input=lines, text=True, capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def spelled(argument):
    if isinstance(argument, list):
        return [spelled(item) for item in argument]
    if isinstance(argument, str) and "(" in argument:
        return argument.replace("c('", "nw.col('")
    return "{nodes.other}" if argument == "{other}" else argument


def cases():
    for line in SELECTS:
        # A "|" between spaces may be Python's; join what does not parse alone.
        pending = ""
        for part in line.split(" | "):
            pending = f"{pending} | {part}" if pending else part
            try:
                compile(pending, "case", "eval")
            except SyntaxError:
                continue
            yield ("select", [pending], {}, False)
            pending = ""
    for name, args, kwargs in METHODS:
        yield (name, args, kwargs, name in ("sort", "head"))


def main():
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    native, other = frame(ROWS).to_native(), frame(OTHER).to_native()
    con.register("df", native.to_arrow())
    con.register("other", other.to_arrow())
    everything = list(cases())
    kept = []
    requests = [{"schema": delta_schema(DELTA),
                 "other_schema": delta_schema({"k": "string", "o": "long", "w": "long"}),
                 "method": {"name": n, "args": [spelled(a) for a in args],
                            "kwargs": [[k, spelled(v)] for k, v in kwargs.items()]}}
                for n, args, kwargs, _ in everything]
    answers = compile_all(sys.argv[1], requests)
    failures = 0
    for (name, args, kwargs, ordered), request, answer in zip(everything, requests, answers,
                                                               strict=True):
        label = f"{name}({args}, {kwargs})"
        try:
            expected = peer(name, args, kwargs)
        except Exception as error:  # the case itself is wrong
            print(f"PEER  {label}: {error}")
            failures += 1
            continue
        if "error" in answer:
            print(f"ERROR {label}: {answer['error']}")
            failures += 1
            continue
        try:
            result = con.execute(answer["sql"])
            names = [column[0] for column in result.description]
            rows = [plain(row) for row in result.fetchall()]
        except Exception as error:
            print(f"SQL   {label}: {error}\n      {answer['sql']}")
            failures += 1
            continue
        wanted = [plain(row) for row in expected.rows()]
        if not ordered:
            rows, wanted = sorted(rows), sorted(wanted)
        kept.append({"method": request["method"], "columns": expected.columns,
                     "rows": wanted, "ordered": ordered})
        if names != expected.columns or rows != wanted:
            print(f"DIFF  {label}\n      {answer['sql']}\n      ours {names} {rows}\n"
                  f"      peer {expected.columns} {wanted}")
            failures += 1
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w", encoding="utf-8") as out:
            out.writelines(json.dumps(case, ensure_ascii=False) + "\n" for case in kept)
    print(f"{len(everything)} cases, {failures} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
