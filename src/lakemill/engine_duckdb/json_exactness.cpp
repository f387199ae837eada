// Exact numbers of JSON in SQL. Our functions run row by row over text, as a reader
// does: what they decode is a wire format that DuckDB reads with losses.

#include "lakemill/engine_duckdb/json_exactness.h"

#include <charconv>
#include <cmath>
#include <limits>

#include "lakemill/base/guard.h"
#include "lakemill/base/json.h"
#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/value_lines.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::LogicalType;
using duckdb::string_t;
using duckdb::StringVector;
using duckdb::Value;

constexpr std::size_t kShownBytesMax = 200;  // of a record that is refused

std::string_view view(const string_t& text) { return {text.GetData(), text.GetSize()}; }

// [["/a",true,true,true,false,17,0],…], by hand because there may be one for each row.
std::string numbers_text(const formats::NumbersByPath& numbers) {
  std::string list = "[";
  const auto add = [&](const std::string& item) { (list += item) += ','; };
  for (const auto& [path, at] : numbers) {
    list += list.size() > 1 ? ",[" : "[";
    add(json_text(Json(path)));
    for (const bool flag :
         {at.any_integer, at.all_integer, at.fit_long, at.fit_double}) {
      add(flag ? "true" : "false");
    }
    add(std::to_string(at.integer_digits));
    list += std::to_string(at.scale) + "]";
  }
  return list + "]";
}

void give_numbers(duckdb::DataChunk& input, duckdb::ExpressionState& /*state*/,
                  duckdb::Vector& result) {
  const bool all = input.size() > 0 && input.GetValue(1, 0).GetValue<bool>();
  duckdb::UnaryExecutor::ExecuteWithNulls<string_t, string_t>(
      input.data[0], result, input.size(),
      [&](string_t json, duckdb::ValidityMask& valid, duckdb::idx_t row) {
        const auto numbers = formats::numbers_of(view(json), all);
        if (!numbers.empty()) {
          return StringVector::AddString(result, numbers_text(numbers));
        }
        valid.SetInvalid(row);
        return string_t();
      });
}

void give_exact_json(duckdb::DataChunk& input, duckdb::ExpressionState& /*state*/,
                     duckdb::Vector& result) {
  std::set<std::string> paths;
  if (input.size() > 0) {
    const Value list = input.GetValue(1, 0);
    for (const Value& path : duckdb::ListValue::GetChildren(list)) {
      paths.insert(path.ToString());
    }
  }
  duckdb::UnaryExecutor::Execute<string_t, string_t>(
      input.data[0], result, input.size(), [&](string_t json) {
        const auto exact = formats::exact_json(view(json), paths);
        if (!exact.repeated_name.empty()) {
          throw duckdb::InvalidInputException(
              "a JSON object has the field \"%s\" twice: %s", exact.repeated_name,
              std::string(view(json).substr(0, kShownBytesMax)));
        }
        return StringVector::AddString(result, exact.text);
      });
}

