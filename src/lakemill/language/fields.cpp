#include "lakemill/language/fields.h"

#include "lakemill/base/text.h"
#include "lakemill/language/quantity.h"

namespace lakemill::language {

namespace {

ColumnSpec column_of(const std::string& name, const Tree& value) {
  ColumnSpec column;
  column.name = name;
  column.location = value.location;
  if (value.is_scalar()) {
    column.type = value.text;
    return column;
  }
  const Fields fields(value);
  if (name.empty()) column.name = fields.text("name", "");
  column.type = fields.text("type", fields.text("dtype", ""));
  column.nullable = fields.flag("nullable", true);
  column.comment = fields.text("comment", "");
  return column;
}

std::vector<ColumnSpec> columns_of(const Tree& value) {
  std::vector<ColumnSpec> columns;
  if (value.is_list()) {
    for (const Tree& item : value.items) {
      if (item.broken) continue;
      if (item.is_scalar()) {
        ColumnSpec column;
        column.name = item.text;
        column.location = item.location;
        columns.push_back(std::move(column));
      } else {
        columns.push_back(column_of("", item));
      }
    }
    return columns;
  }
  if (value.is_scalar()) {
    ColumnSpec column;
    column.name = value.text;
    column.location = value.location;
    return {std::move(column)};
  }
  if (value.entries.size() == 1 && value.entries[0].key == "columns" &&
      !value.entries[0].value.is_scalar()) {
    return columns_of(value.entries[0].value);
  }
  for (const TreeEntry& entry : value.entries) {
    if (!entry.value.broken) columns.push_back(column_of(entry.key, entry.value));
  }
  return columns;
}

}  // namespace

const Tree* Fields::find(std::string_view key) const {
  const Tree* value = mapping_.find(key);
  return value == nullptr || value->is_null() || value->broken ? nullptr : value;
}

bool Fields::is_broken(std::string_view key) const {
  const Tree* value = mapping_.find(key);
  return value != nullptr && value->broken;
}

const Location& Fields::place(std::string_view key) const {
  const Tree* value = mapping_.find(key);
  return value == nullptr ? mapping_.location : value->location;
}

std::string Fields::text(std::string_view key, std::string_view fallback) const {
  const Tree* value = find(key);
  return value == nullptr || !value->is_scalar() ? std::string(fallback) : value->text;
}

bool Fields::flag(std::string_view key, bool fallback) const {
  const Tree* value = find(key);
  return value == nullptr || value->kind != TreeKind::boolean ? fallback
                                                              : value->boolean;
}

std::optional<std::int64_t> Fields::integer(std::string_view key) const {
  const Tree* value = find(key);
  if (value == nullptr || value->kind != TreeKind::integer) return std::nullopt;
  return value->integer;
}

std::optional<std::int64_t> Fields::size(std::string_view key) const {
  const Tree* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto bytes = parse_size(value->text);
  return bytes ? std::optional(*bytes) : std::nullopt;
}

std::optional<std::chrono::microseconds> Fields::duration(std::string_view key) const {
  const Tree* value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto period = parse_duration(value->text);
  return period ? std::optional(*period) : std::nullopt;
}

std::string Fields::choice(std::string_view key) const {
  return to_upper(text(key, ""));
}

std::vector<std::string> Fields::texts(std::string_view key) const {
  std::vector<std::string> texts;
  for (const Name& name : names(key)) texts.push_back(name.text);
  return texts;
}

std::vector<Name> Fields::names(std::string_view key) const {
  std::vector<Name> names;
  for (const Tree* item : items(key)) names.push_back({item->text, item->location});
  return names;
}

std::map<std::string, std::string> Fields::text_map(std::string_view key) const {
  std::map<std::string, std::string> texts;
  const Tree* value = find(key);
  if (value == nullptr) return texts;
  for (const TreeEntry& entry : value->entries) {
    if (entry.value.is_scalar()) texts[entry.key] = entry.value.text;
  }
  return texts;
}

SourceText Fields::source_text(std::string_view key) const {
  const Tree* value = find(key);
  if (value == nullptr || !value->is_scalar()) return {};
  return {value->text, value->location, value->block};
}

std::vector<NamedArgument> Fields::arguments(std::string_view key) const {
  std::vector<NamedArgument> arguments;
  const Tree* value = find(key);
  if (value == nullptr) return arguments;
  for (const TreeEntry& entry : value->entries) {
    arguments.push_back({entry.key, entry.key_location, entry.value});
  }
  return arguments;
}

std::vector<const Tree*> Fields::items(std::string_view key) const {
  std::vector<const Tree*> items;
  const Tree* value = find(key);
  if (value == nullptr) return items;
  if (!value->is_list()) return {value};
  for (const Tree& item : value->items) {
    if (!item.broken) items.push_back(&item);
  }
  return items;
}

std::vector<ColumnSpec> Fields::columns(std::string_view key) const {
  const Tree* value = find(key);
  return value == nullptr ? std::vector<ColumnSpec>{} : columns_of(*value);
}

Tree Fields::raw(std::string_view key) const {
  const Tree* value = find(key);
  return value == nullptr ? Tree() : *value;
}

}  // namespace lakemill::language
