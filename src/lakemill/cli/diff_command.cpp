#include <algorithm>
#include <cstdio>

#include "lakemill/app/table_diff.h"
#include "lakemill/cli/commands.h"
#include "lakemill/cli/output.h"

namespace lakemill::cli {

namespace {

constexpr std::size_t kCellWidthMax = 60;
constexpr std::int64_t kSampleMax = 20;

OrderedJson by_key_json(const app::KeyedDifference& by_key) {
  return {{"removed", by_key.removed},
          {"added", by_key.added},
          {"changed", by_key.changed}};
}

int diff_schemas(app::Workbench& workbench, const app::DiffRequest& request,
                 bool json) {
  const auto differences = app::schema_diff(workbench, request);
  if (!differences) return report_error(differences.error(), json);
  OrderedJson list = OrderedJson::array();
  bool equal = true;
  for (const app::SchemaDifference& item : *differences) {
    equal = equal && item.in_left && item.in_right && item.difference.equal();
    if (json) {
      OrderedJson shown = difference_json(item.difference);
      shown["table"] = item.table;
      shown["in_first"] = item.in_left;
      shown["in_second"] = item.in_right;
      list.push_back(std::move(shown));
    } else if (!item.in_left || !item.in_right) {
      std::printf("%s: only in the %s\n", item.table.c_str(),
                  item.in_left ? "first" : "second");
    } else {
      std::printf("%s: %s\n", item.table.c_str(),
                  difference_text(item.difference).c_str());
    }
  }
  if (json) std::printf("%s\n", json_text(list).c_str());
  return equal ? kSuccess : kFailure;
}

int diff_tables(app::Workbench& workbench, const app::DiffRequest& request, bool json) {
  const auto difference = app::table_diff(workbench, request);
  if (!difference) return report_error(difference.error(), json);
  if (json) {
    std::printf("%s\n", json_text(difference_json(*difference)).c_str());
  } else {
    for (const std::string& line : difference->schema)
      std::printf("%s\n", line.c_str());
    std::printf("%s\n", difference_text(*difference).c_str());
    if (!difference->sample.rows.empty()) {
      print_table(stdout, difference->sample, kCellWidthMax);
    }
  }
  return difference->equal() ? kSuccess : kFailure;
}

}  // namespace

OrderedJson difference_json(const app::TableDifference& difference) {
  OrderedJson json = {{"schema", difference.schema},
                      {"only_first", difference.only_left},
                      {"only_second", difference.only_right}};
  if (difference.by_key) json["by_key"] = by_key_json(*difference.by_key);
  json["sample"] = OrderedJson(*parse_json(rows_to_json(difference.sample)));
  return json;
}

std::string difference_text(const app::TableDifference& difference) {
  std::string text = with_thousands(difference.only_left) +
                     " rows only in the first, " +
                     with_thousands(difference.only_right) + " only in the second";
  if (difference.by_key) {
    text += "; keys: " + with_thousands(difference.by_key->removed) + " removed, " +
            with_thousands(difference.by_key->added) + " added, " +
            with_thousands(difference.by_key->changed) + " changed";
  }
  if (!difference.schema.empty()) {
    text += "; " + with_thousands(static_cast<std::int64_t>(difference.schema.size())) +
            (difference.schema.size() == 1 ? " column differs" : " columns differ");
  }
  return text;
}

int diff_command(app::Workbench& workbench, const TableOptions& options, bool json) {
  app::DiffRequest request{
      options.table,   options.other.empty() ? options.table : options.other,
      options.version, options.other_version,
      options.keys,    options.limit > 0 ? options.limit : kSampleMax};
  const auto left = app::is_schema(workbench, request.left);
  const auto right = app::is_schema(workbench, request.right);
  const bool schemas = left && *left && right && *right;
  if (!schemas) return diff_tables(workbench, request, json);
  if (request.left_version || request.right_version) {
    report_error(Error(ErrorCode::invalid, "a schema has no versions: name its tables"),
                 json);
    return kUsage;
  }
  return diff_schemas(workbench, request, json);
}

}  // namespace lakemill::cli
