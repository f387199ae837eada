#pragma once

#include <string>
#include <string_view>

#include "lakemill/language/tree.h"

// How variables.h reads `${…}` in text; for variables.cpp and parameters.cpp alone.

namespace lakemill::language {

/// True for what names of variables, parameters and secrets are made of.
bool is_name_character(char character);

/// The name in a `${prefix.NAME}` that begins at `begin`; empty if it is none.
std::string_view reference_name(std::string_view text, std::size_t begin,
                                std::string_view prefix);

/// A value as it is put into text: JSON if it is a list or a mapping.
std::string as_text(const Tree& tree);

}  // namespace lakemill::language
