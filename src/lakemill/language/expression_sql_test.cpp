#include "lakemill/language/expression_sql.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// What each expression is as SQL, and what is said of wrong ones. That the SQL means
// what Narwhals means is tested with the engine, in tests/language.

namespace lakemill::language {
namespace {

using data::TypeKind;
using ::testing::HasSubstr;

data::Field field(const std::string& name, data::Type type) {
  return data::Field{name, std::move(type), true, Json::object()};
}

const data::Schema& schema() {
  static const data::Schema kSchema = {
      {field("k", data::make_type(TypeKind::string)),
       field("o", data::make_type(TypeKind::int64)),
       field("i", data::make_type(TypeKind::int64)),
       field("j", data::make_type(TypeKind::int64)),
       field("f", data::make_type(TypeKind::float64)),
       field("s", data::make_type(TypeKind::string)),
       field("b", data::make_type(TypeKind::boolean)),
       field("t", data::make_type(TypeKind::timestamp_ntz)),
       field("d", data::make_type(TypeKind::date)),
       field("l", data::make_array(data::make_type(TypeKind::int64), true)),
       field("r", data::make_struct({field("x", data::make_type(TypeKind::int64)),
                                     field("y", data::make_type(TypeKind::string))}))}};
  return kSchema;
}

struct Case {
  const char* text;
  const char* name;
  const char* sql;
};

const Case kCases[] = {
    {"nw.col('i') + nw.col('j')", "i", "(\"i\" + \"j\")"},
    {"nw.col('i') * 2.5", "i", "(\"i\" * 2.5e0)"},
    {"2 - nw.col('i')", "literal", "(2 - \"i\")"},
    {"nw.col('i') // 3", "i",
     "((\"i\" // 3) - CASE WHEN (\"i\" % 3) <> 0 AND (\"i\" < 0) <> (3 < 0) THEN 1 "
     "ELSE 0 END)"},
    {"nw.col('i') // nw.col('j')", "i",
     "((\"i\" // \"j\") - CASE WHEN (\"i\" % \"j\") <> 0 AND (\"i\" < 0) <> (\"j\" < "
     "0) THEN 1 ELSE 0 END)"},
    {"nw.col('f') // 2", "f", "floor(\"f\" / nullif(2, 0))"},
    {"nw.col('i') ** 2", "i", "(CAST(\"i\" AS BIGINT) * CAST(\"i\" AS BIGINT))"},
    {"nw.col('f') ** 2", "f", "pow(\"f\", 2)"},
    {"nw.col('f') ** -2", "f", "pow(\"f\", (-2))"},
    {"nw.col('i') ** 39", "i",
     "(CASE WHEN CAST(39 AS BIGINT) IS NOT NULL THEN list_reduce(list_resize([CAST(1 "
     "AS "
     "BIGINT)], (CASE WHEN CAST(39 AS BIGINT) < 0 THEN error('a whole number to a "
     "negative power is a fraction: cast one of the two to nw.Float64() first') WHEN "
     "CAST(39 AS BIGINT) > 64 THEN 64 + CAST(39 AS BIGINT) % 2 ELSE CAST(39 AS BIGINT) "
     "END) + 1, CAST(\"i\" AS BIGINT)), lambda x, y: x * y) END)"},
    {"nw.col('i') != 3", "i", "(\"i\" <> 3)"},
    {"nw.col('f') >= 2.5", "f", "(\"f\" >= 2.5e0)"},
    {"(nw.col('i') > 0) & nw.col('b')", "i", "((\"i\" > 0) AND \"b\")"},
    {"nw.col('b')", "b", "\"b\""},
    {"nw.col('b') ^ (nw.col('i') > 0)", "b", "(\"b\" <> (\"i\" > 0))"},
    {"nw.col('i').abs()", "i", "abs(\"i\")"},
    {"nw.col('f').round()", "f", "round_even(\"f\", 0)"},
    {"nw.col('f').ceil()", "f", "ceil(\"f\")"},
    {"nw.col('i').ceil()", "i", "\"i\""},
    {"nw.col('f').sqrt()", "f",
     "(CASE WHEN \"f\" < 0 THEN CAST('nan' AS DOUBLE) ELSE sqrt(\"f\") END)"},
    {"nw.col('f').log()", "f",
     "(CASE WHEN \"f\" < 0 THEN CAST('nan' AS DOUBLE) WHEN \"f\" = 0 THEN CAST('-inf' "
     "AS DOUBLE) ELSE ln(\"f\") END)"},
    {"nw.col('f').log(2)", "f",
     "(CASE WHEN \"f\" < 0 THEN CAST('nan' AS DOUBLE) WHEN \"f\" = 0 THEN CAST('-inf' "
     "AS DOUBLE) ELSE log2(\"f\") END)"},
    {"nw.col('f').sin()", "f", "sin(\"f\")"},
    {"nw.col('j').log(base=3)", "j",
     "(CASE WHEN \"j\" < 0 THEN CAST('nan' AS DOUBLE) WHEN \"j\" = 0 THEN CAST('-inf' "
     "AS DOUBLE) ELSE ln(\"j\") / ln(3e0) END)"},
    {"nw.col('f').is_nan()", "f", "isnan(\"f\")"},
    {"nw.col('i').is_in([3, None])", "i", "(\"i\" IN (3))"},
    {"nw.col('s').is_in(['ab', '-5'])", "s", "(\"s\" IN ('ab', '-5'))"},
    {"nw.col('i').is_between(0, 3)", "i", "((\"i\" >= 0) AND (\"i\" <= 3))"},
    {"nw.col('i').is_between(0, 3, 'right')", "i", "((\"i\" > 0) AND (\"i\" <= 3))"},
    {"nw.col('i').is_close(3)", "i",
     "((\"i\" = 3 AND abs(CAST(\"i\" AS DOUBLE)) <= CAST('Infinity' AS DOUBLE)) OR "
     "(abs(CAST(\"i\" AS DOUBLE)) < CAST('Infinity' AS DOUBLE) AND abs(CAST(3 AS "
     "DOUBLE)) < CAST('Infinity' AS DOUBLE) AND abs(\"i\" - 3) <= greatest(1e-09 * "
     "greatest(abs(\"i\"), abs(3)), 0e0)))"},
    {"nw.col('s').fill_null('none')", "s", "coalesce(\"s\", 'none')"},
    {"nw.col('i').clip(0, 5)", "i",
     "(CASE WHEN \"i\" IS NULL THEN NULL ELSE greatest(least(\"i\", 5), 0) END)"},
    {"nw.col('i').clip(lower_bound=1)", "i",
     "(CASE WHEN \"i\" IS NULL THEN NULL ELSE greatest(\"i\", 1) END)"},
    {"nw.col('f').clip(-1.5, 2)", "f",
     "(CASE WHEN \"f\" IS NULL THEN NULL ELSE CASE WHEN isnan(\"f\") THEN \"f\" ELSE "
     "greatest(least(\"f\", 2), (-1.5e0)) END "
     "END)"},
    {"nw.col('f').cast(nw.Int64)", "f", "CAST(trunc(\"f\") AS BIGINT)"},
    {"nw.col('f').cast(nw.String)", "f", "CAST(\"f\" AS VARCHAR)"},
    {"nw.col('b').cast(nw.Int8)", "b", "CAST(\"b\" AS TINYINT)"},
    {"nw.col('i').cast(nw.Datetime())", "i", "make_timestamp(CAST(\"i\" AS BIGINT))"},
    {"nw.col('t').cast(nw.Int64)", "t", "CAST(epoch_us(\"t\") AS BIGINT)"},
    {"nw.col('d').cast(nw.Datetime)", "d", "CAST(\"d\" AS TIMESTAMP)"},
    {"nw.col('t').cast(nw.Date)", "t", "CAST(\"t\" AS DATE)"},
    {"nw.col('i').cast(nw.Int8)", "i", "CAST(\"i\" AS TINYINT)"},
    {"nw.col('i').replace_strict({3: 'a', 7: 'b'}, default=None)", "i",
     "(CASE WHEN \"i\" = 3 THEN 'a' WHEN \"i\" = 7 THEN 'b' ELSE NULL END)"},
    {"nw.col('i').name.suffix('_x')", "i_x", "\"i\""},
    {"nw.lit(5) + nw.col('i')", "literal", "(5 + \"i\")"},
    {"nw.when(nw.col('i') > 0).then('j')", "j",
     "(CASE WHEN (\"i\" > 0) THEN \"j\" END)"},
    {"nw.when(nw.col('i') > 0, nw.col('b')).then(1)", "literal",
     "(CASE WHEN ((\"i\" > 0) AND \"b\") THEN 1 END)"},
    {"nw.concat_str('s', 'i', separator='-')", "s",
     "(\"s\" || '-' || CAST(\"i\" AS VARCHAR))"},
    {"nw.concat_str('i', 'b')", "i",
     "(CAST(\"i\" AS VARCHAR) || CAST(\"b\" AS VARCHAR))"},
    {"nw.coalesce('i', nw.lit(0))", "i", "coalesce(\"i\", 0)"},
    {"nw.mean_horizontal('i', 'j')", "i",
     "((coalesce(\"i\", 0) + coalesce(\"j\", 0)) / nullif(CAST(\"i\" IS NOT NULL AS "
     "INTEGER) + CAST(\"j\" IS NOT NULL AS INTEGER), 0))"},
    {"nw.max_horizontal(nw.col('i'), 5)", "i", "greatest(\"i\", 5)"},
    {"nw.all_horizontal('b', nw.col('i') > 0, ignore_nulls=True)", "b",
     "(coalesce(\"b\", TRUE) AND coalesce((\"i\" > 0), TRUE))"},
    {"nw.format('{}-{}', 'i', 's')", "i",
     "(CAST(\"i\" AS VARCHAR) || '-' || CAST(\"s\" AS VARCHAR))"},
    {"nw.lit([1, 2]).list.len() + nw.col('i')", "literal", "(len([1, 2]) + \"i\")"},
    {"nw.col('s').str.to_lowercase()", "s", "lower(\"s\")"},
    {"nw.col('s').str.len_chars()", "s", "length(\"s\")"},
    {"nw.col('s').str.contains('.', literal=True)", "s", "contains(\"s\", '.')"},
    {"nw.col('s').str.starts_with('a')", "s", "starts_with(\"s\", 'a')"},
    {"nw.col('s').str.replace('[a-z]', 'Z')", "s",
     "regexp_replace(\"s\", '[a-z]', 'Z')"},
    {"nw.col('s').str.replace_all('.', 'Z', literal=True)", "s",
     "replace(\"s\", '.', 'Z')"},
    {"nw.col('s').str.replace_all('b', 'a\\\\b')", "s",
     "regexp_replace(\"s\", 'b', 'a\\\\b', 'g')"},
    {"nw.col('s').str.strip_chars()", "s", "trim(\"s\", E' \\t\\n\\r\\f\\x0b')"},
    {"nw.col('s').str.slice(1)", "s", "substr(\"s\", 2)"},
    {"nw.col('s').str.slice(-1)", "s",
     "substr(\"s\", greatest((length(\"s\") - 1), 0) + 1)"},
    {"nw.col('s').str.head(2)", "s", "left(\"s\", 2)"},
    {"nw.col('s').str.split(',')", "s", "string_split(\"s\", ',')"},
    {"nw.col('s').str.pad_start(4, '_')", "s",
     "(CASE WHEN length(\"s\") < 4 THEN lpad(\"s\", 4, '_') ELSE \"s\" END)"},
    {"nw.lit('2024-02-29 12:30:05').str.to_datetime('%Y-%m-%d %H:%M:%S')", "literal",
     "strptime('2024-02-29 12:30:05', '%Y-%m-%d %H:%M:%S')"},
    {"nw.lit('29/02/24').str.to_date('%d/%m/%y')", "literal",
     "CAST(strptime('29/02/24', '%d/%m/%y') AS DATE)"},
    {"nw.col('t').dt.year()", "t", "year(\"t\")"},
    {"nw.col('t').dt.day()", "t", "day(\"t\")"},
    {"nw.col('t').dt.minute()", "t", "minute(\"t\")"},
    {"nw.col('t').dt.millisecond()", "t", "(millisecond(\"t\") % 1000)"},
    {"nw.col('t').dt.nanosecond()", "t", "(microsecond(\"t\") % 1000000 * 1000)"},
    {"nw.col('t').dt.ordinal_day()", "t", "dayofyear(\"t\")"},
    {"nw.col('d').dt.year()", "d", "year(\"d\")"},
    {"nw.col('t').dt.truncate('1d')", "t", "date_trunc('day', \"t\")"},
    {"nw.col('t').dt.truncate('15m')", "t",
     "time_bucket(INTERVAL '15 minutes', \"t\", TIMESTAMP '1970-01-01')"},
    {"nw.col('t').dt.truncate('1mo')", "t", "date_trunc('month', \"t\")"},
    {"nw.col('t').dt.truncate('1q')", "t", "date_trunc('quarter', \"t\")"},
    {"nw.col('t').dt.truncate('3h')", "t",
     "time_bucket(INTERVAL '3 hours', \"t\", TIMESTAMP '1970-01-01')"},
    {"nw.col('d').dt.truncate('2d')", "d",
     "CAST(time_bucket(INTERVAL '2 days', CAST(\"d\" AS TIMESTAMP), TIMESTAMP "
     "'1970-01-01') AS DATE)"},
    {"nw.col('t').dt.offset_by('-2h')", "t", "(\"t\" + INTERVAL '-2 hours')"},
    {"nw.col('d').dt.offset_by('1y')", "d",
     "CAST((\"d\" + INTERVAL '1 years') AS DATE)"},
    {"nw.col('t').dt.to_string('%Y-%m-%dT%H:%M:%S%.6f')", "t",
     "strftime(\"t\", '%Y-%m-%dT%H:%M:%S.%f')"},
    {"nw.col('d').dt.to_string('%Y%m%d')", "d", "strftime(\"d\", '%Y%m%d')"},
    {"nw.col('t').dt.timestamp('ms')", "t", "epoch_ms(\"t\")"},
    {"(nw.col('t') - nw.col('t').min()).dt.total_seconds()", "t",
     "(epoch_us((\"t\" - min(\"t\") OVER ())) // 1000000)"},
    {"(nw.col('d') - nw.col('d').min()).dt.total_minutes()", "d",
     "(epoch_us((CAST(\"d\" AS TIMESTAMP) - CAST(min(\"d\") OVER () AS TIMESTAMP))) // "
     "60000000)"},
    {"nw.col('t').dt.replace_time_zone('Europe/Paris').dt.timestamp()", "t",
     "epoch_us(timezone('Europe/Paris', \"t\"))"},
    {"nw.col('r').struct.field('y')", "y", "struct_extract(\"r\", 'y')"},
    {"nw.col('l').list.len()", "l", "len(\"l\")"},
    {"nw.col('l').list.sum()", "l",
     "(CASE WHEN \"l\" IS NOT NULL THEN coalesce(list_sum(\"l\"), 0) END)"},
    {"nw.col('l').list.min()", "l", "list_min(\"l\")"},
    {"nw.col('l').list.median()", "l", "list_median(\"l\")"},
    {"nw.col('l').list.sort(descending=True)", "l",
     "list_sort(\"l\", 'DESC', 'NULLS FIRST')"},
    {"nw.col('i').sum()", "i", "coalesce(sum(\"i\"), 0)"},
    {"nw.col('b').sum()", "b", "coalesce(sum(\"b\"), 0)"},
    {"nw.col('s').max()", "s", "max(\"s\")"},
    {"nw.col('i').median()", "i", "median(\"i\")"},
    {"nw.col('i').len()", "i", "count(*)"},
    {"nw.col('i').null_count()", "i", "(count(*) - count(\"i\"))"},
    {"nw.col('k').n_unique()", "k",
     "(count(DISTINCT \"k\") + CAST(count(*) > count(\"k\") AS BIGINT))"},
    {"nw.col('b').all()", "b", "coalesce(bool_and(\"b\"), TRUE)"},
    {"nw.col('i').var()", "i", "var_samp(\"i\")"},
    {"nw.col('i').var(ddof=2)", "i",
     "(CASE WHEN count(\"i\") > 2 THEN var_pop(\"i\") * count(\"i\") / (count(\"i\") - "
     "2) END)"},
    {"nw.col('i').kurtosis()", "i", "kurtosis_pop(\"i\")"},
    {"nw.col('i').quantile(0.3, 'lower')", "i",
     "CAST(list_extract(list_sort(list(\"i\") FILTER (WHERE \"i\" IS NOT NULL)), "
     "CAST(floor(0.3e0 * (count(\"i\") - 1)) AS BIGINT) + 1) AS DOUBLE)"},
    {"nw.col('i').quantile(0.3, 'nearest')", "i",
     "CAST(list_extract(list_sort(list(\"i\") FILTER (WHERE \"i\" IS NOT NULL)), "
     "CAST(round(0.3e0 * (count(\"i\") - 1)) AS BIGINT) + 1) AS DOUBLE)"},
    {"nw.col('i').first(order_by='o')", "i",
     "first(\"i\" ORDER BY \"o\" ASC NULLS FIRST)"},
    {"nw.col('s').first(order_by='i')", "s",
     "first(\"s\" ORDER BY \"i\" ASC NULLS FIRST)"},
    {"nw.corr('i', 'j')", "i", "corr(\"i\", \"j\")"},
    {"nw.col('i').max() - nw.col('i').min()", "i", "(max(\"i\") - min(\"i\"))"},
    {"nw.col('i') / nw.col('i').sum()", "i",
     "(\"i\" / coalesce(sum(\"i\") OVER (), 0))"},
    {"nw.col('i').is_unique()", "i", "(count(*) OVER (PARTITION BY \"i\") = 1)"},
    {"nw.col('i').sum().over('k')", "i",
     "coalesce(sum(\"i\") OVER (PARTITION BY \"k\"), 0)"},
    {"nw.col('i').n_unique().over('k')", "i",
     "(count(DISTINCT \"i\") OVER (PARTITION BY \"k\") + CAST(count(*) OVER (PARTITION "
     "BY \"k\") > count(\"i\") OVER (PARTITION BY \"k\") AS BIGINT))"},
    {"nw.col('i').max().over('k', 'b')", "i",
     "max(\"i\") OVER (PARTITION BY \"k\", \"b\")"},
    {"nw.col('i').cum_count().over('k', order_by='o')", "i",
     "count(\"i\") OVER (PARTITION BY \"k\" ORDER BY \"o\" ASC NULLS FIRST ROWS "
     "BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"},
    {"nw.col('i').cum_min().over(order_by='o')", "i",
     "(CASE WHEN \"i\" IS NOT NULL THEN min(\"i\") OVER (ORDER BY \"o\" ASC NULLS "
     "FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) END)"},
    {"nw.col('i').cum_prod().over(order_by='o')", "i",
     "(CASE WHEN \"i\" IS NOT NULL THEN product(\"i\") OVER (ORDER BY \"o\" ASC NULLS "
     "FIRST ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) END)"},
    {"nw.col('i').shift(-1).over('k', order_by='o')", "i",
     "lead(\"i\", 1) OVER (PARTITION BY \"k\" ORDER BY \"o\" ASC NULLS FIRST)"},
    {"nw.col('i').rolling_sum(2).over(order_by='o')", "i",
     "(CASE WHEN count(\"i\") OVER (ORDER BY \"o\" ASC NULLS FIRST ROWS BETWEEN 1 "
     "PRECEDING AND CURRENT ROW) >= 2 THEN sum(\"i\") OVER (ORDER BY \"o\" ASC NULLS "
     "FIRST ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) END)"},
    {"nw.col('i').rolling_std(3, min_samples=2, center=True).over(order_by='o')", "i",
     "(CASE WHEN count(\"i\") OVER (ORDER BY \"o\" ASC NULLS FIRST ROWS BETWEEN 1 "
     "PRECEDING AND 1 FOLLOWING) >= 2 THEN stddev_samp(\"i\") OVER (ORDER BY \"o\" ASC "
     "NULLS FIRST ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) END)"},
    {"nw.col('i').fill_null(strategy='backward', limit=1).over(order_by='o')", "i",
     "first_value(\"i\" IGNORE NULLS) OVER (ORDER BY \"o\" ASC NULLS FIRST ROWS "
     "BETWEEN CURRENT ROW AND 1 FOLLOWING)"},
    {"nw.col('i').rank('min')", "i",
     "(CASE WHEN \"i\" IS NOT NULL THEN rank() OVER (ORDER BY \"i\" ASC NULLS LAST) "
     "END)"},
    {"nw.col('i').rank('dense')", "i",
     "(CASE WHEN \"i\" IS NOT NULL THEN dense_rank() OVER (ORDER BY \"i\" ASC NULLS "
     "LAST) END)"},
    {"nw.col('i').is_first_distinct().over(order_by='o')", "i",
     "(row_number() OVER (PARTITION BY \"i\" ORDER BY \"o\" ASC NULLS FIRST) = 1)"},
    {"nw.col('i').first().over('k', order_by='o')", "i",
     "first(\"i\" ORDER BY \"o\" ASC NULLS FIRST) OVER (PARTITION BY \"k\")"},
    {"nw.lit(1)", "literal", "1"},
    {"sql_expr('5 * i')", "5 * i", "(5 * i)"},
    {"nw.col('i').alias('x')", "x", "\"i\""},
    {"F.sum('i')", "i", "coalesce(sum(\"i\"), 0)"},
    {"F.count('*')", "count", "count(*)"},
    {"F.countDistinct('k')", "k", "count(DISTINCT \"k\")"},
    {"F.when(F.col('i') > 0, 1).otherwise(0)", "literal",
     "(CASE WHEN (\"i\" > 0) THEN 1 ELSE 0 END)"},
    {"F.round('f', 1)", "f", "round(\"f\", 1)"},
    {"F.concat_ws('-', 'k', 's')", "k", "concat_ws('-', \"k\", \"s\")"},
    {"pl.col('i').cast(pl.Int64, strict=False)", "i", "TRY_CAST(\"i\" AS BIGINT)"},
    {"col('i') + lit(1)", "i", "(\"i\" + 1)"},
    {"nw.col('i').laktory.roundp(p=5)", "i", "(round_even(\"i\" / 5, 0) * 5)"},
    {"nw.col('s').laktory.string_split(pattern='_', key=1)", "s",
     "list_extract(string_split(\"s\", '_'), 2)"},
    {"nw.laktory.current_timestamp()", "literal", "now()"},
    {"nw.col('r').struct.field('x').cast(nw.dtypes.Datetime())", "x",
     "make_timestamp(CAST(struct_extract(\"r\", 'x') AS BIGINT))"},
    {"nw.col('t').cast(nw.Datetime(time_zone='UTC'))", "t",
     "CAST(\"t\" AS TIMESTAMP WITH TIME ZONE)"},
    {"nw.col('l').list.get(0)", "l", "list_extract(\"l\", 1)"},
    {"nw.col('l').list.unique()", "l",
     "(CASE WHEN list_position(\"l\", NULL) IS NOT NULL THEN "
     "list_append(list_sort(list_distinct(\"l\")), NULL) ELSE "
     "list_sort(list_distinct(\"l\")) END)"},
    {"nw.col('i').cast(nw.List(nw.Int64))", "i", "CAST(\"i\" AS BIGINT[])"},
    {"nw.col('s').cast(nw.Struct({'a': nw.Int64, 'b': nw.String}))", "s",
     "CAST(\"s\" AS STRUCT(\"a\" BIGINT, \"b\" VARCHAR))"},
    {"F.col('r')['x']", "r", "struct_extract(\"r\", 'x')"},
    {"F.col('l')[0]", "l", "list_extract(\"l\", 1)"},
    {"F.col('s').isNull()", "s", "(\"s\" IS NULL)"},
    {"F.col('i').between(1, 2)", "i", "((\"i\" >= 1) AND (\"i\" <= 2))"},
    {"F.col('s').cast('decimal(10,2)')", "s", "CAST(\"s\" AS DECIMAL(10, 2))"},
    {"nw.col('i').mode(keep='any')", "i", "mode(\"i\" ORDER BY \"i\")"},
    {"nw.col('i').rank('ordinal').over(order_by='o')", "i",
     "(CASE WHEN \"i\" IS NOT NULL THEN row_number() OVER (ORDER BY \"i\" ASC NULLS "
     "LAST, \"o\" ASC NULLS FIRST) END)"},
    {"nw.col('t').dt.truncate('1w')", "t", "date_trunc('week', \"t\")"},
    {"nw.col('t').dt.truncate('2w')", "t",
     "time_bucket(INTERVAL '2 weeks', \"t\", TIMESTAMP '1970-01-05')"},
    {"nw.col('s').str.to_datetime()", "s", "CAST(\"s\" AS TIMESTAMP)"},
    {"nw.date(2024, 1, 2)", "date", "make_date(2024, 1, 2)"},
    {"nw.col('i').replace({3: 4})", "i", "(CASE WHEN \"i\" = 3 THEN 4 ELSE \"i\" END)"},
    {"nw.col('s').str.extract('([a-z])')", "s",
     "(CASE WHEN regexp_matches(\"s\", '([a-z])') THEN regexp_extract(\"s\", "
     "'([a-z])', 1) END)"},
    {"nw.col('s').str.strip_prefix('a')", "s",
     "(CASE WHEN starts_with(\"s\", 'a') THEN substr(\"s\", length('a') + 1) ELSE "
     "\"s\" END)"},
    {"-2.5 * nw.col('f')", "literal", "((-2.5e0) * \"f\")"},
    {"nw.col('s') == \"it's\"", "s", "(\"s\" = 'it''s')"},
    {"nw.col('i') + 1_000", "i", "(\"i\" + 1000)"},
    {"nw.col('s') == r'a\\b'", "s", "(\"s\" = 'a\\b')"},
    {"nw.col(\n  'i'  # a column\n) + 1", "i", "(\"i\" + 1)"},
};

TEST(ExpressionSql, WritesEachExpressionAsItShould) {
  for (const Case& expected : kCases) {
    SCOPED_TRACE(expected.text);
    // As select does: aggregates beside columns are repeated.
    auto compiled = compile_expressions(expected.text, schema(), Dialect::duckdb,
                                        AggregateForm::plain);
    ASSERT_TRUE(compiled) << compiled.error().message();
    if (compiled->size() == 1 && compiled->front().aggregates &&
        compiled->front().reads_rows) {
      compiled = compile_expressions(expected.text, schema(), Dialect::duckdb,
                                     AggregateForm::broadcast);
      ASSERT_TRUE(compiled) << compiled.error().message();
    }
    ASSERT_EQ(compiled->size(), 1U);
    EXPECT_EQ(compiled->front().sql, expected.sql);
    EXPECT_EQ(compiled->front().name, expected.name);
  }
}

struct Fault {
  const char* text;
  const char* message;
};

const Fault kFaults[] = {
    {"", "column 1: the expression is empty"},
    {"nw.col('i", "column 8: this string is not closed"},
    {"nw.col('i') +", "column 14: the expression ends where a value is due"},
    {"nw.col('i') and nw.col('j')",
     "column 13: 'and' does not work on columns; write (a) & (b)"},
    {"not nw.col('b')", "column 1: 'not' does not work"},
    {"nw.col('i') in [1]", "column 13: 'in' does not work on columns; write a.is_in"},
    {"nw.col('i') = 1", "column 13: '=' does not compare; write '=='"},
    {"1 < nw.col('i') < 3", "column 17: comparisons cannot be chained"},
    {"lambda x: x", "column 1: functions cannot be defined"},
    {"nw.col('i') ** -1",
     "column 16: a whole number to a negative power is a fraction"},
    {"nw.col('i') << 2", "column 13: '<<' stands where an operator or the end is due"},
    {"f'{i}'", "column 1: f-strings are not known"},
    {"nw.col('i').is_nul()",
     "column 13: 'is_nul' is not a method of an expression that is known here; did you "
     "mean 'is_null'?"},
    {"nw.colx('i')",
     "column 4: 'colx' is not a function of nw that is known here; did you mean "
     "'col'?"},
    {"nw.col('x')", "column 8: there is no column 'x'"},
    {"nw.col('kk')", "did you mean 'k'?"},
    {"nw.col('s').to_lowercase()",
     "column 13: 'to_lowercase' is not a method of an expression; write "
     ".str.to_lowercase(...)"},
    {"nw.col('s').str.is_null()", "write .is_null(...)"},
    {"nw.col('i').round(decimal=2)",
     "column 19: unknown argument 'decimal' of round(decimals=0); did you mean "
     "'decimals'?"},
    {"nw.col('i').round(1, 2)", "column 22: too many arguments for round"},
    {"nw.col('i').alias()", "column 13: the argument 'name' of alias(name) is missing"},
    {"nw.col('i').clip(0, lower_bound=1)", "is given twice"},
    {"i + 1",
     "column 1: the name 'i' is not known here; a column is written nw.col(\"i\")"},
    {"foo(1)", "column 1: 'foo' is not a function"},
    {"nw.col('i').cum_sum()", "column 13: 'cum_sum' depends on the order of rows"},
    {"nw.col('i').first()", "give order_by"},
    {"nw.col('i').abs().over('k')", "'over' needs an aggregate or a window function"},
    {"nw.col('i').sum().over('k').sum().over('k')", "inside of another 'over'"},
    {"nw.col('i').sum().max()", "cannot work on an aggregate"},
    {"nw.col('i').cast(nw.Int65)",
     "column 21: 'Int65' is not a type that is known here; did you mean 'Int64'?"},
    {"nw.col('i').cast(nw.Duration)", "Duration is not a type that a table can hold"},
    {"nw.col('t') - nw.col('t')", "a table cannot hold a duration"},
    {"nw.col('r').struct.field('z')", "column 26: the struct 'r' has no field 'z'"},
    {"nw.col('i').struct.field('z')", "not a struct"},
    {"nw.col('s').dt.year()", "'.year' needs a date or a time"},
    {"nw.col('t').dt.truncate('1x')", "column 25: '1x' is not a duration"},
    {"nw.col('t').dt.to_string('%Q')", "column 26: the time format '%Q'"},
    {"nw.col('s').str.replace('a', '$name')", "column 30: '$name' names no group"},
    {"nw.col('f').laktory.convert_units('m', 'kg')",
     "'m' is a unit of length, but 'kg' of mass"},
    {"nw.col('f').laktory.convert_units('metr', 'm')", "did you mean 'meter'?"},
    {"nw.col('i').map_batches(1)", "runs Python code"},
    {"nw.col('c').cat.get_categories()", "there is no column 'c'"},
    {"nw.col('i').unique()", "another length"},
    {"nw.col('i').mode()", "mode(keep=\"any\")"},
    {"nw.when(nw.col('b'))", "when(...) needs .then(...)"},
    {"nw.col('i').otherwise(1)", "'.otherwise' follows .then"},
    {"nw.Int64", "a type stands where a column is due"},
    {"nw.lit(99999999999999999999)",
     "column 8: the number 99999999999999999999 does not fit 64 bits"},
    {"sql_expr('a) + (b')", "column 10: the SQL has a ')' that nothing opened"},
    {"sql_expr('1; DROP TABLE x')", "without ';'"},
    {"nw.col('i')\n  .abz()", "line 2, column 4: 'abz' is not"},
    {"nw.col(*['i'])", "column 8: '*' before an argument"},
    {"nw.col('i') $ 1", "column 13: the character '$' is not known here"},
    {"0x1F", "only decimal numbers"},
    {"'\\u12'", "hexadecimal digits"},
};

TEST(ExpressionSql, SaysWhatIsWrongAndWhere) {
  for (const Fault& fault : kFaults) {
    SCOPED_TRACE(fault.text);
    auto compiled = compile_expressions(fault.text, schema(), Dialect::duckdb,
                                        AggregateForm::plain);
    ASSERT_FALSE(compiled) << compiled->front().sql;
    EXPECT_THAT(compiled.error().message(), HasSubstr(fault.message));
    EXPECT_EQ(compiled.error().code(), ErrorCode::invalid);
  }
}

TEST(ExpressionSql, TellsAggregatesWindowsAndRows) {
  auto of = [](std::string_view text) {
    return compile_expression(text, schema(), Dialect::duckdb).value();
  };
  EXPECT_TRUE(of("nw.col('i').sum()").aggregates);
  EXPECT_FALSE(of("nw.col('i').sum()").reads_rows);
  EXPECT_TRUE(of("nw.col('i') - nw.col('i').mean()").reads_rows);
  EXPECT_TRUE(of("nw.col('i').sum().over('k')").windows);
  EXPECT_FALSE(of("nw.col('i').sum().over('k')").aggregates);
  EXPECT_FALSE(of("nw.lit(1)").reads_rows);
  EXPECT_TRUE(of("sql_expr('sum(i)')").aggregates);
  EXPECT_EQ(of("nw.col('i').alias('z')").alias, "z");
  EXPECT_FALSE(of("nw.col('i')").alias.has_value());
  EXPECT_EQ(of("nw.col('i').is_null()").type, data::make_type(TypeKind::boolean));
}

TEST(ExpressionSql, GivesSeveralColumns) {
  auto compiled =
      compile_expressions("nw.col('i', 'j').sum().name.suffix('_sum')", schema(),
                          Dialect::duckdb, AggregateForm::broadcast);
  ASSERT_TRUE(compiled);
  ASSERT_EQ(compiled->size(), 2U);
  EXPECT_EQ((*compiled)[1].name, "j_sum");
  EXPECT_EQ((*compiled)[1].sql, "coalesce(sum(\"j\") OVER (), 0)");
  EXPECT_FALSE(compile_expression("nw.all()", schema(), Dialect::duckdb));
}

TEST(ExpressionSql, RefusesTheOtherDialectByName) {
  auto compiled = compile_expression("nw.col('i')", schema(), Dialect::spark);
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().code(), ErrorCode::unsupported);
}

TEST(ExpressionSql, KnowsAnExpressionFromTextByItsPlace) {
  EXPECT_TRUE(is_expression("nw.col('x')", TextContext::method_argument));
  EXPECT_TRUE(is_expression("sql_expr('x')", TextContext::method_argument));
  EXPECT_FALSE(is_expression("symbol", TextContext::method_argument));
  for (const TextContext context :
       {TextContext::expectation, TextContext::aggregation}) {
    EXPECT_TRUE(is_expression("nw.col('x') > 0", context));
    EXPECT_TRUE(is_expression("pl.col(\"x\").is_null()", context));
    EXPECT_TRUE(is_expression("F.sum('x') > 1", context));
    EXPECT_TRUE(is_expression("col('x') > 0", context));
    EXPECT_TRUE(is_expression("lit (1) == 1", context));
    EXPECT_FALSE(is_expression("count(*) > 0", context));
    EXPECT_FALSE(is_expression("name = 'nw.col(x)'", context));
    EXPECT_FALSE(is_expression("F.amount > 0", context));
    EXPECT_FALSE(is_expression("protocol(x) = 1", context));
    EXPECT_FALSE(is_expression("x.pl = 1", context));
  }
}

TEST(ExpressionSql, EmbedsSqlWithItsName) {
  auto embedded = embed_sql_expression("sum(x) AS \"total of x\"");
  ASSERT_TRUE(embedded);
  EXPECT_EQ(embedded->sql, "(sum(x))");
  EXPECT_EQ(embedded->name, "total of x");
  EXPECT_TRUE(embedded->aggregates);
  EXPECT_EQ(embed_sql_expression("CAST(x AS BIGINT)")->name, "CAST(x AS BIGINT)");
  EXPECT_EQ(embed_sql_expression("x -- a note")->sql, "(x -- a note\n)");
  EXPECT_TRUE(embed_sql_expression("'a;b)' || x"));
  EXPECT_FALSE(embed_sql_expression("'a"));
  EXPECT_FALSE(embed_sql_expression("  "));
}

TEST(ExpressionSql, NamesTypes) {
  EXPECT_EQ(compile_type("nw.Int64", Dialect::duckdb).value(), "BIGINT");
  EXPECT_EQ(compile_type("nw.dtypes.String()", Dialect::duckdb).value(), "VARCHAR");
  EXPECT_EQ(compile_type("nw.List(nw.Decimal(10, 2))", Dialect::duckdb).value(),
            "DECIMAL(10, 2)[]");
  EXPECT_EQ(compile_type("bigint", Dialect::duckdb).value(), "BIGINT");
  EXPECT_EQ(compile_type("nw.Datetime('ms')", Dialect::duckdb).value(), "TIMESTAMP_MS");
  EXPECT_FALSE(compile_type("nw.Decimal(50)", Dialect::duckdb));
  EXPECT_FALSE(compile_type("nw.Datetime(time_zone='Europe/Paris')", Dialect::duckdb));
}

TEST(ExpressionSql, ConvertsUnits) {
  EXPECT_EQ(compile_expression("nw.col('f').laktory.convert_units('degC', 'degF')",
                               schema(), Dialect::duckdb)
                ->sql,
            "(\"f\" * 1.8e0 + 32e0)");
}

TEST(ExpressionSql, DescribesEveryFunction) {
  EXPECT_GT(expression_functions().size(), 250U);
  for (const ExpressionFunction& function : expression_functions()) {
    EXPECT_FALSE(function.summary.empty()) << function.scope << "." << function.name;
    EXPECT_EQ(function.summary.back(), '.') << function.scope << "." << function.name;
  }
}

TEST(ExpressionSql, QuotesNamesAndTexts) {
  const data::Schema odd = {{field("a\"b", data::make_type(TypeKind::string))}};
  auto compiled =
      compile_expression("nw.col('a\"b') == \"x' OR 1=1 --\"", odd, Dialect::duckdb);
  ASSERT_TRUE(compiled) << compiled.error().message();
  EXPECT_EQ(compiled->sql, "(\"a\"\"b\" = 'x'' OR 1=1 --')");
}

}  // namespace
}  // namespace lakemill::language
