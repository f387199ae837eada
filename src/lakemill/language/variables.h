#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/language/diagnostic.h"
#include "lakemill/language/model.h"
#include "lakemill/language/tree.h"
#include "lakemill/language/variable_pattern.h"

namespace lakemill::language {

using EnvironmentGetter =
    std::function<std::optional<std::string>(const std::string& name)>;
using SecretGetter = std::function<Result<std::string>(const std::string& name)>;

/// `text` with each `${secret.NAME}` replaced by what `secret` gives. What comes out
/// must never be printed or stored. Errors: those of `secret`, with the name put
/// before.
Result<std::string> resolve_secrets(std::string_view text, const SecretGetter& secret);

/// The parameters that `declared` (the mapping `parameters`) names, with the values
/// given for this run (`--param`). Faults are told: an unknown parameter, a value of
/// another type than the default, a missing value unless `allow_missing`.
std::vector<Parameter> read_parameters(
    const Tree* declared, const std::vector<std::pair<std::string, std::string>>& given,
    bool allow_missing, Diagnostics& diagnostics);

/// The value of `name` (case does not matter) among `variables`; null if there is none.
const Tree* find_variable(const std::vector<NamedArgument>& variables,
                          std::string_view name);

/// Puts variables, `${{ }}` expressions and parameters into a tree. Source:
/// language.md, section 2. `${secret.NAME}` and other `${…}` stay as they are.
///
/// Where a parameter stands in SQL it becomes a quoted literal (a number stays one), or
/// part of the quoted identifier or string around it; in the argument of a dataframe
/// method a literal of the expression, or a text marked as literal.
///
/// Used once, by one thread.
class VariableResolver {
 public:
  /// `overrides` win over all variables of the file, the first over the later ones; the
  /// mapping `outermost` is asked after those of the file, the environment last.
  VariableResolver(std::vector<NamedArgument> overrides, Tree outermost,
                   EnvironmentGetter environment, std::vector<Parameter>& parameters,
                   Diagnostics& diagnostics)
      : overrides_(std::move(overrides)),
        outermost_(std::move(outermost)),
        environment_(std::move(environment)),
        parameters_(parameters),
        diagnostics_(diagnostics) {}

  /// Resolves `root` (a pipeline or project file) in place; `variables` mappings stay.
  void resolve(Tree& root);

  /// The overrides, then the root's own variables, resolved.
  std::vector<NamedArgument> root_variables(const Tree& root);

 private:
  enum class TextMode { plain, sql, expectation, dataframe, argument, data };
  struct Segment;

  void walk(Tree& tree, TextMode mode);
  void walk_mapping(Tree& mapping, TextMode mode);
  static TextMode mode_of(const std::string& key, TextMode mode, bool in_expectation);
  static TextMode expression_mode(const Tree& mapping, TextMode mode);
  void resolve_parameters();

  void put_variables(Tree& tree);
  void put_variables_below(Tree& tree);
  Tree resolved_text(const Tree& text);
  Tree reference_value(const Segment& segment, const Tree& where);
  std::optional<Tree> variable_value(const std::string& name, const Tree& where);
  Tree circular(const Tree& definition, const std::string& name);
  void tell_unset(const std::string& name, const Tree& where);

  Tree expression_value(const std::string& expression, const Tree& where);
  Result<std::optional<Tree>> named_value(const std::vector<std::string>& path,
                                          const Tree& where);
  Tree all_variables(const Tree& where);

  void apply_patterns(Tree& text);
  void apply_pattern(const TreeEntry& entry, Tree& text);

  void put_parameters(Tree& text, TextMode mode);
  std::string with_parameters(const Tree& text, TextMode mode, bool as_expression);
  Parameter* parameter(const std::string& name, const Tree& where);

  std::vector<NamedArgument> overrides_;
  Tree outermost_;
  EnvironmentGetter environment_;
  std::vector<Parameter>& parameters_;
  Diagnostics& diagnostics_;

  std::vector<const Tree*> scopes_;  ///< `variables` mappings, outermost first
  std::vector<std::string> active_;  ///< names being resolved, for circles
  std::set<Location> told_;
  std::map<std::string, std::optional<VariablePattern>> patterns_;
  Tree* root_ = nullptr;
  Tree* node_ = nullptr;
  std::string path_;
  bool in_expectation_ = false;
  int expression_depth_ = 0;
  int expansions_ = 0;
};

}  // namespace lakemill::language
