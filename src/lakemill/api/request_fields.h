#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/clock.h"
#include "lakemill/base/json.h"
#include "lakemill/server/target.h"

// What requests bring, read field by field: the first fault is kept and told, names
// that nobody asked for are faults, and what is left out has its usual value.

namespace lakemill::api {

/// How many items a list has at most, and where nobody says how many.
inline constexpr std::int64_t kListMax = 1'000;
inline constexpr std::int64_t kListUsual = 100;

/// Parameters of a query. Not thread-safe.
class QueryFields {
 public:
  explicit QueryFields(const server::Target& target) : target_(target) {}

  std::string text(std::string_view name);
  /// All values of a name that may repeat.
  std::vector<std::string> texts(std::string_view name);
  /// 1 to `max`; `usual` where it is left out.
  std::int64_t integer(std::string_view name, std::int64_t usual, std::int64_t max);
  std::optional<Instant> instant(std::string_view name);
  /// One of `choices`, by its to_text().
  template <typename Choice>
  std::optional<Choice> one_of(std::string_view name,
                               std::initializer_list<Choice> choices) {
    const std::string value = text(name);
    if (value.empty()) return std::nullopt;
    std::string known;
    for (const Choice choice : choices) {
      if (to_text(choice) == value) return choice;
      known.append(known.empty() ? "" : ", ").append(to_text(choice));
    }
    refuse(name, "one of " + known);
    return std::nullopt;
  }

  /// A value is not what is `wanted`.
  void refuse(std::string_view name, const std::string& wanted);
  /// After all was asked for: invalid, with the parameter and what it takes.
  std::optional<Error> fault() const;

 private:
  const server::Target& target_;
  std::set<std::string, std::less<>> asked_;
  std::optional<Error> fault_;
};

/// The members of a JSON object that is a body; an empty body is an object without
/// members. Not thread-safe.
class BodyFields {
 public:
  explicit BodyFields(std::string_view body);

  std::string text(std::string_view name, std::string_view usual);
  bool flag(std::string_view name);  ///< false where it is left out
  /// `usual` to `max`; `usual` where it is left out.
  std::int64_t integer(std::string_view name, std::int64_t usual, std::int64_t max);
  std::vector<std::string> texts(std::string_view name);
  std::map<std::string, std::string> text_map(std::string_view name);

  void refuse(std::string_view name, const std::string& wanted);
  /// After all was asked for: invalid, with a JSON pointer and what stands there.
  std::optional<Error> fault() const;

 private:
  const Json* member(std::string_view name);

  Json json_ = Json::object();
  std::set<std::string, std::less<>> asked_;
  std::optional<Error> fault_;
};

}  // namespace lakemill::api
