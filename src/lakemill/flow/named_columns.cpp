#include "lakemill/flow/named_columns.h"

#include <algorithm>

#include "lakemill/base/text.h"

namespace lakemill::flow {

namespace {

using language::ExpectationType;

// `more`: names that a table has beside the columns of `schema`.
Status check(const language::NamedColumn& named, const std::string& who,
             const data::Schema& schema, const std::vector<std::string>& more) {
  const std::string& wanted = named.column.text;
  if (schema.find(wanted) != nullptr) return {};
  std::vector<std::string> known = more;
  for (const data::Field& field : schema.fields) {
    if (!field.name.starts_with("_lakemill_")) known.push_back(field.name);
  }
  const bool is_known = std::any_of(
      more.begin(), more.end(),
      [&](const std::string& name) { return equals_ignoring_case(name, wanted); });
  if (is_known) return {};
  std::string message = to_text(named.column.location) + ": " + who + named.option +
                        " names column '" + wanted + "', which the rows do not have";
  if (const auto meant = nearest(wanted, known)) {
    message += "; did you mean '" + *meant + "'?";
  } else {
    message += "; they have " + join(known, ", ");
  }
  return Error(ErrorCode::invalid, std::move(message));
}

// What a sink adds to the rows by itself.
std::vector<std::string> added_columns(const language::Sink& sink) {
  std::vector<std::string> names;
  if (sink.is_quarantine) names.emplace_back("_failed_expectations");
  if (!sink.merge_cdc_options) return names;
  const language::MergeCdcOptions& merge = *sink.merge_cdc_options;
  if (merge.scd_type == 2) {
    names.push_back(merge.start_at_column_name);
    names.push_back(merge.end_at_column_name);
  }
  if (merge.delete_mode == language::DeleteMode::soft) names.emplace_back("_deleted");
  return names;
}

bool is_of_table(const language::Expectation& expectation) {
  return expectation.type != ExpectationType::reference;
}

Status check(const language::Expectation& expectation, const data::Schema& schema,
             const std::vector<std::string>& more) {
  for (const language::NamedColumn& named : expectation.named_columns) {
    LAKEMILL_TRY_OK(
        check(named, "expectation '" + expectation.name + "': ", schema, more));
  }
  return {};
}

}  // namespace

Status check_named_columns(const language::Expectation& expectation,
                           const data::Schema& schema) {
  return check(expectation, schema, {});
}

Status check_named_columns(const language::Node& node, const data::Schema& rows,
                           bool makes_tables) {
  for (const language::Sink& sink : node.sinks) {
    for (const language::NamedColumn& named : sink.named_columns) {
      const bool of_table =
          named.option == "partition_by" || named.option == "cluster_by";
      if (of_table && !makes_tables) continue;
      LAKEMILL_TRY_OK(
          check(named, "", rows,
                of_table ? added_columns(sink) : std::vector<std::string>()));
    }
  }
  const language::Sink* target = node.primary_sink();
  for (const language::Expectation& expectation : node.expectations) {
    if (!is_of_table(expectation)) {
      LAKEMILL_TRY_OK(check(expectation, rows, {}));
    } else if (makes_tables && target != nullptr) {
      LAKEMILL_TRY_OK(check(expectation, rows, added_columns(*target)));
    }
  }
  return {};
}

}  // namespace lakemill::flow
