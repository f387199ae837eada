#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/language/tree.h"

namespace lakemill::language {

/// Python's truth: false for null, false, 0, and what is empty.
bool is_truthy(const Tree& value);

/// `+ - * / // % **` as Python has them. Errors: invalid (types that do not go
/// together, a division by zero, a result that is too large).
Result<Tree> safe_binary(std::string_view operation, const Tree& left,
                         const Tree& right);

/// `== != < <= > >= in`, `not in`, `is`, `is not`. Errors: invalid (no order exists).
Result<bool> safe_compare(std::string_view operation, const Tree& left,
                          const Tree& right);

/// `value[key]`: of a list or string by number, of a mapping by text.
Result<Tree> safe_index(const Tree& value, const Tree& key);

/// A method of a string: lower, upper, strip, startswith, split, …
Result<Tree> safe_method(const Tree& value, std::string_view method,
                         const std::vector<Tree>& arguments);

}  // namespace lakemill::language
