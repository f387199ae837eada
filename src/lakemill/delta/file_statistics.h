#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lakemill/data/value.h"

namespace lakemill::delta {

class JsonCursor;

/// What the statistics of one file say of one column; parts that are absent, or that
/// cannot be read, are not known.
struct ColumnBounds {
  data::Value minimum;  ///< null: not known
  data::Value maximum;  ///< null: not known
  std::optional<std::int64_t> null_count;
};

/// A column whose bounds are wanted.
struct StatisticsColumn {
  std::vector<std::string> path;  ///< physical names, outermost first
  data::Type type;
};

/// The number of records that statistics name, if they do.
std::optional<std::int64_t> record_count(std::string_view statistics);

/// Reads the bounds of several columns in one pass.
///
/// Thread-safety: immutable. Source: PROTOCOL.md, "Per-file Statistics".
class BoundsReader {
 public:
  explicit BoundsReader(std::vector<StatisticsColumn> columns);

  /// Bounds by column. Timestamps' maxima are a millisecond later than written, as they
  /// were cut to milliseconds.
  std::vector<ColumnBounds> read(std::string_view statistics) const;

 private:
  // The columns as a tree of names.
  struct Node {
    std::string name;
    std::optional<std::size_t> column;
    std::vector<Node> children;

    const Node* find(std::string_view child) const;
  };

  template <typename Take>
  static void walk(JsonCursor& in, const Node& node, const Take& take);

  std::vector<StatisticsColumn> columns_;
  Node root_;
};

}  // namespace lakemill::delta
