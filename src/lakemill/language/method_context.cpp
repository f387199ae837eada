#include "lakemill/language/method_context.h"

#include <cmath>

#include "lakemill/base/text.h"
#include "lakemill/language/expression_compiler.h"

namespace lakemill::language {
namespace {

// A frame's reference in braces, without them; nothing if `text` is none.
std::optional<std::string> frame_reference(std::string_view text) {
  text = trim(text);
  if (text.size() < 3 || text.front() != '{' || text.back() != '}') return std::nullopt;
  const std::string_view inner = text.substr(1, text.size() - 2);
  if (inner.find_first_of("{}") != std::string_view::npos) return std::nullopt;
  return std::string(inner);
}

void collect_references(const Tree& value, std::vector<std::string>& found) {
  if (value.is_string() && !value.literal) {
    if (auto reference = frame_reference(value.text)) found.push_back(*reference);
  }
  for (const Tree& item : value.items) collect_references(item, found);
  for (const TreeEntry& entry : value.entries) collect_references(entry.value, found);
}

}  // namespace

std::vector<std::string> column_names(const data::Schema& schema) {
  std::vector<std::string> names;
  for (const data::Field& field : schema.fields) names.push_back(field.name);
  return names;
}

bool contains_name(const std::vector<std::string>& names, std::string_view name) {
  for (const std::string& other : names) {
    if (equals_ignoring_case(other, name)) return true;
  }
  return false;
}

std::optional<std::string> constant_sql(const Tree& value) {
  switch (value.kind) {
    case TreeKind::null:
      return "NULL";
    case TreeKind::boolean:
      return value.boolean ? "TRUE" : "FALSE";
    case TreeKind::integer:
      return literal_sql(value.integer);
    case TreeKind::number:
      return literal_sql(value.number);
    case TreeKind::string:
      return quote_literal(value.text);
    default:
      return std::nullopt;
  }
}

std::string free_name(const data::Schema& schema, std::string_view wish) {
  std::string name(wish);
  while (schema.find(name) != nullptr) name += "_";
  return name;
}

std::vector<std::string> frame_references(const MethodCall& call) {
  std::vector<std::string> found;
  for (const Tree& argument : call.arguments) collect_references(argument, found);
  for (const NamedArgument& argument : call.named_arguments) {
    collect_references(argument.value, found);
  }
  return found;
}

Error MethodContext::error(const Tree* at, std::string_view message) const {
  const Location& location =
      at != nullptr && at->location.line > 0 ? at->location : call.location;
  const std::string place = to_text(location);
  return Error(ErrorCode::invalid, (place.empty() ? "" : place + ": ") + call.name +
                                       ": " + std::string(message));
}

const Tree* MethodContext::find(std::string_view argument) const {
  const Tree* found = arguments.find(argument);
  return found != nullptr && found->is_null() ? nullptr : found;
}

Result<std::string> MethodContext::text(std::string_view argument,
                                        std::string_view otherwise) const {
  const Tree* found = find(argument);
  if (found == nullptr) return std::string(otherwise);
  if (!found->is_string()) {
    return error(found, "'" + std::string(argument) + "' must be a string");
  }
  return found->text;
}

Result<std::int64_t> MethodContext::integer(std::string_view argument,
                                            std::int64_t otherwise) const {
  const Tree* found = find(argument);
  if (found == nullptr) return otherwise;
  if (found->kind != TreeKind::integer) {
    return error(found, "'" + std::string(argument) + "' must be a whole number");
  }
  return found->integer;
}

Result<bool> MethodContext::boolean(std::string_view argument, bool otherwise) const {
  const Tree* found = find(argument);
  if (found == nullptr) return otherwise;
  if (found->kind != TreeKind::boolean) {
    return error(found, "'" + std::string(argument) + "' must be true or false");
  }
  return found->boolean;
}

Result<std::string> MethodContext::column_of(const Frame& frame,
                                             const Tree& value) const {
  if (!value.is_string()) return error(&value, "the name of a column is due here");
  if (frame.is_open) return value.text;
  if (const data::Field* field = frame.schema.find(value.text)) return field->name;
  const std::vector<std::string> known = column_names(frame.schema);
  std::string message = "there is no column '" + value.text + "'";
  auto meant = nearest(value.text, known);
  message +=
      meant ? "; did you mean '" + *meant + "'?" : "; there are: " + join(known, ", ");
  return error(&value, message);
}

Result<std::string> MethodContext::column(const Tree& value) const {
  return column_of(input, value);
}

Result<std::vector<std::string>> MethodContext::columns_of(const Frame& frame,
                                                           const Tree& value) const {
  std::vector<std::string> names;
  if (!value.is_list()) {
    LAKEMILL_TRY(std::string name, column_of(frame, value));
    names.push_back(std::move(name));
    return names;
  }
  for (const Tree& item : value.items) {
    LAKEMILL_TRY(std::string name, column_of(frame, item));
    if (contains_name(names, name)) {
      return error(&item, "the column '" + name + "' is named twice");
    }
    names.push_back(std::move(name));
  }
  return names;
}

Result<std::vector<std::string>> MethodContext::columns(
    std::string_view argument) const {
  const Tree* found = find(argument);
  if (found == nullptr) return std::vector<std::string>{};
  return columns_of(input, *found);
}

Result<std::vector<bool>> MethodContext::flags(std::string_view argument,
                                               std::size_t count) const {
  const Tree* found = find(argument);
  if (found != nullptr && found->is_list()) {
    std::vector<bool> flags;
    for (const Tree& item : found->items) {
      if (item.kind != TreeKind::boolean) {
        return error(&item, "true or false is due here");
      }
      flags.push_back(item.boolean);
    }
    if (flags.size() != count) {
      return error(found, "'" + std::string(argument) + "' needs one value, or " +
                              std::to_string(count));
    }
    return flags;
  }
  LAKEMILL_TRY(bool all, boolean(argument, false));
  return std::vector<bool>(count, all);
}

namespace {

// A column of no meaning, where only checking finds none.
std::vector<OutputColumn> unknown_column(std::size_t number) {
  OutputColumn unknown;
  unknown.name = "?" + std::to_string(number);
  unknown.expression.name = unknown.name;
  unknown.expression.sql = "NULL";
  return {std::move(unknown)};
}

}  // namespace

// When only checking: what failed is noted, and a column of no meaning stands for it.
Result<std::vector<OutputColumn>> MethodContext::going_on(
    Result<std::vector<OutputColumn>> found) const {
  if (found || faults == nullptr) return found;
  faults->push_back(found.error());
  return unknown_column(faults->size());
}

Result<std::vector<OutputColumn>> MethodContext::expressions(const Tree& value,
                                                             AggregateForm form) const {
  return going_on(found_expressions(value, form));
}

Result<std::vector<OutputColumn>> MethodContext::aggregations(const Tree& value) const {
  return going_on(found_aggregations(value));
}

Result<std::vector<OutputColumn>> MethodContext::found_expressions(
    const Tree& value, AggregateForm form) const {
  std::vector<OutputColumn> found;
  if (value.is_list()) {
    for (const Tree& item : value.items) {
      LAKEMILL_TRY(std::vector<OutputColumn> some, expressions(item, form));
      for (OutputColumn& column : some) found.push_back(std::move(column));
    }
    return found;
  }
  if (value.is_mapping()) return error(&value, "a column or an expression is due here");
  if (!value.is_string()) {
    CompiledExpression constant;
    constant.sql = *constant_sql(value);
    constant.name = "literal";
    found.push_back(OutputColumn{"literal", std::move(constant), value.location});
    return found;
  }
  if (value.literal || !is_expression(value.text, TextContext::method_argument)) {
    std::vector<std::string> names;
    if (value.text == "*" && !input.is_open) {
      names = column_names(input.schema);
    } else {
      auto name = column(value);
      if (!name) {
        return error(&value, std::string(name.error().message().substr(
                                 name.error().message().find("there is no"))) +
                                 "; a constant is written nw.lit(\"" + value.text +
                                 "\"), SQL sql_expr(\"...\")");
      }
      names.push_back(*name);
    }
    for (const std::string& name : names) {
      CompiledExpression column;
      column.sql = quote_identifier(name);
      column.name = name;
      column.reads_rows = true;
      if (const auto* field = input.schema.find(name)) column.type = field->type;
      found.push_back(OutputColumn{name, std::move(column), value.location});
    }
    return found;
  }
  return compiled_text(value, form);
}

Result<std::vector<OutputColumn>> MethodContext::compiled_text(
    const Tree& value, AggregateForm form) const {
  std::vector<CompiledExpression> compiled;
  if (faults != nullptr) {
    // A value that only a run has may stand here.
    if (value.text.find("${") != std::string::npos) {
      return unknown_column(static_cast<std::size_t>(value.location.line) << 16U |
                            static_cast<std::size_t>(value.location.column));
    }
    CheckedExpressions checked = check_expressions(value.text, form);
    for (const std::string& fault : checked.faults) {
      faults->push_back(error(&value, "in the expression, " + fault));
    }
    compiled = std::move(checked.columns);
  } else {
    auto known = compile_expressions(value.text, input.schema, dialect, form);
    if (!known) {
      return error(&value, "in the expression, " + known.error().message());
    }
    compiled = *std::move(known);
  }
  std::vector<OutputColumn> found;
  const bool many = compiled.size() > 1;
  for (CompiledExpression& expression : compiled) {
    found.push_back(
        OutputColumn{expression.name, std::move(expression), value.location, many});
  }
  return found;
}

Result<std::vector<OutputColumn>> MethodContext::found_aggregations(
    const Tree& value) const {
  std::vector<OutputColumn> found;
  if (value.is_list()) {
    for (const Tree& item : value.items) {
      LAKEMILL_TRY(std::vector<OutputColumn> some, aggregations(item));
      for (OutputColumn& column : some) found.push_back(std::move(column));
    }
    return found;
  }
  const Tree* text = &value;
  bool is_sql = false;
  bool is_decided = false;
  if (value.is_mapping()) {
    text = value.find("expr");
    for (const TreeEntry& entry : value.entries) {
      if (entry.key == "expr") continue;
      if (entry.key != "type" || !entry.value.is_string()) {
        return error(
            &entry.value,
            "an aggregation has the keys 'expr' and 'type', not '" + entry.key + "'");
      }
      is_decided = true;
      is_sql = entry.value.text == "SQL";
      if (!is_sql && entry.value.text != "DF") {
        return error(&entry.value, "the type of an expression is SQL or DF");
      }
    }
  }
  if (text == nullptr || !text->is_string() || text->literal) {
    return error(&value, "an aggregation is an expression: nw.col(\"x\").sum()");
  }
  if (!is_decided) is_sql = !is_expression(text->text, TextContext::aggregation);
  if (is_sql) {
    auto embedded = embed_sql_expression(text->text);
    if (!embedded) return error(text, embedded.error().message());
    found.push_back(OutputColumn{embedded->name, *embedded, text->location});
    return found;
  }
  const std::size_t known = faults == nullptr ? 0 : faults->size();
  LAKEMILL_TRY(found, expressions(*text, AggregateForm::plain));
  if (faults != nullptr && faults->size() > known) return found;
  for (const OutputColumn& column : found) {
    if (column.expression.reads_rows && !column.expression.is_sql) {
      return error(text, "'" + column.name +
                             "' has a value for each row of a group; aggregate it, as "
                             "nw.col(\"x\").max()");
    }
  }
  return found;
}

Result<std::vector<OutputColumn>> MethodContext::output_columns(
    AggregateForm form) const {
  std::vector<OutputColumn> found;
  for (const Tree* argument : arguments.many) {
    LAKEMILL_TRY(std::vector<OutputColumn> some, expressions(*argument, form));
    for (OutputColumn& column : some) found.push_back(std::move(column));
  }
  for (const auto& [name, argument] : arguments.many_named) {
    LAKEMILL_TRY(std::vector<OutputColumn> some, expressions(*argument, form));
    if (some.size() != 1 && faults == nullptr) {
      return error(argument, "'" + name + "' names one column, not " +
                                 std::to_string(some.size()));
    }
    if (some.empty()) continue;  // only checked, and not known yet
    some.front().name = name;
    found.push_back(std::move(some.front()));
  }
  std::vector<std::string> names;
  for (const OutputColumn& column : found) {
    const bool stands_for_many = input.is_open && column.name.starts_with('*');
    if (!stands_for_many && contains_name(names, column.name)) {
      Tree place;
      place.location = column.location;
      return error(&place, "two columns have the name '" + column.name +
                               "'; give one of them .alias(\"...\")");
    }
    names.push_back(column.name);
  }
  return found;
}

Result<Frame> MethodContext::frame(std::string_view argument) const {
  const Tree* found = find(argument);
  if (found == nullptr || !found->is_string()) {
    return error(found,
                 "'" + std::string(argument) +
                     "' must be a frame: \"{nodes.name}\" or \"{sources.name}\"");
  }
  auto reference = found->literal ? std::nullopt : frame_reference(found->text);
  if (!reference) {
    return error(found,
                 "'" + found->text +
                     "' is no frame; write \"{nodes.name}\" or \"{sources.name}\"");
  }
  if (*reference == "df") return input;
  auto resolved = frames(*reference);
  if (!resolved) return error(found, resolved.error().message());
  return resolved;
}

Result<std::vector<std::string>> MethodContext::order_terms(
    std::string_view argument) const {
  LAKEMILL_TRY(std::vector<std::string> names, columns(argument));
  std::vector<std::string> terms;
  for (const std::string& name : names) {
    terms.push_back(quote_identifier(name) + " ASC NULLS FIRST");
  }
  return terms;
}

}  // namespace lakemill::language
