#include "lakemill/sources/postgres/column_types.h"

#include <algorithm>
#include <array>
#include <set>

#include "lakemill/base/text.h"

namespace lakemill::sources::postgres {

namespace {

using data::TypeKind;

constexpr int kDomainDepthMax = 32;
constexpr int kDecimalDigitsMax = 38;
constexpr Oid kNumeric = 1700;

struct BuiltInType {
  Oid type;
  TypeKind kind;
};

// Source: pg_type.dat of PostgreSQL.
constexpr std::array kExact = {
    BuiltInType{16, TypeKind::boolean},          // bool
    BuiltInType{17, TypeKind::binary},           // bytea
    BuiltInType{20, TypeKind::int64},            // int8
    BuiltInType{21, TypeKind::int16},            // int2
    BuiltInType{23, TypeKind::int32},            // int4
    BuiltInType{26, TypeKind::int64},            // oid
    BuiltInType{700, TypeKind::float32},         // float4
    BuiltInType{701, TypeKind::float64},         // float8
    BuiltInType{1082, TypeKind::date},           // date
    BuiltInType{1114, TypeKind::timestamp_ntz},  // timestamp
    BuiltInType{1184, TypeKind::timestamp},      // timestamptz
};

// Strings; known so that nobody needs to be asked: char, name, text, json, xml, inet,
// bpchar, varchar, time, interval, timetz, bit, varbit, uuid, jsonb.
constexpr std::array<Oid, 15> kTexts = {18,   19,   25,   114,  142,  869,  1042, 1043,
                                        1083, 1186, 1266, 1560, 1562, 2950, 3802};

constexpr std::array<std::pair<Oid, Oid>, 24> kArrays = {{
    {1000, 16},   {1001, 17},   {1002, 18},   {1003, 19},   {1005, 21},   {1007, 23},
    {1009, 25},   {1014, 1042}, {1015, 1043}, {1016, 20},   {1021, 700},  {1022, 701},
    {1028, 26},   {1115, 1114}, {1182, 1082}, {1183, 1083}, {1185, 1184}, {1187, 1186},
    {1231, 1700}, {1270, 1266}, {199, 114},   {2951, 2950}, {3807, 3802}, {1041, 869},
}};

data::Type text_type() { return data::make_type(TypeKind::string); }

// numeric(p,s): the modifier holds both, plus four; s may be negative or above p.
data::Type numeric_type(std::int32_t modifier) {
  constexpr std::int32_t kHeader = 4;
  if (modifier < kHeader) return text_type();
  const auto packed = static_cast<std::uint32_t>(modifier - kHeader);
  int precision = static_cast<int>(packed >> 16U);
  int scale = static_cast<int>((packed & 0x7FFU) ^ 1024U) - 1024;
  if (scale < 0) {
    precision -= scale;
    scale = 0;
  }
  precision = std::max(precision, scale);
  if (precision > kDecimalDigitsMax) return text_type();
  return data::make_decimal(precision, scale);
}

std::optional<data::Type> built_in_type(Oid type, std::int32_t modifier) {
  if (type == kNumeric) return numeric_type(modifier);
  for (const BuiltInType& known : kExact) {
    if (known.type == type) return data::make_type(known.kind);
  }
  if (std::find(kTexts.begin(), kTexts.end(), type) != kTexts.end()) return text_type();
  for (const auto& [array, element] : kArrays) {
    if (array != type) continue;
    return data::make_array(*built_in_type(element, modifier), true);
  }
  return std::nullopt;
}

bool is_own_name(const std::string& lower) {
  static const std::set<std::string> kOwn = {
      "_op",          "_unchanged",        "_rescued", "_source_offset",
      "_source_file", "_ingested_at",      "_run_id",  "_batch_id",
      "_source",      "_lakemill_sequence"};
  return kOwn.contains(lower);
}

}  // namespace

Result<data::Type> column_type(Oid type, std::int32_t modifier, TypeLookup& lookup) {
  for (int depth = 0; depth < kDomainDepthMax; ++depth) {
    if (auto known = built_in_type(type, modifier)) return *std::move(known);
    LAKEMILL_TRY(const auto facts, lookup.type_facts(type));
    if (!facts) return text_type();
    if (facts->kind == 'd') {
      type = facts->base;
      modifier = facts->base_modifier;
      continue;
    }
    if (facts->element == 0 || facts->delimiter != ',') return text_type();
    LAKEMILL_TRY(auto element, column_type(facts->element, modifier, lookup));
    if (element.kind == TypeKind::array) return text_type();
    return data::make_array(std::move(element), true);
  }
  return text_type();
}

Result<TableLayout> make_layout(const std::vector<RelationColumn>& columns,
                                TypeLookup& lookup) {
  TableLayout layout;
  std::set<std::string> taken;
  for (const RelationColumn& column : columns) {
    LayoutColumn place;
    place.source_name = place.name = column.name;
    for (int copy = 1; is_own_name(to_lower(place.name)) ||
                       !taken.insert(to_lower(place.name)).second;
         ++copy) {
      place.name = column.name + "_" + std::to_string(copy);
    }
    LAKEMILL_TRY(place.type, column_type(column.type, column.modifier, lookup));
    layout.columns.push_back(std::move(place));
  }
  return layout;
}

std::vector<std::string> spool_columns(const TableLayout& layout) {
  std::vector<std::string> names = {
      std::string(kOffsetColumn), std::string(kOperationColumn),
      std::string(kUnchangedColumn), std::string(kInvalidColumn)};
  for (std::size_t i = 0; i < layout.columns.size(); ++i) {
    names.push_back("c" + std::to_string(i));
  }
  return names;
}

}  // namespace lakemill::sources::postgres