// A number as JSON has them, out of what people and other programs write.
std::string_view json_number(std::string_view text) {
  text = trim(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  return text;
}

template <typename Float>
std::optional<Float> word_value(std::string_view text, const LogicalType& type) {
  Value value;
  std::string problem;
  if (text.find('_') != std::string_view::npos) return std::nullopt;
  if (!Value(std::string(text)).DefaultTryCastAs(type, value, &problem)) {
    return std::nullopt;
  }
  return value.GetValue<Float>();
}

// Most numbers: a double (float) holds any of 15 (6) digits.
template <typename Float>
std::optional<Float> value_of_few_digits(std::string_view number) {
  const bool has_few = number.size() <= std::numeric_limits<Float>::digits10 &&
                       number.find_first_not_of("-.0123456789") == std::string::npos;
  if (!has_few) return std::nullopt;
  Float value = 0;
  const auto parsed =
      std::from_chars(number.data(), number.data() + number.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != number.data() + number.size()) {
    return std::nullopt;
  }
  return value;
}

template <typename Float, typename Read>
void give_floats(duckdb::DataChunk& input, duckdb::Vector& result, Read&& read) {
  duckdb::UnaryExecutor::ExecuteWithNulls<string_t, Float>(
      input.data[0], result, input.size(),
      [&](string_t text, duckdb::ValidityMask& valid, duckdb::idx_t row) {
        const std::string_view number = json_number(view(text));
        const auto few = value_of_few_digits<Float>(number);
        if (few) return *few;
        const bool is_number = formats::describe_number(number).has_value();
        const std::optional<Float> value =
            is_number ? read(number) : word_value<Float>(number, result.GetType());
        if (!value) valid.SetInvalid(row);
        return value.value_or(Float(0));
      });
}

void give_exact_doubles(duckdb::DataChunk& input, duckdb::ExpressionState& /*state*/,
                        duckdb::Vector& result) {
  give_floats<double>(input, result, formats::exact_double);
}

void give_exact_floats(duckdb::DataChunk& input, duckdb::ExpressionState& /*state*/,
                       duckdb::Vector& result) {
  give_floats<float>(input, result, formats::exact_float);
}

void give_near_doubles(duckdb::DataChunk& input, duckdb::ExpressionState& /*state*/,
                       duckdb::Vector& result) {
  give_floats<double>(
      input, result, [](std::string_view number) -> std::optional<double> {
        if (formats::describe_number(number)->is_integer) {
          return formats::exact_double(number);
        }
        const auto near = word_value<double>(number, LogicalType::DOUBLE);
        return near && std::isfinite(*near) ? near : std::nullopt;
      });
}

void give_plain_numbers(duckdb::DataChunk& input, duckdb::ExpressionState& /*state*/,
                        duckdb::Vector& result) {
  duckdb::UnaryExecutor::ExecuteWithNulls<string_t, string_t>(
      input.data[0], result, input.size(),
      [&](string_t text, duckdb::ValidityMask& valid, duckdb::idx_t row) {
        const std::string_view number = json_number(view(text));
        if (number.find_first_of("eE") == std::string_view::npos ||
            !formats::describe_number(number)) {
          return StringVector::AddString(result, text);
        }
        const auto plain = formats::plain_number(number);
        if (!plain) valid.SetInvalid(row);
        return StringVector::AddString(result, plain.value_or(""));
      });
}

void give_places(duckdb::DataChunk& input, duckdb::ExpressionState& state,
                 duckdb::Vector& result) {
  give_lines(input, state, result, [&](const std::string& bytes, duckdb::idx_t row) {
    return formats::line_of_value(bytes, input.GetValue(1, row).ToString(),
                                  input.GetValue(2, row).ToString());
  });
}

}  // namespace

void parse_numbers(const std::string& text, formats::NumbersByPath& numbers) {
  const auto list = parse_json(text);
  if (!list || !list->is_array()) return;
  for (const Json& entry : *list) {
    numbers[entry[0].get<std::string>()].add(
        {entry[1].get<bool>(), entry[2].get<bool>(), entry[3].get<bool>(),
         entry[4].get<bool>(), entry[5].get<int>(), entry[6].get<int>()});
  }
}

std::string text_paths_sql(const std::set<std::string>& paths) {
  std::vector<std::string> list;
  for (const std::string& path : paths) list.push_back(quote_literal(path));
  return "CAST([" + join(list, ", ") + "] AS VARCHAR[])";
}

void register_json_exactness(duckdb::Connection& connection) {
  auto& context = *connection.context;
  auto& catalog = duckdb::Catalog::GetSystemCatalog(context);
  const auto add = [&](duckdb::ScalarFunction function) {
    duckdb::CreateScalarFunctionInfo info(std::move(function));
    catalog.CreateFunction(context, info);
  };
  const LogicalType text = LogicalType::VARCHAR;
  add({kJsonNumbers, {text, LogicalType::BOOLEAN}, text, give_numbers});
  add({kExactJson, {text, LogicalType::LIST(text)}, text, give_exact_json});
  add({kExactDouble, {text}, LogicalType::DOUBLE, give_exact_doubles});
  add({kExactFloat, {text}, LogicalType::FLOAT, give_exact_floats});
  add({kNearDouble, {text}, LogicalType::DOUBLE, give_near_doubles});
  add({kPlainNumber, {text}, text, give_plain_numbers});
  duckdb::ScalarFunction place(kJsonPlace, {text, text, text}, text, give_places);
  place.SetVolatile();  // never run while a statement is planned
  add(std::move(place));
}

}  // namespace lakemill::engine_duckdb
