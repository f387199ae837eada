#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/base/result.h"
#include "lakemill/language/model.h"

namespace lakemill::language {

/// What a stretch of SQL or of a dataframe expression is, as far as quoting goes.
enum class TextRegion : std::uint8_t {
  code,
  single_quoted,   ///< '…' with quotes doubled
  escaped_quoted,  ///< E'…' of SQL, and strings of expressions: backslash escapes
  double_quoted,   ///< "…" of SQL: an identifier
  back_quoted,     ///< `…`: an identifier
  dollar_quoted,   ///< $$…$$, $tag$…$tag$
  line_comment,
  block_comment
};

struct RegionSpan {
  TextRegion region = TextRegion::code;
  std::size_t begin = 0;  ///< with the opening quote
  std::size_t end = 0;    ///< behind the closing one
  char quote = '\0';      ///< what a value inside must not hold unescaped
};

/// The regions of an SQL text, in order and without gaps. Unclosed ones end with it.
std::vector<RegionSpan> sql_regions(std::string_view sql);

/// The same for Python source text: strings and comments.
std::vector<RegionSpan> expression_regions(std::string_view expression);

/// `value` as it may stand inside a region so that it stays a value: escaped in
/// quotes, a whole literal in code. Errors: invalid, where no escape exists.
Result<std::string> value_in_sql(std::string_view value, const RegionSpan& region);
Result<std::string> value_in_expression(std::string_view value,
                                        const RegionSpan& region);

/// True if the text calls what only dataframe expressions have: nw. pl. F. col( lit(.
bool is_dataframe_expression(std::string_view text);

/// Where in the user's file the byte at `offset` of `source` is, as far as known: the
/// column of a text written as a block or on one line with others may be 0 or that of
/// the value.
Location place_in(const SourceText& source, std::size_t offset);

}  // namespace lakemill::language
