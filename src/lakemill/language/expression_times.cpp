#include <array>

#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"
#include "lakemill/language/expression_text.h"

// Methods of .dt: dates and times. Those without a zone are wall clocks; those with one
// are instants, and their parts are those in UTC.

namespace lakemill::language {
namespace {

using data::TypeKind;

const data::Type kInteger = data::make_type(TypeKind::int64);
const data::Type kWallClock = data::make_type(TypeKind::timestamp_ntz);

struct Part {
  std::string_view name;
  std::string_view before;  ///< SQL around the operand
  std::string_view after;
};

// The engine's millisecond() and microsecond() have the seconds in them.
constexpr std::array<Part, 14> kParts = {{
    {"year", "year(", ")"},
    {"month", "month(", ")"},
    {"day", "day(", ")"},
    {"hour", "hour(", ")"},
    {"minute", "minute(", ")"},
    {"second", "second(", ")"},
    {"millisecond", "(millisecond(", ") % 1000)"},
    {"microsecond", "(microsecond(", ") % 1000000)"},
    {"nanosecond", "(microsecond(", ") % 1000000 * 1000)"},
    {"weekday", "isodow(", ")"},
    {"ordinal_day", "dayofyear(", ")"},
    {"week", "week(", ")"},
    {"quarter", "quarter(", ")"},
    {"iso_year", "isoyear(", ")"},
}};

Status need_time(const Call& call, const Operand& operand) {
  if (operand.type && !operand.is_timestamp() && !operand.is(TypeKind::date)) {
    return call.error("'." + std::string(call.name) +
                      "' needs a date or a time, but '" + operand.name + "' is " +
                      data::to_text(*operand.type) +
                      "; use .str.to_datetime(...) or .cast(nw.Datetime())");
  }
  if (operand.duration) {
    return call.error("'" + std::string(call.name) + "' needs a time, not a duration");
  }
  return {};
}

Result<Value> part(Compiler&, const Call& call) {
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(need_time(call, operand));
    for (const Part& entry : kParts) {
      if (entry.name != call.name) continue;
      const bool of_second = entry.name.ends_with("second");
      const std::string x = of_second && operand.is(TypeKind::date)
                                ? "CAST(" + operand.sql + " AS TIMESTAMP)"
                                : operand.sql;
      return with_sql(operand, std::string(entry.before) + x + std::string(entry.after),
                      kInteger);
    }
    return call.error("this part is not known");
  });
}

Result<Value> date(Compiler&, const Call& call) {
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(need_time(call, operand));
    return with_sql(operand, "CAST(" + operand.sql + " AS DATE)",
                    data::make_type(TypeKind::date));
  });
}

Result<Value> truncate(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string text, call.text("every", ""));
  auto every = parse_every(text);
  if (!every || every->count < 1) {
    return error_at(
        call.arguments.find("every")->position,
        every ? "'" + text + "' is not longer than nothing" : every.error().message());
  }
  const std::string unit(unit_word(every->unit));
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(need_time(call, operand));
    const bool is_date = operand.is(TypeKind::date);
    const std::optional<data::Type> type = operand.type ? operand.type : kWallClock;
    std::string sql;
    if (every->count == 1) {
      sql = "date_trunc('" + unit + "', " + operand.sql + ")";
    } else {
      // Counted from 1970, weeks from its first Monday.
      const std::string origin = unit == "week" ? "1970-01-05" : "1970-01-01";
      const std::string zone =
          operand.is(TypeKind::timestamp) ? "TIMESTAMPTZ '" : "TIMESTAMP '";
      const std::string x =
          is_date ? "CAST(" + operand.sql + " AS TIMESTAMP)" : operand.sql;
      sql = "time_bucket(INTERVAL '" + std::to_string(every->count) + " " + unit +
            "s', " + x + ", " + zone + origin +
            (operand.is(TypeKind::timestamp) ? " 00:00:00+00')" : "')");
    }
    if (is_date) sql = "CAST(" + sql + " AS DATE)";
    return with_sql(operand, sql, type);
  });
}

Result<Value> offset_by(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string text, call.text("by", ""));
  auto every = parse_every(text);
  if (!every) {
    return error_at(call.arguments.find("by")->position, every.error().message());
  }
  const std::string interval = "INTERVAL '" + std::to_string(every->count) + " " +
                               std::string(unit_word(every->unit)) + "s'";
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(need_time(call, operand));
    std::string sql = "(" + operand.sql + " + " + interval + ")";
    if (operand.is(TypeKind::date)) sql = "CAST(" + sql + " AS DATE)";
    return with_sql(operand, sql, operand.type);
  });
}

Result<Value> to_string(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string format, call.text("format", ""));
  auto converted = convert_time_format(format, TimeFormatUse::print);
  if (!converted) {
    return error_at(call.arguments.find("format")->position,
                    converted.error().message());
  }
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(need_time(call, operand));
    return with_sql(operand,
                    "strftime(" + operand.sql + ", " + quote_literal(*converted) + ")",
                    data::make_type(TypeKind::string));
  });
}

Result<Value> timestamp(Compiler&, const Call& call) {
  constexpr std::array<std::string_view, 3> kUnits = {"us", "ms", "ns"};
  LAKEMILL_TRY(std::string unit, call.choice("time_unit", "us", kUnits));
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(need_time(call, operand));
    return with_sql(operand, "epoch_" + unit + "(" + operand.sql + ")", kInteger);
  });
}

