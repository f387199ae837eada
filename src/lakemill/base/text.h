#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lakemill {

/// `text` in double quotes, inner ones doubled: an SQL identifier.
std::string quote_identifier(std::string_view text);

/// `text` in single quotes, inner ones doubled: an SQL string.
std::string quote_literal(std::string_view text);

/// ASCII lower and upper case.
std::string to_lower(std::string_view text);
std::string to_upper(std::string_view text);

/// True if they differ at most in ASCII case.
bool equals_ignoring_case(std::string_view left, std::string_view right);

std::string join(std::span<const std::string> parts, std::string_view separator);
std::vector<std::string> split(std::string_view text, char separator);

/// Without spaces, tabs and line ends at both ends.
std::string_view trim(std::string_view text);

/// The candidate that a person who typed `text` most likely meant, by edit distance
/// (ignoring case); nothing when none is near.
std::optional<std::string> nearest(std::string_view text,
                                   std::span<const std::string> candidates);

}  // namespace lakemill
