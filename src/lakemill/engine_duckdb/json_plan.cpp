// What JSON files hold: the structures of their records.

#include "lakemill/engine_duckdb/json_plan.h"

#include <algorithm>
#include <map>
#include <set>

#include "lakemill/base/guard.h"
#include "lakemill/base/json.h"
#include "lakemill/base/text.h"
#include "lakemill/engine_duckdb/duckdb_headers.h"
#include "lakemill/engine_duckdb/files_columns.h"
#include "lakemill/engine_duckdb/json_exactness.h"
#include "lakemill/engine_duckdb/json_numbers.h"
#include "lakemill/engine_duckdb/json_structure.h"
#include "lakemill/engine_duckdb/value_lines.h"

namespace lakemill::engine_duckdb {

namespace {

using duckdb::LogicalType;
using engine::FileFormat;

// {"a": "BIGINT", …}: the structure of all the records of some of the files; the
// numbers in them that are hard to hold go to `numbers`.
Result<OrderedJson> json_structure(DuckdbSession& session, const FilesPlan& plan,
                                   std::size_t first, std::size_t count,
                                   JsonNumbers& numbers) {
  LAKEMILL_TRY(const auto answer,
               session.run("SELECT json_group_structure(json), map_keys(histogram(" +
                           std::string(kJsonNumbers) + "(json, false))) FROM " +
                           records_sql(plan, first, count)));
  if (answer->RowCount() == 0 || answer->GetValue(0, 0).IsNull()) {
    return OrderedJson::object();
  }
  const duckdb::Value hard = answer->GetValue(1, 0);
  if (!hard.IsNull()) {
    for (const auto& text : duckdb::ListValue::GetChildren(hard)) {
      if (!text.IsNull()) numbers.add(text.ToString());
    }
  }
  return guard("JSON structure",
               [&] { return OrderedJson::parse(answer->GetValue(0, 0).ToString()); });
}

// What DuckDB calls a field in which it finds nothing but `{}`, and one of several
// kinds of values alike.
constexpr std::string_view kAnyJson = "JSON";

// An object without fields says nothing of the fields that its column is known to have.
Status find_empty_objects(DuckdbSession& session, FilesPlan& plan,
                          OrderedJson& structure) {
  if (plan.relation.schema) return {};
  for (const auto& [name, seen] : structure.items()) {
    const bool is_path = name.starts_with('$') || name.starts_with('/');
    if (seen != kAnyJson || is_path) continue;
    LAKEMILL_TRY(const auto known, type_of_nulls(session, plan, name));
    if (!known || (known->id() != duckdb::LogicalTypeId::STRUCT &&
                   known->id() != duckdb::LogicalTypeId::MAP)) {
      continue;
    }
    LAKEMILL_TRY(const auto others,
                 session.run("SELECT count(*) FROM " +
                             records_sql(plan, 0, plan.relation.files.size()) +
                             " WHERE CAST(json_extract(json, " + quote_literal(name) +
                             ") AS VARCHAR) NOT IN ('{}', 'null')"));
    if (others->GetValue(0, 0).GetValue<std::int64_t>() == 0) {
      structure[name] = OrderedJson::object();
    }
  }
  return {};
}

// Adds the fields of `other` that `order` lacks, behind its own.
void add_fields(OrderedJson& order, const OrderedJson& other) {
  if (order.is_array() && other.is_array() && !other.empty()) {
    if (order.empty()) order.push_back(other[0]);
    add_fields(order[0], other[0]);
  }
  if (!other.is_structured() || other.is_array()) return;
  if (!order.is_object()) order = OrderedJson::object();
  for (const auto& [name, child] : other.items()) {
    if (!order.contains(name)) order[name] = child;
    add_fields(order[name], child);
  }
}

// The fields of `structure` in the order of those of `order`, then others by name.
OrderedJson in_order(const OrderedJson& structure, const OrderedJson& order) {
  if (structure.is_array() && !structure.empty()) {
    const bool is_known = order.is_array() && !order.empty();
    return OrderedJson::array(
        {in_order(structure[0], is_known ? order[0] : OrderedJson())});
  }
  if (!structure.is_object()) return structure;
  std::vector<std::string> names;
  if (order.is_object()) {
    for (const auto& [name, child] : order.items()) {
      if (structure.contains(name)) names.push_back(name);
    }
  }
  const auto rest = static_cast<std::ptrdiff_t>(names.size());
  for (const auto& [name, child] : structure.items()) {
    if (!order.is_object() || !order.contains(name)) names.push_back(name);
  }
  std::sort(names.begin() + rest, names.end());
  OrderedJson result = OrderedJson::object();
  for (const std::string& name : names) {
    const bool is_known = order.is_object() && order.contains(name);
    result[name] = in_order(structure[name], is_known ? order[name] : OrderedJson());
  }
  return result;
}

std::size_t field_count(const OrderedJson& structure) {
  std::size_t count = structure.is_object() ? structure.size() : 0;
  if (!structure.is_structured()) return count;
  for (const auto& child : structure) count += field_count(child);
  return count;
}

// Threads find fields in any order, and so DuckDB gives them; a table's columns must
// not depend on that. They come as the beginnings of the files bring them up.
Result<OrderedJson> as_they_come(DuckdbSession& session, const FilesPlan& plan,
                                 const OrderedJson& structure) {
  constexpr std::size_t kFilesMax = 32;
  constexpr std::int64_t kOneThreadBytes = 1'000'000;
  const auto& files = plan.relation.files;
  const bool is_ordered = files.size() == 1 && files[0].size_bytes > 0 &&
                          files[0].size_bytes < kOneThreadBytes;
  if (is_ordered) return structure;
  OrderedJson order = OrderedJson::object();
  for (std::size_t i = 0; i < std::min(files.size(), kFilesMax); ++i) {
    if (field_count(order) >= field_count(structure)) break;
    LAKEMILL_TRY(
        const auto answer,
        session.run("SELECT json_group_structure(json) FROM (SELECT json FROM " +
                    records_sql(plan, i, 1) + " LIMIT 1000)"));
    const duckdb::Value text = answer->GetValue(0, 0);
    if (text.IsNull()) continue;
    LAKEMILL_TRY(const OrderedJson first, guard("JSON structure", [&] {
                   return OrderedJson::parse(text.ToString());
                 }));
    add_fields(order, first);
  }
  return in_order(structure, order);
}

Result<OrderedJson> record_structure(DuckdbSession& session, const FilesPlan& plan,
                                     JsonNumbers& numbers) {
  const std::size_t count = plan.relation.files.size();
  if (count == 0) return OrderedJson::object();
  LAKEMILL_TRY(OrderedJson structure, json_structure(session, plan, 0, count, numbers));
  if (structure.is_object()) return as_they_come(session, plan, structure);
  for (std::size_t i = 0; i < count; ++i) {
    LAKEMILL_TRY(const OrderedJson one, json_structure(session, plan, i, 1, numbers));
    if (!one.is_object()) {
      return file_error(
          plan.relation.files[i].url,
          "its records are not all objects; each must be {\"name\": value, …}");
    }
  }
  return structure;
}

// The type of a field whose values were seen to be so, where no schema says it.
Result<LogicalType> json_type(DuckdbSession& session, FilesPlan& plan,
                              const std::string& name, const OrderedJson& seen,
                              JsonNumbers& numbers) {
  if (plan.relation.schema) return type_of_structure(seen);
  const bool has_nulls = has_only_nulls(seen);
  LAKEMILL_TRY(const auto known,
               has_nulls ? type_of_nulls(session, plan, name) : known_type(plan, name));
  LAKEMILL_TRY(const OrderedJson found,
               numbers.with_decimals(seen, known ? &*known : nullptr,
                                     formats::member_step(name)));
  if (known) return type_of_structure(found, *known);
  if (has_nulls && !seen.is_object()) plan.only_nulls.insert(name);
  return type_of_structure(found);
}

// A name that a table cannot have.
struct BadName {
  std::string name;  // as the files have it
  std::string what;  // what is wrong with it
};

// `at_all_depths`: in nested objects too. `path`: "x." for the members of x.
std::optional<BadName> bad_name(const OrderedJson& structure, const std::string& path,
                                bool at_all_depths) {
  if (!structure.is_structured()) return std::nullopt;
  const bool is_object = structure.is_object();
  std::map<std::string, std::string> seen;
  for (const auto& [name, child] : structure.items()) {
    const auto [other, is_new] = seen.emplace(to_lower(name), name);
    if (is_object && name.empty()) {
      const std::string owner = path.substr(0, path.empty() ? 0 : path.size() - 1);
      return BadName{name, "a JSON field" + (owner.empty() ? "" : " of " + owner) +
                               " has an empty name; name it where the files are "
                               "written"};
    }
    if (is_object && !is_new) {
      return BadName{name, "the JSON fields " + path + other->second + " and " + path +
                               name +
                               " differ only in case, and a table cannot hold both; "
                               "rename one of them where the files are written"};
    }
    if (!at_all_depths) continue;
    const std::string inner = is_object ? path + name + "." : path;
    if (auto bad = bad_name(child, inner, at_all_depths)) return bad;
  }
  return std::nullopt;
}

// Nested ones stay within a value whose type a schema tells.
Status refuse_bad_names(DuckdbSession& session, const FilesPlan& plan,
                        const OrderedJson& structure) {
  const auto bad = bad_name(structure, "", !plan.relation.schema);
  if (!bad) return {};
  for (const engine::InputFile& file : plan.relation.files) {
    const std::string bytes = bytes_to_search(*session.connection().context, file.url);
    if (const auto line = formats::line_of_name(bytes, bad->name)) {
      return Error(ErrorCode::invalid, "file " + file.url + ", line " +
                                           std::to_string(*line) + ": " + bad->what);
    }
  }
  return Error(ErrorCode::invalid, bad->what);
}

bool has_names_of_one_spelling(const OrderedJson& structure) {
  std::set<std::string> seen;
  const auto items = structure.items();
  return std::all_of(items.begin(), items.end(), [&](const auto& item) {
    return seen.insert(to_lower(item.key())).second;
  });
}

// Consecutive files whose records have the structure of `names`.
struct JsonFiles {
  std::size_t first = 0;
  std::size_t count = 0;
  OrderedJson names;
};

// All files, unless some spell the name of a field otherwise than others: then each
// group has one spelling of each, as if it came by itself.
Result<std::vector<JsonFiles>> files_of_one_spelling(DuckdbSession& session,
                                                     const FilesPlan& plan,
                                                     const OrderedJson& structure) {
  const std::size_t count = plan.relation.files.size();
  std::vector<JsonFiles> all;
  if (count > 1 && !has_names_of_one_spelling(structure)) {
    for (std::size_t i = 0; i < count; ++i) {
      JsonNumbers counted(session, plan);  // they are known already
      LAKEMILL_TRY(OrderedJson one, json_structure(session, plan, i, 1, counted));
      OrderedJson both = all.empty() ? one : all.back().names;
      add_fields(both, one);
      if (!all.empty() && has_names_of_one_spelling(both)) {
        ++all.back().count;
        all.back().names = std::move(both);
      } else {
        all.push_back({i, 1, std::move(one)});
      }
    }
  } else {
    all.push_back({0, count, structure});
  }
  return all;
}

// The structure of the values of two fields.
OrderedJson unite(const OrderedJson& one, const OrderedJson& other) {
  if (one == other || other == "NULL") return one;
  if (one == "NULL") return other;
  if (one.is_array() && other.is_array()) {
    if (one.empty() || other.empty()) return one.empty() ? other : one;
    return OrderedJson::array({unite(one[0], other[0])});
  }
  if (one.is_object() && other.is_object()) {
    OrderedJson both = one;
    for (const auto& [name, child] : other.items()) {
      both[name] = both.contains(name) ? unite(both[name], child) : child;
    }
    return both;
  }
  const auto is_number = [](const OrderedJson& seen) {
    return seen.is_string() &&
           (seen == "DOUBLE" || is_integer_structure(seen.get<std::string>()));
  };
  if (!is_number(one) || !is_number(other)) return std::string(kAnyJson);
  return std::string(one == "DOUBLE" || other == "DOUBLE" ? "DOUBLE" : "HUGEINT");
}

// The fields of `structure`, each with the structure of all of its spellings.
OrderedJson with_all_spellings(const OrderedJson& structure) {
  std::map<std::string, OrderedJson> united;
  for (const auto& [name, seen] : structure.items()) {
    const auto [entry, is_new] = united.emplace(to_lower(name), seen);
    if (!is_new) entry->second = unite(entry->second, seen);
  }
  OrderedJson result = structure;
  for (const auto& [name, seen] : structure.items()) {
    result[name] = united[to_lower(name)];
  }
  return result;
}

// The numbers of the files are taken out of their text, because the reader would lose
// some of their digits.
void read_exactly(FilesPlan& plan, const JsonNumbers& numbers) {
  const bool is_found = !plan.relation.schema;
  for (FileGroup& group : plan.groups) {
    group.exact_numbers = true;
    for (SourceColumn& column : group.columns) {
      const std::string path = formats::member_step(column.name);
      const auto wanted = wanted_type(plan, column.name);
      add_text_paths(wanted.value_or(LogicalType::VARCHAR), path, group.text_paths);
      const bool is_read_so =
          wanted && column.always_fits && reading_type(*wanted) == *wanted;
      column.always_fits =
          wanted && (is_found || is_read_so) && numbers.are_held(column.name, *wanted);
      column.type = LogicalType::JSON();
    }
  }
}

void take_found_types(FilesPlan& plan) {
  unite_columns(plan);
  for (FileGroup& group : plan.groups) {
    for (SourceColumn& column : group.columns) {
      column.type = reading_type(column.type);
    }
  }
}

void hold_to_schema(FilesPlan& plan, OrderedJson& structure) {
  for (FileGroup& group : plan.groups) {
    for (SourceColumn& column : group.columns) {
      const auto wanted = wanted_type(plan, column.name);
      // Nested values read as texts are cast later: what does not fit is told from
      // JSON.
      const bool may_lose =
          wanted && wanted->IsNested() && reading_type(*wanted) != *wanted;
      column.always_fits = wanted && !may_lose &&
                           structure_fits(structure[column.name], reading_type(*wanted),
                                          plan.relation.rescue);
      column.type = column.always_fits ? reading_type(*wanted) : LogicalType::JSON();
    }
  }
}

// True if a text of `type` is made of what is no text: the reader would write it anew,
// "1.50" as 1.5 and "\\u00e9" as é.
bool has_values_as_text(const OrderedJson& structure, const LogicalType& type) {
  if (type.id() == duckdb::LogicalTypeId::VARCHAR) {
    return structure.is_structured() || structure == kAnyJson || structure == "DOUBLE";
  }
  if (structure.is_array()) {
    return !structure.empty() && type.id() == duckdb::LogicalTypeId::LIST &&
           has_values_as_text(structure[0], duckdb::ListType::GetChildType(type));
  }
  if (!structure.is_object() || type.id() != duckdb::LogicalTypeId::STRUCT)
    return false;
  const auto& fields = duckdb::StructType::GetChildTypes(type);
  return std::any_of(fields.begin(), fields.end(), [&](const auto& field) {
    const auto child = structure.find(field.first);
    return child != structure.end() && has_values_as_text(*child, field.second);
  });
}

bool any_value_as_text(const FilesPlan& plan, const OrderedJson& structure) {
  if (!structure.is_object()) return false;
  const auto items = structure.items();
  return std::any_of(items.begin(), items.end(), [&](const auto& item) {
    const auto wanted = wanted_type(plan, item.key());
    return wanted && has_values_as_text(item.value(), *wanted);
  });
}

}  // namespace

std::string records_sql(const FilesPlan& plan, std::size_t first, std::size_t count) {
  std::vector<std::string> urls;
  for (std::size_t i = first; i < first + count; ++i) {
    urls.push_back(path_to_read(plan, plan.relation.files[i]));
  }
  std::string arguments = plan.relation.format == FileFormat::json
                              ? "format = 'auto'"
                              : "format = 'newline_delimited'";
  for (const auto& [name, value] : plan.options)
    arguments += ", " + name + " = " + value;
  return "read_json_objects([" + join(urls, ", ") + "], " + arguments + ")";
}

Status plan_json(DuckdbSession& session, FilesPlan& plan) {
  JsonNumbers numbers(session, plan);
  LAKEMILL_TRY(OrderedJson structure, record_structure(session, plan, numbers));
  LAKEMILL_TRY(const auto parts, files_of_one_spelling(session, plan, structure));
  for (const JsonFiles& part : parts) {
    LAKEMILL_TRY_OK(refuse_bad_names(session, plan, part.names));
  }
  LAKEMILL_TRY_OK(find_empty_objects(session, plan, structure));
  std::map<std::string, LogicalType> types;
  const OrderedJson united = with_all_spellings(structure);
  for (const auto& [name, seen] : united.items()) {
    LAKEMILL_TRY_OK(refuse_bad_names(session, plan, OrderedJson{{name, seen}}));
    LAKEMILL_TRY(LogicalType type, json_type(session, plan, name, seen, numbers));
    types.emplace(name, std::move(type));
  }
  for (const JsonFiles& part : parts) {
    if (part.count == 0) continue;
    FileGroup& group = plan.groups.emplace_back(FileGroup{part.first, part.count, {}});
    for (const auto& [name, seen] : structure.items()) {
      if (part.names.contains(name)) {
        group.columns.push_back({name, types.at(name), true});
      }
    }
  }
  if (plan.relation.schema) {
    LAKEMILL_TRY_OK(set_schema(plan, *plan.relation.schema));
    hold_to_schema(plan, structure);
    LAKEMILL_TRY_OK(refuse_extra_columns(plan));
  } else {
    take_found_types(plan);
  }
  const bool reads_all =
      numbers.are_read_exactly() && !any_value_as_text(plan, structure);
  if (!reads_all) read_exactly(plan, numbers);
  return {};
}

}  // namespace lakemill::engine_duckdb
