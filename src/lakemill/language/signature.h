#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "lakemill/base/text.h"

namespace lakemill::language {

enum class ParameterKind : std::uint8_t {
  either,      ///< by position or by name
  named_only,  ///< after a bare "*"
  many,        ///< "*names": any number by position
  many_named,  ///< "**named": any other names
};

/// A parameter of a function or method that pipelines call.
struct SignatureParameter {
  std::string name;
  ParameterKind kind = ParameterKind::either;
  bool required = false;
};

/// Reads a signature as Python and our reference write it: "value, *, literal=False".
/// Ours alone: it is checked when the tests run, not when users call.
std::vector<SignatureParameter> parse_signature(std::string_view signature);

/// The arguments of one call, by parameter. Borrows the arguments.
template <typename Argument>
struct BoundArguments {
  std::vector<std::pair<std::string, const Argument*>> by_name;
  std::vector<const Argument*> many;
  std::vector<std::pair<std::string, const Argument*>> many_named;

  /// Null if the call does not give it.
  const Argument* find(std::string_view name) const {
    for (const auto& [parameter, argument] : by_name) {
      if (parameter == name) return argument;
    }
    return nullptr;
  }
};

/// What is wrong with a call, and at which argument; null: at the call itself.
template <typename Argument>
struct BindFault {
  std::string message;
  const Argument* at = nullptr;
};

/// Fits arguments to the parameters of `function` (its name, for messages).
template <typename Argument>
std::variant<BoundArguments<Argument>, BindFault<Argument>> bind_arguments(
    std::string_view function, std::string_view signature,
    const std::vector<const Argument*>& positional,
    const std::vector<std::pair<std::string, const Argument*>>& named) {
  using Fault = BindFault<Argument>;
  const std::vector<SignatureParameter> parameters = parse_signature(signature);
  const std::string call = std::string(function) + "(" + std::string(signature) + ")";
  BoundArguments<Argument> bound;
  std::size_t next = 0;
  for (const Argument* argument : positional) {
    while (next < parameters.size() &&
           parameters[next].kind == ParameterKind::named_only) {
      ++next;
    }
    if (next >= parameters.size() ||
        parameters[next].kind == ParameterKind::many_named) {
      return Fault{"too many arguments for " + call, argument};
    }
    if (parameters[next].kind == ParameterKind::many) {
      bound.many.push_back(argument);
    } else {
      bound.by_name.emplace_back(parameters[next].name, argument);
      ++next;
      if (next < parameters.size() &&
          parameters[next].kind == ParameterKind::named_only) {
        next = parameters.size();
      }
    }
  }
  for (const auto& [name, argument] : named) {
    std::vector<std::string> known;
    bool fits = false;
    bool collects = false;
    for (const SignatureParameter& parameter : parameters) {
      if (parameter.kind == ParameterKind::many) continue;
      if (parameter.kind == ParameterKind::many_named) {
        collects = true;
        continue;
      }
      known.push_back(parameter.name);
      fits = fits || parameter.name == name;
    }
    if (fits) {
      if (bound.find(name) != nullptr) {
        return Fault{"the argument '" + name + "' of " + call + " is given twice",
                     argument};
      }
      bound.by_name.emplace_back(name, argument);
    } else if (collects) {
      bound.many_named.emplace_back(name, argument);
    } else {
      std::string message = "unknown argument '" + name + "' of " + call;
      if (auto meant = nearest(name, known)) {
        message += "; did you mean '" + *meant + "'?";
      }
      return Fault{std::move(message), argument};
    }
  }
  for (const SignatureParameter& parameter : parameters) {
    if (parameter.required && bound.find(parameter.name) == nullptr) {
      return Fault{"the argument '" + parameter.name + "' of " + call + " is missing",
                   nullptr};
    }
  }
  return bound;
}

}  // namespace lakemill::language
