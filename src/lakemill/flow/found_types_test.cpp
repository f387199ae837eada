#include "lakemill/flow/found_types.h"

#include <gtest/gtest.h>

namespace lakemill::flow {
namespace {

using data::TypeKind;

data::Schema columns(std::vector<std::pair<std::string, data::Type>> types) {
  data::Schema schema;
  for (auto& [name, type] : types) schema.fields.push_back({name, std::move(type)});
  return schema;
}

std::string text(const data::Schema& schema) {
  return to_text(data::make_struct(schema.fields));
}

const data::Type kString = data::make_type(TypeKind::string);
const data::Type kLong = data::make_type(TypeKind::int64);
const data::Type kDouble = data::make_type(TypeKind::float64);

TEST(FoundTypes, AreKeptWhereABatchHasNothingButNulls) {
  const auto before = columns({{"a", kDouble}, {"b", kString}, {"c", kLong}});
  const auto found =
      columns({{"a", kString}, {"b", kLong}, {"c", kDouble}, {"d", kLong}});
  EXPECT_EQ(text(types_after(before, found)),
            "struct<a:double,b:long,c:double,d:long>");
  EXPECT_EQ(text(types_after({}, found)), text(found));
  EXPECT_EQ(text(types_after(before, {})), text(before));
}

TEST(FoundTypes, AreKeptWithinNestedColumns) {
  const auto before = columns({{"o", data::make_struct({{"x", kLong}, {"y", kString}})},
                               {"l", data::make_array(kLong, true)}});
  const auto found = columns({{"o", data::make_struct({{"x", kString}, {"z", kLong}})},
                              {"l", data::make_array(kString, true)}});
  EXPECT_EQ(text(types_after(before, found)),
            "struct<o:struct<x:long,y:string,z:long>,l:array<long>>");
}

}  // namespace
}  // namespace lakemill::flow
