#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string_view>

#include "lakemill/base/result.h"
#include "lakemill/language/model.h"

namespace lakemill::flow {

/// The byte of the author's text at which a byte of SQL stands that was made of it;
/// nothing for what he has not written.
using OffsetInText = std::function<std::optional<std::size_t>(std::size_t offset)>;

/// An engine's error about `sql`, without the place at the end of its message, and the
/// byte of the SQL that it is.
struct PlacedError {
  Error error;
  std::optional<std::size_t> offset;
};
PlacedError take_place(const Error& error, std::string_view sql);

/// An engine's error about `sql`, whose message ends in a place of the SQL ("at line 1,
/// column 8 of the SQL"), with file, line and column of the author's text instead, in
/// front; with those of the whole text where no place is told.
Error at_place_in_file(const language::SourceText& text, std::string_view sql,
                       const OffsetInText& offset_in_text, const Error& error);

/// The same for SQL that holds the text as it is, behind `before` bytes.
Error at_place_in_file(const language::SourceText& text, std::string_view sql,
                       std::size_t before, const Error& error);

}  // namespace lakemill::flow