// Towards zero, as Polars; / and not //, which is the same for whole numbers.
Result<Value> total(Compiler&, const Call& call) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kDivisors = {
      {{"total_days", " // 86400000000"},
       {"total_hours", " // 3600000000"},
       {"total_minutes", " // 60000000"},
       {"total_seconds", " // 1000000"},
       {"total_milliseconds", " // 1000"},
       {"total_microseconds", ""},
       {"total_nanoseconds", " * 1000"}}};
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    if (!operand.duration && operand.type) {
      return call.error("'" + std::string(call.name) +
                        "' needs a difference of two times");
    }
    std::string_view divisor;
    for (const auto& [name, text] : kDivisors) {
      if (name == call.name) divisor = text;
    }
    return with_sql(operand,
                    "(epoch_us(" + operand.sql + ")" + std::string(divisor) + ")",
                    kInteger);
  });
}

Result<Value> convert_zone(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string zone, call.text("time_zone", ""));
  const bool utc = zone == "UTC" || zone == "Etc/UTC";
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(need_time(call, operand));
    const std::string instant =
        operand.is(TypeKind::timestamp)
            ? operand.sql
            : "CAST(" + operand.sql + " AS TIMESTAMP WITH TIME ZONE)";
    if (utc) return with_sql(operand, instant, data::make_type(TypeKind::timestamp));
    return with_sql(operand, "timezone(" + quote_literal(zone) + ", " + instant + ")",
                    kWallClock);
  });
}

Result<Value> replace_zone(Compiler&, const Call& call) {
  LAKEMILL_TRY(std::string zone, call.text("time_zone", ""));
  const bool none = call.find("time_zone") == nullptr;
  return for_each_column(call.subject, [&](Operand operand) -> Result<Operand> {
    LAKEMILL_TRY_OK(need_time(call, operand));
    const std::string wall = operand.is(TypeKind::timestamp_ntz)
                                 ? operand.sql
                                 : "CAST(" + operand.sql + " AS TIMESTAMP)";
    if (none) return with_sql(operand, wall, kWallClock);
    return with_sql(operand, "timezone(" + quote_literal(zone) + ", " + wall + ")",
                    data::make_type(TypeKind::timestamp));
  });
}

constexpr std::array kEntries = {
    FunctionEntry{"dt", "year", "", "The year.", part},
    FunctionEntry{"dt", "month", "", "The month, 1 to 12.", part},
    FunctionEntry{"dt", "day", "", "The day of the month.", part},
    FunctionEntry{"dt", "hour", "", "The hour.", part},
    FunctionEntry{"dt", "minute", "", "The minute.", part},
    FunctionEntry{"dt", "second", "", "The second.", part},
    FunctionEntry{"dt", "millisecond", "", "The milliseconds of the second.", part},
    FunctionEntry{"dt", "microsecond", "", "The microseconds of the second.", part},
    FunctionEntry{"dt", "nanosecond", "", "The nanoseconds of the second.", part},
    FunctionEntry{"dt", "weekday", "", "1 for Monday to 7 for Sunday.", part},
    FunctionEntry{"dt", "ordinal_day", "", "The day of the year, from 1.", part},
    FunctionEntry{"dt", "week", "", "The ISO week.", part},
    FunctionEntry{"dt", "quarter", "", "The quarter, 1 to 4.", part},
    FunctionEntry{"dt", "iso_year", "", "The year that the ISO week belongs to.", part},
    FunctionEntry{"dt", "date", "", "The date.", date},
    FunctionEntry{
        "dt", "truncate", "every",
        "The beginning of the span it lies in: \"1d\", \"15m\", \"1mo\", \"1w\".",
        truncate},
    FunctionEntry{"dt", "offset_by", "by", "Moved by \"1d\", \"-2h\", \"1mo\".",
                  offset_by},
    FunctionEntry{"dt", "to_string", "format", "As text: \"%Y-%m-%d %H:%M:%S\".",
                  to_string},
    FunctionEntry{"dt", "strftime", "format", "As text: \"%Y-%m-%d %H:%M:%S\".",
                  to_string},
    FunctionEntry{"dt", "timestamp", "time_unit='us'", "Counted from 1970.", timestamp},
    FunctionEntry{"dt", "epoch", "time_unit='us'", "Counted from 1970.", timestamp},
    FunctionEntry{"dt", "total_days", "", "A difference in whole days.", total},
    FunctionEntry{"dt", "total_hours", "", "A difference in whole hours.", total},
    FunctionEntry{"dt", "total_minutes", "", "A difference in whole minutes.", total},
    FunctionEntry{"dt", "total_seconds", "", "A difference in whole seconds.", total},
    FunctionEntry{"dt", "total_milliseconds", "", "A difference in milliseconds.",
                  total},
    FunctionEntry{"dt", "total_microseconds", "", "A difference in microseconds.",
                  total},
    FunctionEntry{"dt", "total_nanoseconds", "", "A difference in nanoseconds.", total},
    FunctionEntry{"dt", "convert_time_zone", "time_zone",
                  "The wall clock of the instant in a zone; UTC keeps the instant.",
                  convert_zone},
    FunctionEntry{"dt", "replace_time_zone", "time_zone",
                  "The instant of the wall clock in a zone; None takes the zone away.",
                  replace_zone},
};

}  // namespace

std::span<const FunctionEntry> time_functions() { return kEntries; }

}  // namespace lakemill::language
