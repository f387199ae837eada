#include <algorithm>

#include "lakemill/base/text.h"
#include "lakemill/language/sql_text.h"
#include "lakemill/language/variable_text.h"
#include "lakemill/language/variables.h"

// `${params.x}`: declared in the pipeline, given for one run, put in as values.

namespace lakemill::language {

namespace {

bool is_plain_word(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char character) {
    return is_name_character(character) && character != '-';
  });
}

}  // namespace

Parameter* VariableResolver::parameter(const std::string& name, const Tree& where) {
  for (Parameter& declared : parameters_) {
    if (equals_ignoring_case(declared.name, name)) return &declared;
  }
  std::vector<std::string> known;
  for (const Parameter& declared : parameters_) known.push_back(declared.name);
  const auto meant = nearest(name, known);
  diagnostics_.error(where.location, path_, "unknown parameter '" + name + "'",
                     meant ? "did you mean '" + *meant + "'?"
                           : "declare it in `parameters:` of the pipeline");
  return nullptr;
}

void VariableResolver::put_parameters(Tree& text, TextMode mode) {
  const std::size_t begin = text.text.find("${params.");
  if (begin == std::string::npos) return;
  const std::string_view name = reference_name(text.text, begin, "params.");
  const bool whole =
      begin == 0 &&
      text.text.size() == name.size() + std::string_view("${params.}").size();
  const bool is_value =
      mode == TextMode::plain || mode == TextMode::argument || mode == TextMode::data;
  if (whole && is_value) {
    if (const Parameter* declared = parameter(std::string(name), text)) {
      const Location location = text.location;
      text = declared->value;
      text.location = location;
    } else {
      text.broken = true;
    }
    text.literal = text.is_string();
    return;
  }
  const bool as_expression =
      (mode == TextMode::argument && text.text.find('(') != std::string::npos) ||
      (mode == TextMode::expectation && is_dataframe_expression(text.text)) ||
      mode == TextMode::dataframe;
  text.text = with_parameters(text, mode, as_expression);
  text.literal = mode == TextMode::argument && !as_expression;
}

std::string VariableResolver::with_parameters(const Tree& tree, TextMode mode,
                                              bool as_expression) {
  const std::string& text = tree.text;
  const bool quotes =
      as_expression || mode == TextMode::sql || mode == TextMode::expectation;
  const std::vector<RegionSpan> spans = !quotes         ? std::vector<RegionSpan>{}
                                        : as_expression ? expression_regions(text)
                                                        : sql_regions(text);
  std::string result;
  std::size_t position = 0;
  std::size_t span = 0;
  for (std::size_t begin = text.find("${params."); begin != std::string::npos;
       begin = text.find("${params.", begin + 1)) {
    const std::string_view name = reference_name(text, begin, "params.");
    if (name.empty()) continue;
    result += text.substr(position, begin - position);
    position = begin + std::string_view("${params.}").size() + name.size();
    const Parameter* declared = parameter(std::string(name), tree);
    if (declared == nullptr) continue;
    const Tree& value = declared->value;
    if (!quotes) {
      result += as_text(value);
      continue;
    }
    while (span + 1 < spans.size() && spans[span].end <= begin) ++span;
    const bool in_code = spans[span].region == TextRegion::code;
    const bool is_missing = !declared->is_given && !declared->is_default;
    if (in_code && is_missing && !as_expression) {
      result += quote_literal(declared->name);  // stands for a value and for a table
    } else if (in_code && value.is_null()) {
      result += as_expression ? "None" : "NULL";
    } else if (in_code && value.kind == TreeKind::boolean) {
      result += as_expression ? (value.boolean ? "True" : "False") : value.text;
    } else if (in_code &&
               (value.kind == TreeKind::integer || value.kind == TreeKind::number)) {
      result += json_text(to_json(value));
    } else {
      auto quoted = as_expression ? value_in_expression(as_text(value), spans[span])
                                  : value_in_sql(as_text(value), spans[span]);
      // A string of an expression may be SQL in its turn, where it would end a literal.
      if (as_expression && !in_code && text.find("sql_expr") != std::string::npos &&
          !is_plain_word(as_text(value))) {
        quoted = Error(ErrorCode::invalid,
                       "inside sql_expr() only letters, digits, '_' and '.' may come "
                       "from a parameter");
      }
      if (quoted) {
        result += *quoted;
      } else {
        diagnostics_.error(tree.location, path_,
                           "the parameter '" + declared->name +
                               "' cannot be put here: " + quoted.error().message(),
                           "");
      }
    }
  }
  return result + text.substr(position);
}

std::vector<Parameter> read_parameters(
    const Tree* declared, const std::vector<std::pair<std::string, std::string>>& given,
    bool allow_missing, Diagnostics& diagnostics) {
  std::vector<Parameter> parameters;
  std::vector<std::string> names;
  if (declared != nullptr && declared->is_mapping()) {
    for (const TreeEntry& entry : declared->entries) {
      Parameter parameter;
      parameter.name = entry.key;
      parameter.location = entry.key_location;
      if (const Tree* value = entry.value.find("default")) {
        parameter.default_value = *value;
        parameter.is_default = true;
      }
      names.push_back(entry.key);
      parameters.push_back(std::move(parameter));
    }
  }
  for (const auto& [name, text] : given) {
    const auto found = std::find_if(parameters.begin(), parameters.end(),
                                    [&, &wanted = name](const Parameter& other) {
                                      return equals_ignoring_case(other.name, wanted);
                                    });
    if (found == parameters.end()) {
      const auto meant = nearest(name, names);
      diagnostics.error(declared == nullptr ? Location{} : declared->location, "",
                        "the pipeline has no parameter '" + name + "'",
                        meant ? "did you mean '" + *meant + "'?" : "");
      continue;
    }
    if (text.find("${") != std::string::npos) {
      diagnostics.error(found->location, "parameters." + found->name,
                        "the value of the parameter '" + name + "' may not hold '${'",
                        "");
      continue;
    }
    // The default tells the type; without one the value is text.
    Tree value = plain_scalar(text, found->location);
    const TreeKind wanted =
        found->default_value ? found->default_value->kind : TreeKind::string;
    const bool typed = wanted == TreeKind::boolean || wanted == TreeKind::integer ||
                       wanted == TreeKind::number;
    if (!typed) {
      value = make_string(text);
      value.location = found->location;
    } else if (value.kind != wanted &&
               !(wanted == TreeKind::number && value.kind == TreeKind::integer)) {
      diagnostics.error(found->location, "parameters." + found->name,
                        "the parameter '" + name + "' needs " +
                            std::string(kind_name(wanted)) + ", not '" + text + "'",
                        "its default tells its type");
    }
    found->value = std::move(value);
    found->is_default = false;
    found->is_given = true;
  }
  for (Parameter& parameter : parameters) {
    if (parameter.is_default || parameter.is_given || allow_missing) continue;
    diagnostics.error(
        parameter.location, "parameters." + parameter.name,
        "the parameter '" + parameter.name + "' has no value",
        "give it one with --param " + parameter.name + "=… or write a default");
  }
  return parameters;
}

}  // namespace lakemill::language
