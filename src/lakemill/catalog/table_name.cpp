#include "lakemill/catalog/table_name.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "lakemill/base/folder_name.h"
#include "lakemill/base/text.h"

namespace lakemill::catalog {

namespace {

constexpr std::size_t kPartsMax = 3;

bool is_quote(char letter) { return letter == '`' || letter == '"'; }

Error bad_text(std::string_view text, std::string_view what) {
  return {ErrorCode::invalid, "table name " + quote_literal(text) + ": " +
                                  std::string(what) +
                                  "; write table, schema.table or "
                                  "catalog.schema.table"};
}

// Takes a quoted part, the opening quote being next; nothing if it does not end.
std::optional<std::string> take_quoted(std::string_view& rest) {
  const char quote = rest.front();
  std::string part;
  for (std::size_t at = 1; at < rest.size(); ++at) {
    if (rest[at] != quote) {
      part.push_back(rest[at]);
    } else if (at + 1 < rest.size() && rest[at + 1] == quote) {
      part.push_back(quote);
      ++at;
    } else {
      rest.remove_prefix(at + 1);
      return part;
    }
  }
  return std::nullopt;
}

Result<std::vector<std::string>> parts_of(std::string_view text) {
  std::vector<std::string> parts;
  std::string_view rest = trim(text);
  while (true) {
    if (!rest.empty() && is_quote(rest.front())) {
      auto part = take_quoted(rest);
      if (!part) return bad_text(text, "a quote is not closed");
      if (!rest.empty() && rest.front() != '.') {
        return bad_text(text, "something stands behind a closing quote");
      }
      parts.push_back(*std::move(part));
    } else {
      const auto dot = std::min(rest.find('.'), rest.size());
      parts.emplace_back(trim(rest.substr(0, dot)));
      rest.remove_prefix(dot);
    }
    if (rest.empty()) return parts;
    rest.remove_prefix(1);  // the dot
  }
}

std::string part_text(const std::string& part) {
  const bool plain = std::none_of(part.begin(), part.end(), [](char letter) {
    return letter == '.' || letter == ' ' || is_quote(letter);
  });
  return plain && !part.empty() ? part : quote_identifier(part);
}

}  // namespace

Result<TableName> parse_table_name(std::string_view text,
                                   const NameDefaults& defaults) {
  LAKEMILL_TRY(auto parts, parts_of(text));
  if (parts.size() > kPartsMax) return bad_text(text, "it has more than three parts");
  if (parts.size() < 2) parts.insert(parts.begin(), defaults.schema);
  if (parts.size() < kPartsMax) parts.insert(parts.begin(), defaults.catalog);
  for (const auto& part : parts) {
    if (auto checked = check_folder_name(part); !checked) {
      return bad_text(text, checked.error().message());
    }
  }
  return TableName{parts[0], parts[1], parts[2]};
}

std::string to_text(const TableName& name) {
  return part_text(name.catalog) + "." + part_text(name.schema) + "." +
         part_text(name.table);
}

}  // namespace lakemill::catalog
