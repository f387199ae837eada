"""Compares tables as multisets of rows with their types, by pyarrow."""
import collections
import datetime
import decimal
import math

import pyarrow as pa

from harness.process import Failure


def plain_type(kind: pa.DataType) -> str:
    """A type's name without what readers choose freely (units, large variants)."""
    if pa.types.is_timestamp(kind):
        return "timestamp" if kind.tz else "timestamp_ntz"
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or str(kind) == "string_view":
        return "string"
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or str(kind) == "binary_view":
        return "binary"
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_map(kind):
        return f"map<{plain_type(kind.key_type)},{plain_type(kind.item_type)}>"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"list<{plain_type(kind.value_type)}>"
    if pa.types.is_struct(kind):
        return "struct<" + ",".join(
            f"{kind.field(i).name}:{plain_type(kind.field(i).type)}"
            for i in range(kind.num_fields)) + ">"
    if pa.types.is_decimal(kind):
        return f"decimal({kind.precision},{kind.scale})"
    return str(kind)


def types_of(table: pa.Table) -> dict[str, str]:
    """Column name → plain type."""
    return {field.name: plain_type(field.type) for field in table.schema}


def plain_value(value):
    """A value that hashes and compares equal exactly when two readers agree on it."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else value
    if isinstance(value, dict):
        return tuple((key, plain_value(item)) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return tuple(plain_value(item) for item in value)
    if isinstance(value, datetime.datetime) and value.tzinfo:
        return value.astimezone(datetime.timezone.utc)
    if isinstance(value, decimal.Decimal):
        return value.normalize()
    return value


def microseconds(table: pa.Table) -> pa.Table:
    """The table with its top-level timestamps in microseconds (Python has no more)."""
    columns = []
    for field, column in zip(table.schema, table.columns):
        if pa.types.is_timestamp(field.type) and field.type.unit == "ns":
            column = column.cast(pa.timestamp("us", field.type.tz), safe=False)
        columns.append(column)
    return pa.table(columns, names=table.schema.names)


def row_counts(table: pa.Table) -> collections.Counter:
    """The rows as a multiset, columns in order of name."""
    names = sorted(table.schema.names)
    columns = [[plain_value(v) for v in microseconds(table).column(n).to_pylist()]
               for n in names]
    return collections.Counter(zip(*columns)) if columns else collections.Counter()


def must_equal(got: pa.Table, expected: pa.Table, what: str, types: bool = True) -> None:
    """Fails unless both hold the same rows (and, with `types`, the same types)."""
    if types and types_of(got) != types_of(expected):
        raise Failure(f"{what}: types differ\n  got      {types_of(got)}\n"
                      f"  expected {types_of(expected)}")
    if sorted(got.schema.names) != sorted(expected.schema.names):
        raise Failure(f"{what}: columns differ: {got.schema.names} / {expected.schema.names}")
    left, right = row_counts(got), row_counts(expected)
    if left != right:
        names = sorted(got.schema.names)
        raise Failure(
            f"{what}: rows differ ({got.num_rows} / {expected.num_rows} expected), "
            f"columns {names}\n"
            f"  only here  {list((left - right).elements())[:3]}\n"
            f"  missing    {list((right - left).elements())[:3]}")
