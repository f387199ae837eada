#include "lakemill/sources/postgres/row_builder.h"

#include <algorithm>

#include "lakemill/base/json.h"
#include "lakemill/base/text.h"
#include "lakemill/base/utf8.h"
#include "lakemill/formats/text_rows.h"

namespace lakemill::sources::postgres {

namespace {

constexpr std::size_t kRowLeading = kLeadingColumns - 1;  // without the offset

bool is_plain(std::string_view text) {
  return is_utf8(text) && text.find('\0') == std::string_view::npos;
}

// One row. Values that were not sent are taken from `old` where it has them.
void append_row(const StreamedTable& table, std::string_view operation,
                const Tuple& tuple, const Tuple* old, std::string& row) {
  row.clear();
  formats::append_text(row, operation);
  std::string unchanged;
  Json invalid;
  const auto& columns = table.message.columns;
  const auto value_of = [&](std::size_t i) -> const FieldText& {
    const bool is_kept = tuple[i].kind == FieldKind::unchanged && old != nullptr;
    return is_kept ? (*old)[i] : tuple[i];
  };
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const FieldText& field = value_of(i);
    if (field.kind == FieldKind::unchanged) {
      if (!unchanged.empty()) unchanged += kNameSeparator;
      unchanged += table.layout->columns[i].name;
    } else if (field.kind == FieldKind::text && !is_plain(field.text)) [[unlikely]] {
      invalid[table.layout->columns[i].name] = escape_invalid_utf8(field.text);
    }
  }
  if (unchanged.empty()) {
    formats::append_null(row);
  } else {
    formats::append_text(row, unchanged);
  }
  if (invalid.is_null()) {
    formats::append_null(row);
  } else {
    formats::append_text(row, json_text(invalid));
  }
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const FieldText& field = value_of(i);
    const bool is_lost =
        field.kind != FieldKind::text ||
        (!invalid.is_null() && invalid.contains(table.layout->columns[i].name));
    if (is_lost) {
      formats::append_null(row);
    } else {
      formats::append_text(row, field.text);
    }
  }
}

// With identity FULL the old row is sent for every update: whether the key is another.
bool key_differs(const StreamedTable& table, const Tuple& before, const Tuple& after) {
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (!table.is_key[i] || after[i].kind == FieldKind::unchanged) continue;
    if (before[i].kind != after[i].kind || before[i].text != after[i].text) return true;
  }
  return false;
}

Error misfit(const StreamedTable& table) {
  return Error(ErrorCode::corrupt, "a change of table " + table.message.schema + "." +
                                       table.message.table +
                                       " has other columns than the table");
}

}  // namespace

Result<StreamedTable> make_streamed_table(RelationMessage message,
                                          TableLookup& lookup) {
  StreamedTable table;
  LAKEMILL_TRY(TableLayout layout, make_layout(message.columns, lookup));
  table.layout = std::make_shared<const TableLayout>(std::move(layout));
  std::vector<std::string> key;
  if (message.replica_identity == 'f') {
    LAKEMILL_TRY(key, lookup.primary_key(message));
  }
  for (const RelationColumn& column : message.columns) {
    const bool is_key =
        message.replica_identity == 'f'
            ? std::find(key.begin(), key.end(), column.name) != key.end()
            : column.is_key;
    table.is_key.push_back(is_key);
    table.has_key = table.has_key || is_key;
  }
  table.message = std::move(message);
  return table;
}

Status build_rows(const StreamedTable& table, const RowChange& change,
                  BuiltRows& rows) {
  const std::size_t columns = table.message.columns.size();
  const bool fits =
      (change.kind == ChangeKind::remove || change.new_tuple.size() == columns) &&
      (change.has_old == OldTuple::none || change.old_tuple.size() == columns);
  if (!fits) return misfit(table);
  rows.second.clear();
  rows.moved_without_values = false;
  rows.indexes = 1;
  if (change.kind == ChangeKind::insert) {
    append_row(table, "INSERT", change.new_tuple, nullptr, rows.first);
    return {};
  }
  if (change.kind == ChangeKind::remove) {
    append_row(table, "DELETE", change.old_tuple, nullptr, rows.first);
    return {};
  }
  if (change.has_old == OldTuple::none) {
    append_row(table, "UPDATE", change.new_tuple, nullptr, rows.first);
    return {};
  }
  rows.indexes = 2;
  const bool is_full = change.has_old == OldTuple::full;
  const bool moved = !is_full || !table.has_key ||
                     key_differs(table, change.old_tuple, change.new_tuple);
  if (!moved) {
    append_row(table, "UPDATE", change.new_tuple, &change.old_tuple, rows.first);
    return {};
  }
  append_row(table, "DELETE", change.old_tuple, nullptr, rows.first);
  append_row(table, "INSERT", change.new_tuple, is_full ? &change.old_tuple : nullptr,
             rows.second);
  rows.moved_without_values =
      !is_full && std::any_of(change.new_tuple.begin(), change.new_tuple.end(),
                              [](const FieldText& field) {
                                return field.kind == FieldKind::unchanged;
                              });
  return {};
}

void build_truncate(const StreamedTable& table, std::string& row) {
  const Tuple nulls(table.message.columns.size());
  append_row(table, "TRUNCATE", nulls, nullptr, row);
}

Status fill_moved_row(const StreamedTable& table, TableLookup& lookup,
                      std::string& row) {
  const auto& columns = table.layout->columns;
  std::vector<std::optional<std::string_view>> texts(kRowLeading + columns.size());
  std::string_view rest = row;
  LAKEMILL_CHECK(formats::take_text_row(rest, texts));
  const auto& listed = texts[1];
  if (!listed || texts[2]) return {};
  const std::vector<std::string> missing = split(*listed, kNameSeparator);
  std::vector<std::pair<std::string, std::string>> keys;
  std::vector<std::string> wanted;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const auto& text = texts[kRowLeading + i];
    if (table.is_key[i]) {
      if (!text) return {};
      keys.emplace_back(columns[i].source_name, *text);
    }
    if (std::find(missing.begin(), missing.end(), columns[i].name) != missing.end()) {
      wanted.push_back(columns[i].source_name);
    }
  }
  LAKEMILL_TRY(const auto now, lookup.row_now(table.message, keys, wanted));
  if (!now) return {};
  Tuple tuple(columns.size());
  std::size_t next = 0;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    std::optional<std::string_view> text = texts[kRowLeading + i];
    if (next < wanted.size() && columns[i].source_name == wanted[next]) {
      const auto& value = (*now)[next++];
      text = value ? std::optional<std::string_view>(*value) : std::nullopt;
    }
    if (text) tuple[i] = {FieldKind::text, *text};
  }
  std::string filled;
  append_row(table, "INSERT", tuple, nullptr, filled);
  row = std::move(filled);
  return {};
}

}  // namespace lakemill::sources::postgres
