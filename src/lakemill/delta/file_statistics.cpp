#include "lakemill/delta/file_statistics.h"

#include <algorithm>

#include "lakemill/delta/json_cursor.h"
#include "lakemill/delta/value_text.h"

namespace lakemill::delta {

using data::Timestamp;
using data::Value;

namespace {

constexpr std::int64_t kMicrosPerMillisecond = 1000;

// delta-rs keeps bounds of whole decimals in 64 bits: what is beyond them becomes one
// of these, which prove nothing.
bool is_saturated(const Value& bound, const data::Type& type) {
  const auto* decimal = std::get_if<data::Decimal>(&bound);
  return decimal != nullptr && type.scale == 0 &&
         (decimal->digits == "9223372036854775807" ||
          decimal->digits == "-9223372036854775808");
}

// The next value, a scalar, as one of `type`; null if it is none.
Value read_scalar(JsonCursor& in, const data::Type& type) {
  std::string text;
  if (in.peek() == '"') {
    if (!in.read_string(text)) return {};
    if (text.empty() && type.kind == data::TypeKind::string) return Value(text);
  } else {
    text = in.raw_value();
    const char first = text.empty() ? '\0' : text[0];
    // A number is no bound of strings or dates, and nested values of nothing.
    const bool scalar =
        first == '-' || (first >= '0' && first <= '9') ||
        ((first == 't' || first == 'f') && type.kind == data::TypeKind::boolean);
    if (!scalar || type.kind == data::TypeKind::string ||
        type.kind == data::TypeKind::binary) {
      return {};
    }
  }
  // Binary bounds have no agreed spelling.
  if (type.kind == data::TypeKind::binary) return {};
  Result<Value> value = value_from_text(text, type);
  if (!value || is_saturated(*value, type)) return {};
  return std::move(value).value();
}

Value widened(Value maximum) {
  if (auto* timestamp = std::get_if<Timestamp>(&maximum)) {
    timestamp->micros += kMicrosPerMillisecond;
  }
  return maximum;
}

}  // namespace

std::optional<std::int64_t> record_count(std::string_view statistics) {
  JsonCursor in(statistics);
  std::string key;
  in.enter_object();
  while (in.next_member(key)) {
    std::int64_t count = 0;
    if (key != "numRecords") {
      in.skip_value();
    } else if (!in.consume_null() && in.read_integer(count) && count >= 0) {
      return count;
    }
  }
  return std::nullopt;
}

const BoundsReader::Node* BoundsReader::Node::find(std::string_view child) const {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const Node& node) { return node.name == child; });
  return found == children.end() ? nullptr : &*found;
}

BoundsReader::BoundsReader(std::vector<StatisticsColumn> columns)
    : columns_(std::move(columns)) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Node* node = &root_;
    for (const std::string& name : columns_[i].path) {
      const Node* known = node->find(name);
      if (known == nullptr) {
        node = &node->children.emplace_back(Node{name, std::nullopt, {}});
      } else {
        node = &node->children[static_cast<std::size_t>(known - node->children.data())];
      }
    }
    node->column = i;
  }
}

template <typename Take>
void BoundsReader::walk(JsonCursor& in, const Node& node, const Take& take) {
  if (in.peek() != '{') {
    in.skip_value();
    return;
  }
  in.enter_object();
  std::string key;
  while (in.next_member(key)) {
    const Node* child = node.find(key);
    if (child == nullptr) {
      in.skip_value();
    } else if (child->column) {
      take(*child->column);
    } else {
      walk(in, *child, take);
    }
  }
}

std::vector<ColumnBounds> BoundsReader::read(std::string_view statistics) const {
  std::vector<ColumnBounds> bounds(columns_.size());
  JsonCursor in(statistics);
  std::string key;
  in.enter_object();
  while (in.next_member(key)) {
    if (key == "minValues") {
      walk(in, root_, [&](std::size_t column) {
        bounds[column].minimum = read_scalar(in, columns_[column].type);
      });
    } else if (key == "maxValues") {
      walk(in, root_, [&](std::size_t column) {
        bounds[column].maximum = widened(read_scalar(in, columns_[column].type));
      });
    } else if (key == "nullCount") {
      walk(in, root_, [&](std::size_t column) {
        std::int64_t count = 0;
        if (in.peek() == '{' || in.consume_null()) {
          if (in.peek() == '{') in.skip_value();
        } else if (in.read_integer(count)) {
          bounds[column].null_count = count;
        }
      });
    } else {
      in.skip_value();
    }
  }
  // Half a text is no proof of anything.
  if (in.failed()) return std::vector<ColumnBounds>(columns_.size());
  return bounds;
}

}  // namespace lakemill::delta
