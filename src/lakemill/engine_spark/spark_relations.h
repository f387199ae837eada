#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "lakemill/engine/relation.h"

namespace lakemill::engine_spark {

/// A temporary view that is made of a relation (connect_messages.h).
struct SparkView {
  std::string name;      ///< a plain identifier
  std::string relation;  ///< spark.connect.Relation
};

/// Where Spark finds what Lakemill has at `url`: file:// before a local path, s3a://
/// for s3://.
std::string spark_path(std::string_view url);

/// `delta.`path` VERSION AS OF n`, to stand in FROM.
std::string delta_table_sql(std::string_view url, std::int64_t version);

/// The views that give `relation` under `name`, in the order in which they are made;
/// its columns are those of `schema`. Errors: unsupported (what Spark would read
/// otherwise, by its name).
Result<std::vector<SparkView>> views_of(const std::string& name,
                                        const engine::Relation& relation,
                                        const data::Schema& schema);

}  // namespace lakemill::engine_spark
