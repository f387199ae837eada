#include "lakemill/engine_duckdb/csv_integers.h"

#include <charconv>
#include <optional>

#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/files_plan.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::LogicalType;
using duckdb::string_t;
using duckdb::Value;

// Blanks, exponents, zeros behind the point: what DuckDB takes for a number.
std::optional<std::int64_t> unusual_integer(std::string_view text) {
  Value exact;
  Value number;
  std::string problem;
  if (!Value(std::string(text))
           .DefaultTryCastAs(LogicalType::DECIMAL(38, 18), exact, &problem) ||
      !exact.DefaultTryCastAs(LogicalType::BIGINT, number, &problem)) {
    return std::nullopt;
  }
  Value back;
  if (!number.DefaultTryCastAs(LogicalType::DECIMAL(38, 18), back, &problem) ||
      back != exact) {
    return std::nullopt;  // it was rounded
  }
  return number.GetValue<std::int64_t>();
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

void refuse_row(duckdb::DataChunk& input, duckdb::ExpressionState& state,
                duckdb::Vector& /*result*/) {
  if (input.size() == 0) return;
  const auto text = [&](duckdb::idx_t column) {
    return input.GetValue(column, 0).ToString();
  };
  std::string sql = text(2);
  sql.insert(sql.find('[') + 1, path_literal(text(0)));
  duckdb::Connection connection(*state.GetContext().db);
  const auto answer = connection.Query(text(1) + sql);
  if (answer->HasError()) answer->ThrowError();
  throw duckdb::InvalidInputException("%s", text(3));
}

}  // namespace

void register_csv_integers(duckdb::Connection& connection) {
  auto& context = *connection.context;
  auto& catalog = duckdb::Catalog::GetSystemCatalog(context);
  duckdb::CreateScalarFunctionInfo integer(duckdb::ScalarFunction(
      kCsvInteger, {LogicalType::VARCHAR}, LogicalType::BIGINT, give_integers));
  catalog.CreateFunction(context, integer);
  const duckdb::vector<LogicalType> texts(4, LogicalType::VARCHAR);
  duckdb::ScalarFunction refuse(kCsvRefuse, texts, LogicalType::BIGINT, refuse_row);
  refuse.SetVolatile();  // never run while a statement is planned
  duckdb::CreateScalarFunctionInfo info(std::move(refuse));
  catalog.CreateFunction(context, info);
}

}  // namespace lakemill::engine_duckdb
