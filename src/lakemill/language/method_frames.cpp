#include <algorithm>
#include <array>

#include "lakemill/base/quoted_list.h"
#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"
#include "lakemill/language/method_context.h"

// Methods that put frames together or change their shape: join, union, group_by, …

namespace lakemill::language {
namespace {

std::string from(const MethodContext& context) {
  return " FROM " + context.input.relation;
}

// ------------------------------------------------------------------------------- join

struct JoinKeys {
  std::vector<std::string> left;
  std::vector<std::string> right;
};

Result<JoinKeys> join_keys(const MethodContext& context, const Frame& other,
                           std::string_view how) {
  const Tree* on = context.find("on");
  const Tree* left_on = context.find("left_on");
  const Tree* right_on = context.find("right_on");
  JoinKeys keys;
  if (how == "cross") {
    for (const Tree* given : {on, left_on, right_on}) {
      if (given != nullptr) return context.error(given, "a cross join has no keys");
    }
    return keys;
  }
  if (on != nullptr && (left_on != nullptr || right_on != nullptr)) {
    return context.error(on, "'on' cannot stand beside 'left_on' and 'right_on'");
  }
  if (on == nullptr && (left_on == nullptr || right_on == nullptr)) {
    return context.error(nullptr, "'on', or 'left_on' and 'right_on', is missing");
  }
  LAKEMILL_TRY(keys.left,
               context.columns_of(context.input, on != nullptr ? *on : *left_on));
  LAKEMILL_TRY(keys.right, context.columns_of(other, on != nullptr ? *on : *right_on));
  if (keys.left.size() != keys.right.size() || keys.left.empty()) {
    return context.error(on != nullptr ? on : right_on,
                         "there must be as many keys on the right as on the left");
  }
  return keys;
}

Result<std::string> join_kind(const MethodContext& context) {
  LAKEMILL_TRY(std::string how, context.text("how", "inner"));
  if (how == "outer") how = "full";
  if (how == "left_outer" || how == "leftouter") how = "left";
  if (how == "leftsemi" || how == "left_semi") how = "semi";
  if (how == "leftanti" || how == "left_anti") how = "anti";
  const std::vector<std::string> known = {"inner", "left", "full",
                                          "cross", "semi", "anti"};
  if (contains_name(known, how)) return how;
  std::string message = "'how' is one of " + join(known, ", ") + ", not '" + how + "'";
  if (how == "right") message += "; join the frames the other way around";
  return context.error(context.find("how"), message);
}

Result<std::string> join_frames(const MethodContext& context) {
  LAKEMILL_TRY(Frame other, context.frame("other"));
  LAKEMILL_TRY(std::string how, join_kind(context));
  LAKEMILL_TRY(JoinKeys keys, join_keys(context, other, how));
  LAKEMILL_TRY(std::string suffix, context.text("suffix", "_right"));
  std::vector<std::string> conditions;
  for (std::size_t i = 0; i < keys.left.size(); ++i) {
    conditions.push_back("l." + quote_identifier(keys.left[i]) + " = r." +
                         quote_identifier(keys.right[i]));
  }
  const std::string tables = " FROM " + context.input.relation + " AS l " +
                             to_upper(how) + " JOIN " + other.relation + " AS r" +
                             (how == "cross" ? "" : " ON " + join(conditions, " AND "));
  if (how == "semi" || how == "anti") return "SELECT l.*" + tables;
  std::vector<std::string> names = column_names(context.input.schema);
  std::vector<std::string> parts;
  for (const std::string& name : names) parts.push_back("l." + quote_identifier(name));
  for (const std::string& name : column_names(other.schema)) {
    // A full join keeps both keys: either may be null.
    if (how != "full" && contains_name(keys.right, name)) continue;
    const std::string output = contains_name(names, name) ? name + suffix : name;
    if (contains_name(names, output)) {
      return context.error(
          context.find("suffix"),
          "two columns would have the name '" + output + "'; give another suffix");
    }
    names.push_back(output);
    parts.push_back("r." + quote_identifier(name) +
                    (output == name ? "" : " AS " + quote_identifier(output)));
  }
  return "SELECT " + join(parts, ", ") + tables;
}

// ------------------------------------------------------------------------------ union

Result<std::string> unite(const MethodContext& context) {
  const Tree* given = context.find("other");
  if (given == nullptr) given = context.find("others");
  if (given == nullptr) return context.error(nullptr, "'other' is missing");
  std::vector<const Tree*> others = {given};
  if (given->is_list()) {
    others.clear();
    for (const Tree& item : given->items) others.push_back(&item);
  }
  for (const Tree* more : context.arguments.many) others.push_back(more);
  const std::vector<std::string> names = column_names(context.input.schema);
  std::string sql = "SELECT " + quoted_list(names) + from(context);
  for (const Tree* other : others) {
    MethodContext single = context;
    single.arguments.by_name = {{"other", other}};
    LAKEMILL_TRY(Frame frame, single.frame("other"));
    for (const std::string& name : names) {
      if (frame.schema.find(name) == nullptr) {
        return context.error(other, "the other frame has no column '" + name + "'");
      }
    }
    for (const data::Field& field : frame.schema.fields) {
      if (!contains_name(names, field.name)) {
        return context.error(other,
                             "only the other frame has a column '" + field.name + "'");
      }
    }
    sql += " UNION ALL SELECT " + quoted_list(names) + " FROM " + frame.relation;
  }
  return sql;
}

// --------------------------------------------------------------------------- group by

Result<std::string> grouped(const MethodContext& context,
                            const std::vector<OutputColumn>& keys,
                            const std::vector<OutputColumn>& aggregations,
                            bool drop_null_keys) {
  std::vector<std::string> parts;
  std::vector<std::string> terms;
  std::vector<std::string> names;
  std::vector<std::string> present;
  auto add = [&](const OutputColumn& column) -> Status {
    if (contains_name(names, column.name)) {
      Tree place;
      place.location = column.location;
      return context.error(&place, "two columns have the name '" + column.name +
                                       "'; give one of them .alias(\"...\")");
    }
    names.push_back(column.name);
    parts.push_back(column.expression.sql + " AS " + quote_identifier(column.name));
    return {};
  };
  for (const OutputColumn& key : keys) {
    if (key.expression.aggregates || key.expression.windows) {
      return context.error(nullptr, "a group's key cannot be an aggregate");
    }
    LAKEMILL_TRY_OK(add(key));
    terms.push_back(key.expression.sql);
    present.push_back(key.expression.sql + " IS NOT NULL");
  }
  for (const OutputColumn& aggregation : aggregations) {
    // nw.all().sum() means all but the keys.
    if (aggregation.one_of_many && contains_name(names, aggregation.name)) continue;
    LAKEMILL_TRY_OK(add(aggregation));
  }
  if (parts.empty()) return context.error(nullptr, "there is nothing to aggregate");
  std::string sql = "SELECT " + join(parts, ", ") + from(context);
  if (drop_null_keys && !present.empty()) sql += " WHERE " + join(present, " AND ");
  if (!terms.empty()) sql += " GROUP BY " + join(terms, ", ");
  return sql;
}

Result<std::string> group_by(const MethodContext& context) {
  std::vector<OutputColumn> keys;
  std::vector<const Tree*> key_arguments = context.arguments.many;
  if (const Tree* by = context.find("by")) key_arguments.push_back(by);
  for (const Tree* argument : key_arguments) {
    LAKEMILL_TRY(std::vector<OutputColumn> some,
                 context.expressions(*argument, AggregateForm::plain));
    for (OutputColumn& column : some) keys.push_back(std::move(column));
  }
  std::vector<OutputColumn> aggregations;
  if (const Tree* aggs = context.find("aggs")) {
    LAKEMILL_TRY(aggregations, context.aggregations(*aggs));
  }
  for (const auto& [name, argument] : context.arguments.many_named) {
    LAKEMILL_TRY(std::vector<OutputColumn> some, context.aggregations(*argument));
    if (some.empty() && context.faults != nullptr) continue;
    if (some.size() != 1) return context.error(argument, "one column is due here");
    some.front().name = name;
    aggregations.push_back(std::move(some.front()));
  }
  if (aggregations.empty()) {
    return context.error(nullptr,
                         "group_by needs what to aggregate: a step 'agg' after it, or "
                         "the argument 'aggs'");
  }
  LAKEMILL_TRY(bool drop_null_keys, context.boolean("drop_null_keys", false));
  return grouped(context, keys, aggregations, drop_null_keys);
}

Result<std::string> agg(const MethodContext& context) {
  return context.error(nullptr, "'agg' must follow a step 'group_by'");
}

Result<std::string> groupby_and_agg(const MethodContext& context) {
  std::vector<OutputColumn> keys;
  if (const Tree* by = context.find("groupby_columns")) {
    LAKEMILL_TRY(keys, context.expressions(*by, AggregateForm::plain));
  }
  LAKEMILL_TRY(std::vector<OutputColumn> aggregations,
               context.aggregations(*context.arguments.find("agg_expressions")));
  return grouped(context, keys, aggregations, false);
}

// ------------------------------------------------------------------- long and wide

Result<std::string> unpivot(const MethodContext& context) {
  LAKEMILL_TRY(std::vector<std::string> on, context.columns("on"));
  LAKEMILL_TRY(std::vector<std::string> index, context.columns("index"));
  LAKEMILL_TRY(std::string variable, context.text("variable_name", "variable"));
  LAKEMILL_TRY(std::string value, context.text("value_name", "value"));
  if (on.empty()) {
    for (const std::string& name : column_names(context.input.schema)) {
      if (!contains_name(index, name)) on.push_back(name);
    }
  }
  if (on.empty() && !context.input.is_open) {
    return context.error(nullptr, "there is no column to turn into rows");
  }
  std::vector<std::string> names = index;
  for (const std::string& name : {variable, value}) {
    if (name.empty() || contains_name(names, name)) {
      return context.error(nullptr, "two columns would have the name '" + name + "'");
    }
    names.push_back(name);
  }
  std::vector<std::string> labels;
  for (const std::string& name : on) labels.push_back(quote_literal(name));
  return "SELECT " + (index.empty() ? "" : quoted_list(index) + ", ") + "unnest([" +
         join(labels, ", ") + "]) AS " + quote_identifier(variable) + ", unnest([" +
         quoted_list(on) + "]) AS " + quote_identifier(value) + from(context);
}

std::optional<std::string> pivot_function(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kFunctions = {
      {{"sum", "sum"},
       {"min", "min"},
       {"max", "max"},
       {"mean", "avg"},
       {"median", "median"},
       {"len", "count"},
       {"count", "count"}}};
  for (const auto& [theirs, ours] : kFunctions) {
    if (theirs == name) return std::string(ours);
  }
  return std::nullopt;
}

std::string label_of(const Tree& value) {
  return value.is_string() || value.kind == TreeKind::integer ? value.text
         : value.kind == TreeKind::boolean ? (value.boolean ? "true" : "false")
                                           : value.text;
}

Result<std::string> pivot(const MethodContext& context) {
  LAKEMILL_TRY(std::vector<std::string> on, context.columns("on"));
  LAKEMILL_TRY(std::vector<std::string> index, context.columns("index"));
  LAKEMILL_TRY(std::vector<std::string> values, context.columns("values"));
  LAKEMILL_TRY(std::string separator, context.text("separator", "_"));
  const Tree* labels = context.find("on_columns");
  if (labels == nullptr || !labels->is_list() || labels->items.empty()) {
    return context.error(context.find("on"),
                         "the columns of a table must be known before it is read; give "
                         "on_columns: the values of 'on' that become columns");
  }
  if (on.size() != 1) return context.error(context.find("on"), "'on' is one column");
  if (values.empty()) return context.error(nullptr, "'values' is missing");
  LAKEMILL_TRY(std::string aggregate, context.text("aggregate_function", ""));
  auto function = pivot_function(aggregate);
  if (!aggregate.empty() && !function) {
    return context.error(context.find("aggregate_function"),
                         "'aggregate_function' is min, max, sum, mean, median or len");
  }
  std::vector<std::string> parts;
  for (const std::string& name : index) parts.push_back(quote_identifier(name));
  for (const std::string& value : values) {
    for (const Tree& label : labels->items) {
      auto constant = constant_sql(label);
      if (!constant || label.is_null()) {
        return context.error(&label, "a constant is due here");
      }
      const std::string where =
          " FILTER (WHERE " + quote_identifier(on.front()) + " = " + *constant + ")";
      const std::string x = quote_identifier(value);
      std::string sql = function ? *function + "(" + x + ")" + where
                                 : "CASE WHEN count(*)" + where +
                                       " > 1 THEN error('pivot: several rows for one " +
                                       "cell; give aggregate_function') ELSE min(" + x +
                                       ")" + where + " END";
      const std::string text = label_of(label);
      parts.push_back(
          sql + " AS " +
          quote_identifier(values.size() == 1 ? text : value + separator + text));
    }
  }
  return "SELECT " + join(parts, ", ") + from(context) +
         (index.empty() ? "" : " GROUP BY " + quoted_list(index));
}

constexpr std::array kEntries = {
    MethodEntry{
        "join",
        "other, on=None, how='inner', *, left_on=None, right_on=None, "
        "suffix='_right'",
        "Rows of two frames with equal keys; how: inner, left, full, cross, semi, "
        "anti.",
        join_frames},
    MethodEntry{"union", "other=None, *more, others=None",
                "The rows of frames with the same columns, one after the other.",
                unite},
    MethodEntry{"laktory.union", "others=None, *, other=None",
                "The rows of frames with the same columns, one after the other.",
                unite},
    MethodEntry{"group_by", "*keys, by=None, aggs=None, drop_null_keys=False, **named",
                "One row for each group; a step 'agg', or 'aggs', says what of it.",
                group_by},
    MethodEntry{"agg", "*aggs, **named", "What group_by before it aggregates.", agg},
    MethodEntry{"laktory.groupby_and_agg", "groupby_columns=None, agg_expressions",
                "One row for each group.", groupby_and_agg},
    MethodEntry{"unpivot",
                "on=None, *, index=None, variable_name='variable', value_name='value'",
                "Columns as rows of name and value.", unpivot},
    MethodEntry{"pivot",
                "on, on_columns=None, *, index=None, values=None, "
                "aggregate_function=None, separator='_'",
                "Rows as columns, one for each value in on_columns.", pivot},
};

}  // namespace

std::span<const MethodEntry> frame_methods() { return kEntries; }

}  // namespace lakemill::language
