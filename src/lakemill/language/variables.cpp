#include "lakemill/language/variables.h"

#include <algorithm>
#include <array>

#include "lakemill/base/text.h"
#include "lakemill/language/safe_expression.h"
#include "lakemill/language/safe_operation.h"
#include "lakemill/language/variable_text.h"

namespace lakemill::language {

/// A stretch of a string: plain text, or one `${…}`.
struct VariableResolver::Segment {
  enum class Kind { text, variable, expression };
  Kind kind = Kind::text;
  std::string text;  ///< of a variable its name, of an expression its source
};

namespace {

constexpr std::size_t kPatternTextMax = 16'384;
constexpr std::size_t kTextMax = 4U << 20U;
constexpr int kExpressionDepthMax = 16;
constexpr int kNestedExpansionsMax = 100'000;

// Where the `}}` of an expression that begins at `begin` is, outside of strings.
std::size_t expression_end(std::string_view text, std::size_t begin) {
  char quote = '\0';
  for (std::size_t i = begin; i + 1 < text.size(); ++i) {
    if (quote != '\0') {
      if (text[i] == '\\') {
        ++i;
      } else if (text[i] == quote) {
        quote = '\0';
      }
    } else if (text[i] == '\'' || text[i] == '"') {
      quote = text[i];
    } else if (text[i] == '}' && text[i + 1] == '}') {
      return i;
    }
  }
  return std::string_view::npos;
}

std::string_view variable_name(std::string_view text, std::size_t begin) {
  const std::string_view name = reference_name(text, begin, "vars.");
  return name.empty() ? reference_name(text, begin, "var.") : name;
}

void set_places(Tree& tree, const Tree& where) {
  if (tree.location.line == 0) tree.location = where.location;
  for (Tree& item : tree.items) set_places(item, where);
  for (TreeEntry& entry : tree.entries) {
    if (entry.key_location.line == 0) entry.key_location = where.location;
    set_places(entry.value, where);
  }
}

}  // namespace

const Tree* find_variable(const std::vector<NamedArgument>& variables,
                          std::string_view name) {
  for (const NamedArgument& variable : variables) {
    if (equals_ignoring_case(variable.name, name)) return &variable.value;
  }
  return nullptr;
}

Result<std::string> resolve_secrets(std::string_view text, const SecretGetter& secret) {
  std::string result;
  std::size_t position = 0;
  for (std::size_t begin = text.find("${secret."); begin != std::string_view::npos;
       begin = text.find("${secret.", position)) {
    const std::string_view name = reference_name(text, begin, "secret.");
    result += text.substr(position, begin - position);
    if (name.empty()) {
      result += "${";
      position = begin + 2;
      continue;
    }
    auto value = secret(std::string(name));
    if (!value) {
      return std::move(value).error().while_doing("secret " + std::string(name));
    }
    result += *value;
    position = begin + std::string_view("${secret.}").size() + name.size();
  }
  return result + std::string(text.substr(position));
}

void VariableResolver::resolve(Tree& root) {
  root_ = &root;
  scopes_ = {&outermost_};
  resolve_parameters();
  walk(root, TextMode::plain);
}

void VariableResolver::resolve_parameters() {
  const Tree* variables = root_->find("variables");
  if (variables != nullptr && variables->is_mapping()) scopes_.push_back(variables);
  for (Parameter& declared : parameters_) {
    if (declared.default_value) put_variables_below(*declared.default_value);
    if (declared.is_default) declared.value = *declared.default_value;
  }
  scopes_ = {&outermost_};
}

std::vector<NamedArgument> VariableResolver::root_variables(const Tree& root) {
  std::vector<NamedArgument> resolved;
  const Tree* variables = root.find("variables");
  if (variables != nullptr && variables->is_mapping()) {
    scopes_.push_back(variables);
    for (const TreeEntry& entry : variables->entries) {
      if (find_variable(overrides_, entry.key) != nullptr) continue;
      active_.push_back(to_lower(entry.key));
      NamedArgument argument{entry.key, entry.key_location, entry.value};
      put_variables_below(argument.value);
      active_.pop_back();
      resolved.push_back(std::move(argument));
    }
    scopes_.pop_back();
  }
  resolved.insert(resolved.begin(), overrides_.begin(), overrides_.end());
  return resolved;
}

VariableResolver::TextMode VariableResolver::mode_of(const std::string& key,
                                                     TextMode mode,
                                                     bool in_expectation) {
  // Below these keys names are the user's own.
  constexpr std::array<std::string_view, 6> kData = {
      "data", "given", "expect", "rows", "reader_kwargs", "writer_kwargs"};
  if (mode == TextMode::argument || key == "func_args" || key == "func_kwargs") {
    return TextMode::argument;
  }
  if (mode == TextMode::data ||
      std::find(kData.begin(), kData.end(), key) != kData.end()) {
    return TextMode::data;
  }
  if (key == "expr") return in_expectation ? TextMode::expectation : TextMode::sql;
  if (key == "filter" || key == "delete_where" || key == "truncate_where" ||
      key == "where" || key == "tests") {
    return TextMode::sql;
  }
  return TextMode::plain;
}

// `{expr, type}` of an aggregation or expectation says which language it is in.
VariableResolver::TextMode VariableResolver::expression_mode(const Tree& mapping,
                                                             TextMode mode) {
  if (mode != TextMode::argument && mode != TextMode::expectation) return mode;
  const Tree* type = mapping.find("type");
  if (type != nullptr && equals_ignoring_case(type->text, "SQL")) return TextMode::sql;
  if (type != nullptr && equals_ignoring_case(type->text, "DF")) {
    return TextMode::dataframe;
  }
  return TextMode::expectation;
}

void VariableResolver::walk(Tree& tree, TextMode mode) {
  const std::size_t path_size = path_.size();
  switch (tree.kind) {
    case TreeKind::string:
      put_variables(tree);
      if (tree.is_string()) {
        put_parameters(tree, mode);
      }
      break;
    case TreeKind::list:
      for (std::size_t i = 0; i < tree.items.size(); ++i) {
        const bool is_node = path_ == "nodes";
        if (is_node) node_ = &tree.items[i];
        path_ += "[" + std::to_string(i) + "]";
        walk(tree.items[i], mode);
        path_.resize(path_size);
        if (is_node) node_ = nullptr;
      }
      break;
    case TreeKind::mapping:
      walk_mapping(tree, mode);
      break;
    default:
      break;
  }
}

void VariableResolver::walk_mapping(Tree& mapping, TextMode mode) {
  const Tree* variables = mapping.find("variables");
  const bool scoped =
      variables != nullptr && variables->is_mapping() && mode != TextMode::argument;
  if (scoped) scopes_.push_back(variables);
  const std::size_t path_size = path_.size();
  const bool outer = in_expectation_;
  for (TreeEntry& entry : mapping.entries) {
    if (&entry.value == variables && scoped) continue;
    if (&mapping == root_ && entry.key == "parameters") {
      continue;
    }
    if (entry.key.find("${") != std::string::npos) {
      Tree key = make_string(entry.key);
      key.location = entry.key_location;
      put_variables(key);
      entry.key = as_text(key);
    }
    if (!path_.empty()) path_ += '.';
    path_ += entry.key;
    in_expectation_ = outer || entry.key == "expectations";
    TextMode inner = mode_of(entry.key, mode, in_expectation_);
    if (entry.key == "expr" && entry.value.is_string()) {
      inner = expression_mode(mapping, inner);
    }
    walk(entry.value, inner);
    path_.resize(path_size);
  }
  in_expectation_ = outer;
  if (scoped) scopes_.pop_back();
}

// ------------------------------------------------------------------------- variables

void VariableResolver::put_variables_below(Tree& tree) {
  if (tree.is_string()) put_variables(tree);
  for (Tree& item : tree.items) put_variables_below(item);
  for (TreeEntry& entry : tree.entries) put_variables_below(entry.value);
}

void VariableResolver::put_variables(Tree& tree) {
  if (tree.text.find("${") == std::string::npos) return;
  Tree resolved = resolved_text(tree);
  if (resolved.is_string()) apply_patterns(resolved);
  tree = std::move(resolved);
}

Tree VariableResolver::resolved_text(const Tree& tree) {
  const std::string& text = tree.text;
  std::vector<Segment> segments;
  std::size_t position = 0;
  const auto add = [&](Segment::Kind kind, std::string content) {
    if (kind == Segment::Kind::text && content.empty()) return;
    segments.push_back({kind, std::move(content)});
  };
  for (std::size_t begin = text.find("${"); begin != std::string::npos;
       begin = text.find("${", begin)) {
    if (text.compare(begin, 3, "${{") == 0) {
      const std::size_t end = expression_end(text, begin + 3);
      if (end != std::string::npos) {
        add(Segment::Kind::text, text.substr(position, begin - position));
        add(Segment::Kind::expression, text.substr(begin + 3, end - begin - 3));
        begin = position = end + 2;
        continue;
      }
    }
    const std::string_view name = variable_name(text, begin);
    if (name.empty()) {
      begin += 2;
      continue;
    }
    add(Segment::Kind::text, text.substr(position, begin - position));
    add(Segment::Kind::variable, std::string(name));
    begin = position = text.find('}', begin) + 1;
  }
  add(Segment::Kind::text, text.substr(position));

  if (segments.size() == 1 && segments[0].kind != Segment::Kind::text) {
    return reference_value(segments[0], tree);
  }
  Tree result = tree;
  result.text.clear();
  for (const Segment& segment : segments) {
    if (segment.kind == Segment::Kind::text) {
      result.text += segment.text;
      continue;
    }
    const Tree value = reference_value(segment, tree);
    if (value.broken) result.broken = true;
    result.text += as_text(value);
    if (result.text.size() > kTextMax) {
      diagnostics_.error(tree.location, path_, "variables expand without bound", "");
      result.broken = true;
      result.text.clear();
      return result;
    }
  }
  return result;
}

Tree VariableResolver::reference_value(const Segment& segment, const Tree& where) {
  if (segment.kind == Segment::Kind::expression) {
    return expression_value(segment.text, where);
  }
  if (auto value = variable_value(segment.text, where)) {
    const bool block = where.block && value->is_string();
    value->location = where.location;
    value->block = block;
    return *std::move(value);
  }
  tell_unset(segment.text, where);
  Tree unset = make_string("${vars." + segment.text + "}");
  unset.location = where.location;
  return unset;
}

std::optional<Tree> VariableResolver::variable_value(const std::string& name,
                                                     const Tree& where) {
  const Tree* definition = find_variable(overrides_, name);
  for (auto scope = scopes_.rbegin(); definition == nullptr && scope != scopes_.rend();
       ++scope) {
    for (const TreeEntry& entry : (*scope)->entries) {
      if (equals_ignoring_case(entry.key, name)) definition = &entry.value;
    }
  }
  if (definition == nullptr) {
    if (!environment_) return std::nullopt;
    auto value = environment_(name);
    if (!value) value = environment_(to_upper(name));
    if (!value) return std::nullopt;
    return plain_scalar(*value, where.location);
  }
  std::string key = to_lower(name);
  if (std::find(active_.begin(), active_.end(), key) != active_.end()) {
    return circular(*definition, key);
  }
  if (!active_.empty() && ++expansions_ > kNestedExpansionsMax) {
    if (told_.insert({"expansions", 0, 0}).second) {
      diagnostics_.error(where.location, path_, "variables expand without bound",
                         "a variable repeats other variables too often");
    }
    Tree broken = make_string("");
    broken.broken = true;
    return broken;
  }
  active_.push_back(std::move(key));
  Tree value = *definition;
  put_variables_below(value);
  active_.pop_back();
  return value;
}

Tree VariableResolver::circular(const Tree& definition, const std::string& name) {
  if (told_.insert(definition.location).second) {
    std::string chain;
    const auto first = std::find(active_.begin(), active_.end(), name);
    for (auto it = first; it != active_.end(); ++it) {
      chain += *it + " -> ";
      told_.insert(definition.location);
    }
    // The same circle is met from each of its members: tell it once.
    std::vector<std::string> members(first, active_.end());
    std::sort(members.begin(), members.end());
    Location mark{"circle " + join(members, ","), 0, 0};
    if (told_.insert(std::move(mark)).second) {
      diagnostics_.error(
          definition.location, path_,
          "the variable '" + name + "' refers to itself: " + chain + name, "");
    }
  }
  Tree broken = make_string("");
  broken.broken = true;
  return broken;
}

void VariableResolver::tell_unset(const std::string& name, const Tree& where) {
  std::vector<std::string> known;
  for (const NamedArgument& variable : overrides_) known.push_back(variable.name);
  for (const Tree* scope : scopes_) {
    for (const TreeEntry& entry : scope->entries) known.push_back(entry.key);
  }
  const auto meant = nearest(name, known);
  diagnostics_.warning(where.location, path_,
                       "the variable '" + name + "' is not set and stays as it is",
                       meant ? "did you mean '" + *meant + "'?"
                             : "set it in `variables:` or with --var " + name + "=…");
}

// ------------------------------------------------------------------------ expressions

Tree VariableResolver::expression_value(const std::string& expression,
                                        const Tree& where) {
  Tree broken = make_string("");
  broken.location = where.location;
  broken.broken = true;
  if (expression_depth_ >= kExpressionDepthMax) {
    diagnostics_.error(where.location, path_,
                       "${{" + expression + "}} refers to itself", "");
    return broken;
  }
  ++expression_depth_;
  const auto lookup = [&](const std::vector<std::string>& path) {
    return named_value(path, where);
  };
  auto value = evaluate_expression(expression, lookup);
  --expression_depth_;
  if (!value) {
    diagnostics_.error(
        where.location, path_,
        "cannot evaluate ${{" + expression + "}}: " + value.error().message(), "");
    return broken;
  }
  value->location = where.location;
  set_places(*value, where);
  return *std::move(value);
}

Result<std::optional<Tree>> VariableResolver::named_value(
    const std::vector<std::string>& path, const Tree& where) {
  const std::string root = to_lower(path[0]);
  Tree value;
  std::size_t used = 1;
  if (root == "vars" || root == "var") {
    if (path.size() == 1) return std::optional<Tree>(all_variables(where));
    auto found = variable_value(path[1], where);
    if (!found) {
      return Error(ErrorCode::invalid, "the variable '" + path[1] + "' is not set");
    }
    value = *std::move(found);
    used = 2;
  } else if (path[0] == "pipeline" && root_ != nullptr) {
    value = *root_;
  } else if (path[0] == "pipeline_node" && node_ != nullptr) {
    value = *node_;
  } else {
    return std::optional<Tree>();
  }
  for (; used < path.size(); ++used) {
    const Tree* member = value.find(path[used]);
    if (member == nullptr) {
      return Error(ErrorCode::invalid, "there is no '" + path[used] + "' in " +
                                           join(std::span(path).first(used), "."));
    }
    Tree inner = *member;
    value = std::move(inner);
  }
  if (root != "vars" && root != "var" && value.is_string()) put_variables(value);
  return std::optional<Tree>(std::move(value));
}

Tree VariableResolver::all_variables(const Tree& where) {
  Tree all;
  all.kind = TreeKind::mapping;
  all.location = where.location;
  const auto add = [&](const std::string& name) {
    if (all.find(name) != nullptr) return;
    if (auto value = variable_value(name, where)) {
      all.entries.push_back({name, where.location, *std::move(value)});
    }
  };
  for (const NamedArgument& variable : overrides_) add(variable.name);
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    for (const TreeEntry& entry : (*scope)->entries) add(entry.key);
  }
  return all;
}

// --------------------------------------------------------------- variables as patterns

void VariableResolver::apply_patterns(Tree& text) {
  for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
    for (const TreeEntry& entry : (*scope)->entries) {
      if (entry.key.find("\\$\\{") != std::string::npos) apply_pattern(entry, text);
    }
  }
}

void VariableResolver::apply_pattern(const TreeEntry& entry, Tree& text) {
  const auto [known, is_new] = patterns_.try_emplace(entry.key);
  if (is_new) {
    auto compiled = VariablePattern::compile(entry.key);
    if (compiled) {
      known->second = *std::move(compiled);
    } else {
      diagnostics_.error(entry.key_location, path_,
                         "'" + entry.key + "' is not a regular expression",
                         "a variable whose name holds \\$\\{ is one");
    }
  }
  if (!known->second || text.text.find("${") == std::string::npos) return;
  if (text.text.size() > kPatternTextMax) {
    diagnostics_.error(text.location, path_,
                       "this text is too long for the variable '" + entry.key + "'",
                       "");
    return;
  }
  auto replaced = known->second->replace(text.text, as_text(entry.value));
  if (replaced) text.text = *std::move(replaced);
}

}  // namespace lakemill::language
