#include "lakemill/base/text.h"
#include "lakemill/language/model_builder.h"
#include "lakemill/language/shape_check.h"
#include "lakemill/language/sql_text.h"

namespace lakemill::language {

namespace {

ExpectationType type_of(const std::string& type) {
  if (type == "AGGREGATE") return ExpectationType::aggregate;
  if (type == "UNIQUE") return ExpectationType::unique;
  if (type == "REFERENCE") return ExpectationType::reference;
  if (type == "FRESHNESS") return ExpectationType::freshness;
  if (type == "SCHEMA") return ExpectationType::schema;
  return ExpectationType::row;
}

ExpectationAction action_of(const std::string& action) {
  if (action == "FAIL") return ExpectationAction::fail;
  if (action == "DROP") return ExpectationAction::drop;
  if (action == "QUARANTINE") return ExpectationAction::quarantine;
  return ExpectationAction::warn;
}

void read_expression(Expectation& expectation, const Fields& fields) {
  const Tree* tree = fields.find("expr");
  if (tree == nullptr) return;
  std::string type;
  if (tree->is_mapping()) {
    const Fields inner(*tree);
    expectation.expression = inner.source_text("expr");
    type = inner.choice("type");
  } else {
    expectation.expression = fields.source_text("expr");
  }
  const bool is_dataframe = type.empty()
                                ? is_dataframe_expression(expectation.expression.text)
                                : type == "DF";
  expectation.expression_language =
      is_dataframe ? ExpressionLanguage::dataframe : ExpressionLanguage::sql;
}

void read_tolerance(Expectation& expectation, const Fields& fields,
                    const std::string& path, BuildContext& context) {
  const Tree* tree = fields.find("tolerance");
  if (tree == nullptr || tree->has_unknown_keys) return;
  const Fields tolerance(*tree);
  expectation.tolerance.rows = tolerance.integer("abs");
  if (const Tree* share = tolerance.find("rel")) {
    expectation.tolerance.share = share->number;
    if (share->number < 0 || share->number > 1) {
      context.diagnostics.error(
          share->location, below(path, "tolerance.rel"),
          "tolerance.rel" + at_path(path) + " must be from 0 to 1, not " + share->text,
          "");
    }
  }
  const bool broken = tolerance.is_broken("abs") || tolerance.is_broken("rel");
  const int given = (tolerance.has("abs") ? 1 : 0) + (tolerance.has("rel") ? 1 : 0);
  if (given != 1 && !broken) {
    context.diagnostics.error(
        tree->location, below(path, "tolerance"),
        "tolerance" + at_path(path) + " needs exactly one of abs and rel", "");
  }
}

void read_reference(Expectation& expectation, const Fields& fields,
                    const std::string& path, BuildContext& context) {
  const Tree* tree = fields.find("to");
  if (tree == nullptr) return;
  const Fields to(*tree);
  expectation.to_node = to.text("node", "");
  if (to.has("table")) {
    expectation.to_table = split_table_name(to.text("table", ""), to.place("table"),
                                            below(path, "to.table"), context);
  }
  expectation.to_columns = to.names("columns");
  if (tree->has_unknown_keys) return;
  if (to.has("node") == to.has("table")) {
    context.diagnostics.error(
        tree->location, below(path, "to"),
        "to" + at_path(path) + " needs exactly one of node and table", "");
  }
  if (expectation.to_columns.empty()) {
    for (const NamedColumn& named : expectation.named_columns) {
      expectation.to_columns.push_back(named.column);
    }
  }
  if (expectation.to_columns.size() != expectation.columns.size() &&
      !expectation.columns.empty()) {
    context.diagnostics.error(tree->location, below(path, "to"),
                              "to.columns" + at_path(path) + " names " +
                                  std::to_string(expectation.to_columns.size()) +
                                  " columns, columns " +
                                  std::to_string(expectation.columns.size()),
                              "");
  }
}

void check_required(const Expectation& expectation, const Tree& tree,
                    const std::string& path, BuildContext& context) {
  const Fields fields(tree);
  const auto require = [&](std::string_view key) {
    if (fields.has(key) || fields.is_broken(key) || tree.has_unknown_keys) return;
    context.diagnostics.error(
        tree.location, path,
        "key '" + std::string(key) + "' is missing" + at_path(path), "");
  };
  switch (expectation.type) {
    case ExpectationType::row:
    case ExpectationType::aggregate:
      require("expr");
      break;
    case ExpectationType::unique:
    case ExpectationType::schema:
      require("columns");
      break;
    case ExpectationType::reference:
      require("columns");
      require("to");
      break;
    case ExpectationType::freshness:
      require("column");
      require("max_age");
      break;
  }
  const bool removes = expectation.action == ExpectationAction::drop ||
                       expectation.action == ExpectationAction::quarantine;
  if (removes && expectation.type != ExpectationType::row &&
      expectation.type != ExpectationType::reference) {
    context.diagnostics.error(fields.place("action"), below(path, "action"),
                              "action " + fields.choice("action") + at_path(path) +
                                  " does not go with type " + fields.choice("type"),
                              "DROP and QUARANTINE are for ROW and REFERENCE");
  }
}

}  // namespace

Expectation build_expectation(const Tree& tree, const std::string& path,
                              BuildContext& context) {
  Expectation expectation;
  expectation.location = tree.location;
  if (tree.broken) return expectation;
  const Fields fields(tree);
  expectation.name = fields.text("name", "");
  expectation.type = type_of(fields.choice("type"));
  expectation.action = action_of(fields.choice("action"));
  read_expression(expectation, fields);
  read_tolerance(expectation, fields, path, context);
  if (expectation.type == ExpectationType::schema) {
    expectation.schema_columns = fields.columns("columns");
  } else {
    for (const ColumnSpec& column : fields.columns("columns")) {
      expectation.columns.push_back(column.name);
      expectation.named_columns.push_back({"columns", {column.name, column.location}});
    }
  }
  if (expectation.type == ExpectationType::reference) {
    read_reference(expectation, fields, path, context);
  }
  expectation.freshness_column = fields.text("column", "");
  for (Name& name : fields.names("column")) {
    expectation.named_columns.push_back({"column", std::move(name)});
  }
  expectation.max_age =
      fields.duration("max_age").value_or(std::chrono::microseconds(0));
  if (!fields.is_broken("type")) check_required(expectation, tree, path, context);
  return expectation;
}

}  // namespace lakemill::language
