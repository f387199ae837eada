#include "lakemill/engine_duckdb/csv_values.h"

#include <charconv>
#include <cstdlib>
#include <optional>

#include "lakemill/base/json.h"
#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/value_lines.h"
#include "lakemill/formats/json_number.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::LogicalType;
using duckdb::string_t;
using duckdb::Value;

// Blanks, a plus, exponents, zeros behind the point.
std::optional<std::int64_t> unusual_integer(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  const auto plain = formats::plain_number(text);
  if (!plain || plain->find('.') != std::string::npos) return std::nullopt;
  std::int64_t number = 0;
  const auto parsed =
      std::from_chars(plain->data(), plain->data() + plain->size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != plain->data() + plain->size()) {
    return std::nullopt;
  }
  return number;
}

std::optional<std::int64_t> integer_of(std::string_view text) {
  std::int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec == std::errc() && parsed.ptr == text.data() + text.size()) {
    return number;
  }
  return unusual_integer(text);
}

void give_integers(duckdb::DataChunk& input, duckdb::ExpressionState& /*state*/,
                   duckdb::Vector& result) {
  duckdb::UnaryExecutor::ExecuteWithNulls<string_t, std::int64_t>(
      input.data[0], result, input.size(),
      [](string_t text, duckdb::ValidityMask& valid, duckdb::idx_t row) {
        const auto number = integer_of({text.GetData(), text.GetSize()});
        if (!number) valid.SetInvalid(row);
        return number.value_or(0);
      });
}

// Only what is a date to its end; an instant at midnight is one too.
void give_dates(duckdb::DataChunk& input, duckdb::ExpressionState& /*state*/,
                duckdb::Vector& result) {
  duckdb::UnaryExecutor::ExecuteWithNulls<string_t, duckdb::date_t>(
      input.data[0], result, input.size(),
      [](string_t text, duckdb::ValidityMask& valid, duckdb::idx_t row) {
        duckdb::date_t date;
        duckdb::idx_t at = 0;
        bool is_special = false;
        const auto read = duckdb::Date::TryConvertDate(text.GetData(), text.GetSize(),
                                                       at, date, is_special, true);
        if (read == duckdb::DateCastResult::SUCCESS) return date;
        duckdb::timestamp_t instant;
        const auto outcome = duckdb::Timestamp::TryConvertTimestamp(
            text.GetData(), text.GetSize(), instant, false);
        if (outcome == duckdb::TimestampCastResult::SUCCESS &&
            duckdb::Timestamp::GetTime(instant).micros == 0) {
          return duckdb::Timestamp::GetDate(instant);
        }
        valid.SetInvalid(row);
        return duckdb::date_t(0);
      });
}

std::string unquoted_literal(const std::string& literal) {
  std::string text;
  for (std::size_t i = 1; i + 1 < literal.size(); ++i) {
    text += literal[i];
    if (literal[i] == '\'' && literal[i + 1] == '\'') ++i;
  }
  return text;
}

char letter_of(const Json& dialect, const char* key) {
  const std::string text = dialect.value(key, std::string());
  return text.empty() ? '\0' : text[0];
}

formats::CsvDialect dialect_of(const std::string& text) {
  formats::CsvDialect dialect;
  const auto json = parse_json(text);
  if (!json || !json->is_object()) return dialect;
  dialect.delimiter = json->value("delimiter", ",");
  dialect.quote = letter_of(*json, "quote");
  dialect.escape = letter_of(*json, "escape");
  dialect.comment = letter_of(*json, "comment");
  dialect.skipped_lines = json->value("skip", std::int64_t{0});
  return dialect;
}

void give_places(duckdb::DataChunk& input, duckdb::ExpressionState& state,
                 duckdb::Vector& result) {
  give_lines(input, state, result, [&](const std::string& bytes, duckdb::idx_t row) {
    return formats::line_of_field(
        bytes, dialect_of(input.GetValue(1, row).ToString()),
        static_cast<std::size_t>(input.GetValue(2, row).GetValue<std::int64_t>()),
        input.GetValue(3, row).ToString());
  });
}

}  // namespace

formats::CsvDialect csv_dialect(const FilesPlan& plan) {
  formats::CsvDialect dialect;
  const auto letter = [&](const char* key, char& value) {
    const auto found = plan.options.find(key);
    if (found == plan.options.end()) return;
    const std::string text = unquoted_literal(found->second);
    value = text.empty() ? '\0' : text[0];
  };
  letter("quote", dialect.quote);
  letter("escape", dialect.escape);
  letter("comment", dialect.comment);
  if (const auto found = plan.options.find("delim"); found != plan.options.end()) {
    dialect.delimiter = unquoted_literal(found->second);
  }
  if (const auto found = plan.options.find("skip"); found != plan.options.end()) {
    dialect.skipped_lines = std::strtoll(found->second.c_str(), nullptr, 10);
  }
  return dialect;
}

std::string csv_dialect_sql(const FilesPlan& plan) {
  const formats::CsvDialect dialect = csv_dialect(plan);
  const auto text = [](char letter) {
    return letter == '\0' ? std::string() : std::string(1, letter);
  };
  const Json json = {{"delimiter", dialect.delimiter},
                     {"quote", text(dialect.quote)},
                     {"escape", text(dialect.escape)},
                     {"comment", text(dialect.comment)},
                     {"skip", dialect.skipped_lines}};
  return quote_literal(json_text(json));
}

void register_csv_values(duckdb::Connection& connection) {
  auto& context = *connection.context;
  auto& catalog = duckdb::Catalog::GetSystemCatalog(context);
  const auto add = [&](duckdb::ScalarFunction function) {
    duckdb::CreateScalarFunctionInfo info(std::move(function));
    catalog.CreateFunction(context, info);
  };
  const LogicalType text = LogicalType::VARCHAR;
  add({kCsvInteger, {text}, LogicalType::BIGINT, give_integers});
  add({kTextDate, {text}, LogicalType::DATE, give_dates});
  duckdb::ScalarFunction place(kCsvPlace, {text, text, LogicalType::BIGINT, text}, text,
                               give_places);
  place.SetVolatile();  // never run while a statement is planned
  add(std::move(place));
}

}  // namespace lakemill::engine_duckdb
