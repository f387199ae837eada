#pragma once

#include <memory>
#include <string>

#include "lakemill/base/result.h"

namespace lakemill::language {

/// A variable whose name is a regular expression (ECMAScript's grammar).
/// Source: language.md, section 2.
class VariablePattern {
 public:
  /// Errors: invalid (no regular expression).
  static Result<VariablePattern> compile(const std::string& expression);

  /// `text` with every match replaced by `replacement`, in which \1 and \g<1> name
  /// groups. Errors: invalid (the match is too costly).
  Result<std::string> replace(const std::string& text,
                              const std::string& replacement) const;

 private:
  struct Compiled;
  explicit VariablePattern(std::shared_ptr<const Compiled> compiled)
      : compiled_(std::move(compiled)) {}

  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace lakemill::language
