#pragma once

#include <set>
#include <string>

#include <duckdb.hpp>

#include "lakemill/base/json.h"
#include "lakemill/engine_duckdb/duckdb_session.h"
#include "lakemill/engine_duckdb/files_plan.h"
#include "lakemill/formats/json_text.h"

namespace lakemill::engine_duckdb {

/// The numbers of JSON files that doubles and long integers do not hold, and the types
/// that do. Both arguments must outlive it.
class JsonNumbers {
 public:
  JsonNumbers(DuckdbSession& session, const FilesPlan& plan)
      : session_(session), plan_(plan) {}

  /// Takes the numbers that were found to be hard: texts of kJsonNumbers.
  void add(const std::string& text) { parse_text(text, hard_); }

  /// The structure at `path`, in which a number that needs one has a DECIMAL: that of
  /// `known` (null: nothing is known) if that is one, else one with room. Where no
  /// decimal has room, it stays DOUBLE. Errors: those of reading.
  Result<OrderedJson> with_decimals(const OrderedJson& structure,
                                    const duckdb::LogicalType* known,
                                    const std::string& path);

  /// True if DuckDB's reader loses nothing of any number, when it reads the columns of
  /// the plan by their types.
  bool are_read_exactly() const;

  /// True if all numbers of that column fit its type, which is not a DECIMAL or was
  /// found by with_decimals.
  bool are_held(const std::string& column, const duckdb::LogicalType& type) const;

 private:
  static void parse_text(const std::string& text, formats::NumbersByPath& numbers);

  Result<std::string> leaf(const std::string& seen, const duckdb::LogicalType* known,
                           const std::string& path);
  Result<formats::NumbersAt> all_at(const std::string& path);

  DuckdbSession& session_;
  const FilesPlan& plan_;
  formats::NumbersByPath hard_;
  std::optional<formats::NumbersByPath> all_;
  bool decimals_fit_ = true;  // all numbers that known decimals are to hold
};

/// The decimal of most digits that holds these numbers, with room on both sides;
/// nothing if none does.
std::optional<duckdb::LogicalType> decimal_for(const formats::NumbersAt& numbers);

/// Adds the paths at which `type` has texts.
void add_text_paths(const duckdb::LogicalType& type, const std::string& path,
                    std::set<std::string>& paths);

}  // namespace lakemill::engine_duckdb
