#include "lakemill/sinks/scratch.h"

#include "lakemill/base/text.h"

namespace lakemill::sinks {

std::string Scratch::next_name(std::string_view label) {
  return prefix_ + "_" + std::string(label) + "_" + std::to_string(++number_);
}

Result<std::string> Scratch::keep(std::string_view label, const std::string& sql) {
  const std::string name = next_name(label);
  engine::WriteSpec spec;
  spec.sql = sql;
  spec.target = engine::TemporaryTarget{name};
  auto written = session_.write(spec);
  if (!written) {
    return std::move(written).error().while_doing("merge, " + std::string(label));
  }
  return quote_identifier(name);
}

Result<std::string> Scratch::view(std::string_view label, const std::string& sql,
                                  engine::Origin origin) {
  const std::string name = next_name(label);
  LAKEMILL_TRY_OK(session_.bind_query(name, sql, origin));
  return quote_identifier(name);
}

Result<std::string> Scratch::table(std::string_view label,
                                   std::shared_ptr<const data::TableScan> scan) {
  const std::string name = next_name(label);
  LAKEMILL_TRY_OK(session_.bind(name, engine::TableRelation{std::move(scan)}));
  return quote_identifier(name);
}

Result<std::vector<std::int64_t>> Scratch::counts(const std::string& sql) {
  auto rows = session_.query(sql, engine::Origin::lakemill, 1);
  if (!rows) return std::move(rows).error().while_doing("merge");
  LAKEMILL_CHECK(rows->rows.size() == 1);
  std::vector<std::int64_t> numbers;
  for (const data::Value& value : rows->rows.front()) {
    const auto* number = std::get_if<std::int64_t>(&value);
    numbers.push_back(number == nullptr ? 0 : *number);
  }
  return numbers;
}

}  // namespace lakemill::sinks
