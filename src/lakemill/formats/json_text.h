#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "lakemill/formats/json_number.h"

namespace lakemill::formats {

// JSON as the text that it is. Engines read its numbers as doubles; what these do not
// hold is found, and kept, before an engine sees it. All texts were parsed by an engine
// before: what is no JSON is handed on as it is.
//
// A place in a value is a path like a JSON pointer: "/a/b" is the member b of the
// member a, "/a/~2" stands for all elements of the list a.

/// The step of a path to a member, and to any element; the name in such a step.
std::string member_step(std::string_view name);
std::string step_name(std::string_view step);
inline constexpr std::string_view kElementStep = "/~2";

/// What all numbers at one path need together.
struct NumbersAt {
  bool any_integer = false;
  bool all_integer = true;
  bool fit_long = true;
  bool fit_double = true;
  int integer_digits = 0;
  int scale = 0;

  void add(const NumbersAt& other);
};

using NumbersByPath = std::map<std::string, NumbersAt>;

/// The numbers of a JSON value by their paths: with `all` each, else those only that a
/// double, or as integers a long, does not hold.
NumbersByPath numbers_of(std::string_view json, bool all);

struct ExactJson {
  std::string text;
  std::string repeated_name;  ///< of an object that has it twice; mostly empty
};

/// The same value, written without blanks, in which the numbers that a double does not
/// hold are strings, and so are the numbers, lists and objects at `text_paths`, whole
/// and as they were written.
ExactJson exact_json(std::string_view json, const std::set<std::string>& text_paths);

/// The line, from 1, of the first record in `document` (a list of records, or one after
/// the other) whose member `name` has that value (strings without their quotes);
/// nothing if none has.
std::optional<std::int64_t> line_of_value(std::string_view document,
                                          std::string_view name,
                                          std::string_view value);

/// The line, from 1, of the first member of that name at any depth.
std::optional<std::int64_t> line_of_name(std::string_view document,
                                         std::string_view name);

}  // namespace lakemill::formats
